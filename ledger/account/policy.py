"""Policies: documents that say what an agency may do. A protected one must not be deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from ledger.account.decision import (
    OVERRIDE,
    Circumstances,
    Decision,
    Decisions,
    need_reason,
)
from ledger.account.impact import (
    as_many_as_fit,
    broken_features,
    known_permissions,
    permissions_under,
    total,
)
from ledger.account.meaning import (
    ON_RECORD_ONLY,
    THE_POLICY,
    Change,
    Meaning,
    Meanings,
    Says,
    Standing,
)
from ledger.account.permissions import revoked
from ledger.account.state import Account, Timeline
from ledger.account.wording import called_policy, deletion_attempt
from ledger.errors import NotFound
from ledger.messages import Command, DomainEvent
from ledger.values import AgencyName, Line, PolicyName, Region


class AttemptPolicyDeletion(Command):
    """Try to delete a policy. A protected one needs an override, and the override a reason."""

    policy: PolicyName
    override: bool = False


class PolicyCreated(DomainEvent):
    """A policy exists from now on."""

    TOPIC = "PolicyCreated.v1"

    policy: PolicyName
    policy_id: Line | None = None
    agency: AgencyName | None = None


class PolicyChanged(DomainEvent):
    """The policy's content changed, and with it what the agencies that hold it may do."""

    TOPIC = "PolicyChanged.v1"

    policy: PolicyName | None = None
    """Its name after the change: a custom policy of Huawei Cloud can be renamed, its id stays."""
    policy_id: Line | None = None
    detail: Line | None = None


class PolicyDeletionAttempted(DomainEvent):
    """Somebody tried to delete the policy; the impact is what would break, or broke."""

    TOPIC = "PolicyDeletionAttempted.v1"

    policy: PolicyName | None = None
    policy_id: Line | None = None
    outcome: Literal["refused", "carried-out"]
    override: bool = False
    impact_regions: tuple[Region, ...] = ()
    impact_features: tuple[Line, ...] = ()
    impact_regions_total: int | None = None
    impact_features_total: int | None = None
    why: Line | None = None


class PolicyDeleted(DomainEvent):
    """The policy is gone, and with it every permission under it."""

    TOPIC = "PolicyDeleted.v1"

    policy: PolicyName | None = None
    policy_id: Line | None = None


def evolve(account: Account, event: PolicyCreated | PolicyDeleted, at: datetime) -> None:
    known = account.policies.setdefault(called_policy(event), Timeline())
    known.learn(event.policy_id or "" if isinstance(event, PolicyCreated) else None, at)


def standing(account: Account, event: PolicyCreated | PolicyDeleted) -> Standing:
    known = account.policies.get(called_policy(event), Timeline())
    exists = "does not exist" if known.now is None else "exists"
    return Standing(f"policy {called_policy(event)!r}", exists, known.since)


def ends(
    account: Account, event: PolicyDeleted, at: datetime
) -> Iterator[tuple[DomainEvent, datetime]]:
    """The ends of all permissions under the policy that were open when it was deleted."""
    for key, granted in known_permissions(account, called_policy(event)):
        if granted.at(at):
            yield revoked(key, "PolicyDeleted"), at


def attempt_deletion(
    account: Account, command: AttemptPolicyDeletion, now: Circumstances
) -> Decision:
    if not account.policy_exists(command.policy):
        raise NotFound(
            f"The account {command.account} has no policy {command.policy!r}.",
            remedy="`authledger policy list` shows those that it has.",
        )
    if command.override:
        need_reason(now)
    ended = permissions_under(account, command.policy)
    known = now.catalogue.policy_holder(command.provider, command.policy)
    regions, features = (
        tuple(sorted({key.region for key in ended})),
        broken_features(account, ended, now),
    )
    why = None
    if known is not None and known.protection != "none" and not command.override:
        why = f"The policy {command.policy!r} is protected: {known.protection_note}"
    attempt = PolicyDeletionAttempted(
        policy=command.policy,
        outcome="refused" if why else "carried-out",
        override=command.override,
        impact_regions=as_many_as_fit(regions),
        impact_features=as_many_as_fit(features),
        impact_regions_total=total(regions),
        impact_features_total=total(features),
        why=why,
    )
    if why is not None:
        return Decision((attempt,), refusal=why, remedy=OVERRIDE)
    policy_id = account.policies[command.policy].now or None
    return Decision((attempt, PolicyDeleted(policy=command.policy, policy_id=policy_id)))


DECIDE: Decisions = {AttemptPolicyDeletion: attempt_deletion}
EVENTS: Meanings = {
    PolicyCreated: Meaning(
        lambda event, _: (
            f"the policy {event.policy!r} exists"
            + (f", for {event.agency}" if event.agency else "")
        ),
        Change(evolve, standing),
        role="change",
        says=Says("created", "policy", THE_POLICY),
    ),
    PolicyChanged: Meaning(
        lambda event, who: f"{who} changed the policy {called_policy(event)!r}",
        "on record only: what the policy permits now is not known",
        role="change",
        says=Says("renamed", "policy", THE_POLICY),
    ),
    PolicyDeletionAttempted: Meaning(
        lambda event, who: deletion_attempt(event, who, f"policy {called_policy(event)!r}"),
        ON_RECORD_ONLY,
    ),
    PolicyDeleted: Meaning(
        lambda event, who: f"{who} deleted the policy {called_policy(event)!r}",
        Change(evolve, standing, ends),
        role="change",
        says=Says("deleted", "policy", THE_POLICY),
    ),
}
