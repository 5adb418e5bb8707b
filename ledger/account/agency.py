"""Agencies: created once in an account, trusted to a service, and protected from deletion."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from ledger.account.decision import (
    OVERRIDE,
    Circumstances,
    Decision,
    Decisions,
    need_reason,
)
from ledger.account.impact import as_many_as_fit, broken_features, regions_of, total
from ledger.account.meaning import (
    ON_RECORD_ONLY,
    THE_AGENCY,
    Meaning,
    Meanings,
    Says,
    Standing,
)
from ledger.account.permissions import revoked
from ledger.account.policy import PolicyCreated
from ledger.account.questions import Account
from ledger.account.truth.fact import FOREVER
from ledger.account.truth.lines import NOT_KNOWN
from ledger.account.truth.timeline import ENDED
from ledger.account.wording import called, clock, deletion_attempt
from ledger.errors import NotFound
from ledger.messages import Command, DomainEvent
from ledger.values import AgencyName, Digest, Instant, Line, PolicyName, Region, Trustee


class CreateAgency(Command):
    """Create an agency by hand, as consent would, but without permissions."""

    COUNTS_AGENCIES = True

    agency: AgencyName
    trustee: Trustee | None = None
    policy: PolicyName | None = None


class AttemptAgencyDeletion(Command):
    """Try to delete an agency. A protected one needs an override, and the override a reason."""

    agency: AgencyName
    override: bool = False


class AgencyCreated(DomainEvent):
    """An agency exists from now on. Its id is immutable; a new one of the same name is another."""

    TOPIC = "AgencyCreated.v1"

    agency: AgencyName
    agency_id: Line | None = None
    trustee: Trustee | None = None
    purpose: Line | None = None
    duration: Line | None = None
    """The cloud's own word, e.g. `ONEDAY` or `FOREVER`."""
    expires_at: Instant | None = None
    """When it ends by itself; None if it does not, or if no trace told it: see `duration`."""
    trusted_account_id: Line | None = None
    trusted_account_name: Line | None = None
    """Set if the trace tells both: then they are one account, and one trustee."""
    account_name: Line | None = None
    """The name of the account that has the agency, if the trace tells it beside the id."""
    trust_document: Digest | None = None
    """The digest of the trust policy that it has from now on; None if no trace told it."""
    trust_document_bytes: int | None = None
    """The size of the trust policy's canonical form."""


class AgencyTrustChanged(DomainEvent):
    """From now on the agency trusts another service, account or identity provider."""

    TOPIC = "AgencyTrustChanged.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    trustee: Trustee | None = None
    trusted_account_id: Line | None = None
    trusted_account_name: Line | None = None
    """Set if the trace tells both: then they are one account, and one trustee."""
    trust_document: Digest | None = None
    """The digest of the trust policy that it has from now on; None if no trace told it."""
    trust_document_bytes: int | None = None
    """The size of the trust policy's canonical form."""


class AgencyChanged(DomainEvent):
    """The agency was changed, but neither its trust nor its policies: its tags, its description."""

    TOPIC = "AgencyChanged.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    detail: Line
    """The call, and what it named beside the agency."""


class AgencyExpiryChanged(DomainEvent):
    """From now on the agency ends by itself at another time, or not at all."""

    TOPIC = "AgencyExpiryChanged.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    duration: Line | None = None
    """The cloud's own word, e.g. `ONEDAY` or `FOREVER`."""
    expires_at: Instant | None = None
    """When it ends; None: it does not end by itself."""


class AgencyDeletionRequested(DomainEvent):
    """The cloud accepted a deletion. A task carries it out, and the agency ends later."""

    TOPIC = "AgencyDeletionRequested.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    detail: Line | None = None
    task: Line | None = None
    """The id of the task."""


class AgencyCreationRefused(DomainEvent):
    """An agency could not be created."""

    TOPIC = "AgencyCreationRefused.v1"

    agency: AgencyName
    why: Line
    outcome: Literal["refused"] = "refused"


