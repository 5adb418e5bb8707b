"""Permissions: the services that an agency may use in a region, and the policies it acts under."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime
from typing import Final, Literal

from ledger.account.answers import PermissionKey
from ledger.account.decision import Circumstances
from ledger.account.meaning import (
    ON_RECORD_ONLY,
    THE_PERMISSION,
    Meaning,
    Meanings,
    Says,
    Standing,
)
from ledger.account.questions import Account
from ledger.account.rights import rights
from ledger.account.state import Agreed, State
from ledger.account.truth.lines import GRANTED, NOT_KNOWN
from ledger.account.wording import called, in_place
from ledger.catalogue import AgencyEntry, Service
from ledger.messages import DomainEvent
from ledger.values import AgencyName, Digest, Line, PolicyName, Region, ServiceCode, SubjectId

CONSENTS: Final = {"createUserAgencies": "cce"}
"""By the call that the `detail` of a PermissionsChanged begins with, the service in whose console
the account agreed. The trace names agencies, and not their rights."""
PolicyKind = Literal["custom", "system", "managed", "inline"]
Cause = Literal["AuthorizationRevoked", "AgencyDeleted", "PolicyDeleted"]


class PermissionGranted(DomainEvent):
    """The agency may use a service, or acts under a policy, in one region (`*`: in all)."""

    TOPIC = "PermissionGranted.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region | None = None
    project_id: Line | None = None
    service: ServiceCode | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None
    policy_kind: PolicyKind | None = None
    document: Digest | None = None
    """The digest of an inline policy's document from now on; None if no trace told it."""
    document_bytes: int | None = None
    """The size of the document's canonical form."""
    address: SubjectId | None = None


class PermissionRevoked(DomainEvent):
    """The permission ended. `consequence_of` names the event that ended it, if one did."""

    TOPIC = "PermissionRevoked.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region | None = None
    project_id: Line | None = None
    service: ServiceCode | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None
    consequence_of: Cause | None = None


class PermissionsChanged(DomainEvent):
    """The cloud changed what the agency may do; its trace does not say how."""

    TOPIC = "PermissionsChanged.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region | None = None
    project_id: Line | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None
    detail: Line
    address: SubjectId | None = None


class PermissionChangeRefused(DomainEvent):
    """Somebody tried to change what an agency may do, or a policy, and was refused."""

    TOPIC = "PermissionChangeRefused.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region | None = None
    project_id: Line | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None
    why: Line
    outcome: Literal["refused"] = "refused"


def standing(account: Account, event: PermissionGranted | PermissionRevoked) -> Standing:
    region, policy = event.region or event.project_id, event.policy or event.policy_id
    known = account.permission(called(event), region, event.service, policy)
    named = (event.service, repr(policy) if policy else None)
    what = " under ".join(filter(None, named)) or "a permission that is not named"
    status = known.status if known is not None else ""
    return Standing(
        f"{called(event)} in {region}: {what}",
        status if status in (GRANTED, NOT_KNOWN) else "not granted",
        known.since if known is not None else None,
    )


def revoked(key: PermissionKey, cause: Cause) -> PermissionRevoked:
    return PermissionRevoked(**key._asdict(), consequence_of=cause)


def missing_permissions(
    account: Account, service: Service, region: str, now: Circumstances
) -> tuple[PermissionKey, ...]:
    """The permissions of a consent in a region today that are not known to be granted."""
    return tuple(
        key
        for agency in service.baseline_at(now.at).agencies
        for known in [rights(account, agency.name, region, now.catalogue)]
        for key in _missing(agency, region, known.permitted)
    )


def may_have_permissions(
    account: Account, service: Service, region: str, now: Circumstances
) -> bool:
    """Whether nothing of a consent in a region today is known to be missing."""
    return not any(
        rights(account, agency.name, region, now.catalogue).lacks(agency.services)
        for agency in service.baseline_at(now.at).agencies
    )


def _missing(agency: AgencyEntry, region: str, granted: Container[str]) -> Iterator[PermissionKey]:
    """The services under the first policy, and each further policy beside them.

    The catalogue says which services the policies give together, and not which of them gives one.
    """
    first, *further = agency.policies or (None,)
    missing = [code for code in agency.services if code not in granted]
    for code in missing:
        yield PermissionKey(agency.name, region, code, first)
    for policy in further if missing else ():
        yield PermissionKey(agency.name, region, None, policy)


def _agreed(state: State, event: PermissionsChanged, at: datetime) -> None:
    service = CONSENTS.get(event.detail.partition(":")[0])
    if service is not None:
        state.agreed.append(Agreed(service, event.region, event.agency, event.agency_id, at))


def _permits(event: PermissionGranted | PermissionRevoked) -> str:
    policy = event.policy or event.policy_id
    if event.service and policy:
        return f"use {event.service} under {policy!r}"
    if event.service:
        return f"use {event.service}"
    return f"act under {policy!r}" if policy else "do what is not named"


_BECAUSE: Final[dict[Cause | None, str]] = {
    "AuthorizationRevoked": ", because the consent was revoked",
    "AgencyDeleted": ", because the agency was deleted",
    "PolicyDeleted": ", because the policy was deleted",
}


def _revoked_sentence(event: PermissionRevoked, _: str) -> str:
    because = _BECAUSE.get(event.consequence_of, "")
    return f"{called(event)} may no longer {_permits(event)}{in_place(event)}{because}"


def _refused_sentence(event: PermissionChangeRefused, who: str) -> str:
    policy = repr(event.policy or event.policy_id) if event.policy or event.policy_id else ""
    what = f"the policy {policy}" if policy else "permissions"
    if event.agency or event.agency_id:
        what = f"what {called(event)} may do" + (f" under {policy}" if policy else "")
    return f"{who} tried to change {what}{in_place(event)}: {event.why}"


_CHANGED: Final = {field: own for field, own in THE_PERMISSION.items() if field != "service"}
EVENTS: Meanings = {
    PermissionGranted: Meaning(
        lambda event, _: f"{called(event)} may {_permits(event)}{in_place(event)}",
        standing,
        role="consequence",
        says=Says("granted", "agency", THE_PERMISSION | {"document": "document"}),
        service_is_used=True,
    ),
    PermissionRevoked: Meaning(
        _revoked_sentence,
        standing,
        role="consequence",
        says=Says("revoked", "agency", THE_PERMISSION | {"consequence_of": "consequence_of"}),
        service_is_used=True,
    ),
    PermissionsChanged: Meaning(
        lambda event, who: (
            f"{who} changed what {called(event)} may do{in_place(event)}; "
            f"the trace does not say how: {event.detail}"
        ),
        "on record only: the trace does not say which permissions changed",
        role="consequence",
        says=Says("evidence", "agency", _CHANGED),
        evolve=_agreed,
    ),
    PermissionChangeRefused: Meaning(_refused_sentence, ON_RECORD_ONLY),
}
