"""Policies: documents that say what an agency may do. A protected one must not be deleted."""

from __future__ import annotations

from typing import Literal

from ledger.account.answers import Thing
from ledger.account.decision import (
    OVERRIDE,
    Circumstances,
    Decision,
    Decisions,
    need_reason,
)
from ledger.account.impact import as_many_as_fit, broken_features, regions_of, total
from ledger.account.meaning import (
    ITS_DOCUMENT,
    ON_RECORD_ONLY,
    THE_POLICY,
    Meaning,
    Meanings,
    Says,
    Standing,
)
from ledger.account.permissions import revoked
from ledger.account.questions import Account
from ledger.account.truth.lines import CREATION_NOT_SEEN
from ledger.account.wording import called_policy, clock, deletion_attempt
from ledger.errors import NotFound
from ledger.messages import Command, DomainEvent
from ledger.values import AgencyName, Digest, Line, PolicyName, Region


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
    document: Digest | None = None
    """The digest of the document that it has from now on; None if no trace told it."""
    document_bytes: int | None = None
    """The size of the document's canonical form."""
    document_version: Line | None = None
    """The document's version, as the cloud calls it, e.g. `v3`."""
    in_force: bool | None = None
    """Whether this version is the one in force from now on; None if no trace told it."""


class PolicyChanged(DomainEvent):
    """The policy's content changed, and with it what the agencies that hold it may do."""

    TOPIC = "PolicyChanged.v1"

    policy: PolicyName | None = None
    """Its name after the change: a custom policy of Huawei Cloud can be renamed, its id stays."""
    policy_id: Line | None = None
    detail: Line | None = None
    document: Digest | None = None
    """The digest of the document that it has from now on; None if no trace told it."""
    document_bytes: int | None = None
    """The size of the document's canonical form."""
    document_version: Line | None = None
    """The document's version, as the cloud calls it, e.g. `v3`."""
    in_force: bool | None = None
    """Whether this version is the one in force from now on; None if no trace told it."""
    content: Literal["unchanged"] | None = None
    """`unchanged` if the call set the description alone, and left the document as it was."""


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


def standing(account: Account, event: PolicyCreated | PolicyDeleted) -> Standing:
    return Standing.of(f"policy {called_policy(event)!r}", account.policy(called_policy(event)))


def standing_of_content(account: Account, event: PolicyChanged) -> Standing:
    what = f"document of the policy {called_policy(event)!r}"
    content = account.content_of_policy(called_policy(event))
    if content is None:
        return Standing(what, "none told", None)
    since = f" since {clock(content.since)}" if content.since else ""
    digest = content.digest[:12] or f"not told{since}"
    return Standing(what, " ".join(filter(None, (digest, content.version))), content.since)


def attempt_deletion(
    account: Account, command: AttemptPolicyDeletion, now: Circumstances
) -> Decision:
    there = account.policy(command.policy)
    if there is None or there.is_gone or _is_the_clouds(there, now, command.provider):
        raise NotFound(
            f"The account {command.account} has no policy {command.policy!r}.",
            remedy="`authledger policy list` shows those that it has.",
        )
    if command.override:
        need_reason(now)
    name = there.name or command.policy
    known = now.catalogue.policy_holder(command.provider, name)
    ended = account.permissions_under(command.policy)
    regions, features = regions_of(ended), broken_features(account, ended, now)
    why = None
    if known is not None and known.protection != "none" and not command.override:
        why = f"The policy {name!r} is protected: {known.protection_note}"
    attempt = PolicyDeletionAttempted(
        policy=there.name,
        policy_id=None if there.name else there.id,
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
    deleted = PolicyDeleted(policy=there.name, policy_id=there.id)
    return Decision((attempt, deleted, *(revoked(key, "PolicyDeleted") for key in ended)))


def _is_the_clouds(there: Thing, now: Circumstances, provider: str) -> bool:
    """Whether a policy, whose creation no fact told, is the cloud's own by the catalogue."""
    is_system = now.catalogue.is_system_policy(provider, there.name or "")
    return there.note == CREATION_NOT_SEEN and is_system


DECIDE: Decisions = {AttemptPolicyDeletion: attempt_deletion}
EVENTS: Meanings = {
    PolicyCreated: Meaning(
        lambda event, _: (
            f"the policy {event.policy!r} exists"
            + (f", for {event.agency}" if event.agency else "")
        ),
        standing,
        role="change",
        says=Says("created", "policy", THE_POLICY | ITS_DOCUMENT),
    ),
    PolicyChanged: Meaning(
        lambda event, who: f"{who} changed the policy {called_policy(event)!r}",
        standing_of_content,
        role="change",
        says=(
            Says("renamed", "policy", THE_POLICY, when={"content": "unchanged"}),
            Says("renamed", "policy", THE_POLICY | ITS_DOCUMENT),
        ),
    ),
    PolicyDeletionAttempted: Meaning(
        lambda event, who: deletion_attempt(event, who, f"policy {called_policy(event)!r}"),
        ON_RECORD_ONLY,
    ),
    PolicyDeleted: Meaning(
        lambda event, who: f"{who} deleted the policy {called_policy(event)!r}",
        standing,
        role="change",
        says=Says("deleted", "policy", THE_POLICY),
    ),
}