class AgencyDeletionAttempted(DomainEvent):
    """Somebody tried to delete the agency; the impact is what would break, or broke."""

    TOPIC = "AgencyDeletionAttempted.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    outcome: Literal["refused", "carried-out"]
    override: bool = False
    impact_regions: tuple[Region, ...] = ()
    impact_features: tuple[Line, ...] = ()
    impact_regions_total: int | None = None
    impact_features_total: int | None = None
    why: Line | None = None


class AgencyDeletionFailed(DomainEvent):
    """A deletion that the cloud had accepted was not carried out: the agency stays."""

    TOPIC = "AgencyDeletionFailed.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    why: Line | None = None
    task: Line | None = None
    """The id of the task that failed."""


class AgencyDeleted(DomainEvent):
    """The agency is gone, and with it all that it was permitted."""

    TOPIC = "AgencyDeleted.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    task: Line | None = None
    """The id of the task that deleted it, if one did."""


AboutAgency = AgencyCreated | AgencyDeleted | AgencyDeletionRequested


def standing(account: Account, event: AboutAgency) -> Standing:
    return Standing.of(f"agency {called(event)}", account.agency(called(event)))


def standing_of_trust(account: Account, event: AgencyTrustChanged) -> Standing:
    what, trust = f"agency {called(event)} trusts", account.value("trust", called(event))
    if trust is None:
        trustee = "unknown" if account.agency_exists(called(event)) else "nobody"
        return Standing(what, trustee, None)
    words = {NOT_KNOWN: NOT_KNOWN, ENDED: "nobody"}
    return Standing(what, words.get(trust.status, str(trust.value or "unknown")), trust.since)


def standing_of_expiry(account: Account, event: AgencyExpiryChanged) -> Standing:
    what, expiry = f"agency {called(event)} ends", account.value("expiry", called(event))
    if expiry is None or not isinstance(expiry.value, datetime):
        return Standing(what, "at a time that is not known", expiry and expiry.since)
    return Standing(what, _end(expiry.value), expiry.since)


def new_id(account: Account, name: str) -> str:
    """An immutable id of 32 hex digits, as IAM's; the same if the command is decided again."""
    seed = f"{account.provider}/{account.account}/{account.version + 1}/{name}"
    return hashlib.sha256(seed.encode()).hexdigest()[:32]


def create(account: Account, command: CreateAgency, now: Circumstances) -> Decision:
    why, remedy = _why_not_create(account, command, now)
    if why:
        refused = AgencyCreationRefused(agency=command.agency, why=why)
        return Decision((refused,), refusal=why, remedy=remedy)
    known = now.catalogue.agency(command.provider, command.agency)
    named = (command.policy,) if command.policy else known.own_policies if known else ()
    created: list[DomainEvent] = [
        AgencyCreated(
            agency=command.agency,
            agency_id=new_id(account, command.agency),
            trustee=command.trustee or (known.trustee if known else None),
            purpose=known.purpose if known else None,
        )
    ]
    created += (
        PolicyCreated(policy=policy, policy_id=new_id(account, policy), agency=command.agency)
        for policy in named
        if not account.policy_exists(policy)
    )
    return Decision(tuple(created))


def _why_not_create(account: Account, command: CreateAgency, now: Circumstances) -> tuple[str, str]:
    """Why an agency may not be created, and the remedy; empty if it may."""
    quota = now.catalogue.quota(command.provider, "agencies")
    known = account.agency(command.agency)
    if known is not None and known.exists:
        why = f"An agency {command.agency} exists already. Names are unique in an account."
        return why, "Choose another name."
    if known is not None and known.may_exist:
        why = f"Whether an agency {command.agency} exists is not known: the facts contradict."
        return why, "Choose another name, or import the traces that are missing."
    if quota is not None and account.has_agencies(quota):
        why = f"The account has {quota} agencies already, which is its quota."
        return why, "Delete agencies that nothing needs, or have the quota raised."
    return "", ""


def attempt_deletion(
    account: Account, command: AttemptAgencyDeletion, now: Circumstances
) -> Decision:
    there = account.agency(command.agency)
    if there is None or there.is_gone:
        raise NotFound(
            f"The account {command.account} has no agency {command.agency}.",
            remedy="`authledger agency list` shows those that it has.",
        )
    if command.override:
        need_reason(now)
    ended = account.open_permissions(command.agency)
    name = there.name or command.agency
    known = now.catalogue.agency(command.provider, name)
    regions, features = regions_of(ended), broken_features(account, ended, now)
    why = None
    if known is not None and known.protection != "none" and not command.override:
        why = f"The agency {name} is protected: {known.protection_note}"
    attempt = AgencyDeletionAttempted(
        agency=there.name,
        agency_id=None if there.name else there.id,
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
    deleted = AgencyDeleted(agency=there.name, agency_id=there.id)
    return Decision((attempt, deleted, *(revoked(key, "AgencyDeleted") for key in ended)))


def _end(expires_at: datetime | None) -> str:
    return clock(expires_at) if expires_at and expires_at != FOREVER else "never"


def _until(event: AgencyExpiryChanged) -> str:
    until = clock(event.expires_at) if event.expires_at else "for ever"
    return f"{until} ({event.duration})" if event.duration else until


_TRUSTEE = {
    "document": "trust_document",
    "trustee": "trustee",
    "trustee_id": "trusted_account_id",
    "trustee_name": "trusted_account_name",
}
_EXPIRY = {"expires_at": "expires_at"}
_TASK = {"task": "task"}
DECIDE: Decisions = {
    CreateAgency: create,
    AttemptAgencyDeletion: attempt_deletion,
}
EVENTS: Meanings = {
    AgencyCreated: Meaning(
        lambda event, _: (
            f"the agency {event.agency} exists"
            + (f", trusted to {event.trustee}" if event.trustee else "")
        ),
        standing,
        role="change",
        says=Says("created", "agency", THE_AGENCY | _TRUSTEE | _EXPIRY),
    ),
    AgencyTrustChanged: Meaning(
        lambda event, who: (
            f"{who} changed whom {called(event)} trusts: {event.trustee or 'unknown'}"
        ),
        standing_of_trust,
        role="change",
        says=Says("trust set", "agency", THE_AGENCY | _TRUSTEE),
    ),
    AgencyChanged: Meaning(
        lambda event, who: f"{who} changed the agency {called(event)}: {event.detail}",
        "on record only: neither its trust nor its policies changed",
        role="change",
        says=Says("evidence", "agency", THE_AGENCY),
    ),
    AgencyExpiryChanged: Meaning(
        lambda event, who: f"{who} changed until when {called(event)} exists: {_until(event)}",
        standing_of_expiry,
        role="change",
        says=Says("expiry set", "agency", THE_AGENCY | _EXPIRY),
    ),
    AgencyDeletionRequested: Meaning(
        lambda event, who: (
            f"{who} asked for the deletion of the agency {called(event)}; a task carries it out"
        ),
        standing,
        role="change",
        says=Says("deletion asked for", "agency", THE_AGENCY | _TASK),
    ),
    AgencyCreationRefused: Meaning(
        lambda event, who: f"{who} tried to create the agency {event.agency}: {event.why}",
        ON_RECORD_ONLY,
    ),
    AgencyDeletionAttempted: Meaning(
        lambda event, who: deletion_attempt(event, who, f"agency {called(event)!r}"),
        ON_RECORD_ONLY,
    ),
    AgencyDeletionFailed: Meaning(
        lambda event, _: (
            f"the deletion of the agency {called(event)} failed"
            + (f": {event.why}" if event.why else "")
        ),
        "the agency stays: the views show that it exists again",
        role="change",
        says=Says("deletion failed", "agency", THE_AGENCY | _TASK),
    ),
    AgencyDeleted: Meaning(
        lambda event, who: f"{who} deleted the agency {called(event)}",
        standing,
        role="change",
        says=Says("deleted", "agency", THE_AGENCY | _TASK),
    ),
}
