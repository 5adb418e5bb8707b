"""What an agency may do where: granted and revoked a service, or a policy, at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from ledger.account.decision import Evolutions
from ledger.account.state import Account, PermissionKey, Timeline
from ledger.catalogue import Service
from ledger.messages import DomainEvent
from ledger.values import AgencyName, Line, PolicyName, Region, ServiceCode

PolicyKind = Literal["custom", "system", "managed", "inline"]
Cause = Literal["AuthorizationRevoked", "AgencyDeleted", "PolicyDeleted"]


class PermissionGranted(DomainEvent):
    """The agency may use a service, or acts under a policy, in one region (`*`: in all)."""

    TOPIC = "PermissionGranted.v1"

    agency: AgencyName
    region: Region
    service: ServiceCode | None = None
    policy: PolicyName | None = None
    policy_kind: PolicyKind | None = None


class PermissionRevoked(DomainEvent):
    """The agency may no longer. `consequence_of` names the event that ended it, if one did."""

    TOPIC = "PermissionRevoked.v1"

    agency: AgencyName
    region: Region
    service: ServiceCode | None = None
    policy: PolicyName | None = None
    consequence_of: Cause | None = None


class PermissionsChanged(DomainEvent):
    """The cloud changed what the agency may do; its trace does not say how."""

    TOPIC = "PermissionsChanged.v1"

    agency: AgencyName
    region: Region | None = None
    policy: PolicyName | None = None
    detail: Line


class PermissionChangeRefused(DomainEvent):
    """Somebody tried to change what an agency may do, or a policy, and was refused."""

    TOPIC = "PermissionChangeRefused.v1"

    agency: AgencyName | None = None
    region: Region | None = None
    policy: PolicyName | None = None
    why: Line
    outcome: Literal["refused"] = "refused"


def evolve(
    account: Account,
    event: PermissionGranted | PermissionRevoked | PermissionsChanged,
    at: datetime,
) -> None:
    if isinstance(event, PermissionsChanged):
        return  # What is unknown changes no answer; the trail shows that something happened.
    key = PermissionKey(event.agency, event.region, event.service, event.policy)
    known = account.permissions.setdefault(event.agency, {}).setdefault(key, Timeline())
    known.learn(isinstance(event, PermissionGranted), at)


def revoked(key: PermissionKey, cause: Cause) -> PermissionRevoked:
    return PermissionRevoked(**key._asdict(), consequence_of=cause)


def missing_permissions(
    account: Account, service: Service, region: str, at: datetime
) -> tuple[PermissionKey, ...]:
    """What consent gives in a region by the catalogue of that day and the account has not now."""
    missing = []
    for agency in service.baseline_at(at).agencies:
        granted = account.permitted_services(agency.name, region)
        missing += [
            PermissionKey(agency.name, region, code, agency.policy)
            for code in agency.services
            if code not in granted
        ]
    return tuple(missing)


def end_of(account: Account, key: PermissionKey, at: datetime) -> tuple[datetime, Cause] | None:
    """When a permission granted at that time ended with its agency or policy, as known by now.

    None if neither has been deleted since, or if news of the permission itself lies between.
    """
    ends = list(_deletions(account.agencies.get(key.agency), at, "AgencyDeleted"))
    if key.policy is not None:
        ends += _deletions(account.policies.get(key.policy), at, "PolicyDeleted")
    if not ends:
        return None
    end = min(ends)
    later = next(account.permissions[key.agency][key].after(at), None)
    return end if later is None or later[0] > end[0] else None


def _deletions(
    known: Timeline[str | None] | None, at: datetime, cause: Cause
) -> Iterator[tuple[datetime, Cause]]:
    if known is None:
        return
    if known.at(at) is None and known.last_change(at) == at:
        yield at, cause  # Granted and deleted at the same instant: the deletion is the end.
    for deleted_at, value in known.after(at):
        if value is None:
            yield deleted_at, cause
            return


EVOLVE: Evolutions = dict.fromkeys(
    (PermissionGranted, PermissionRevoked, PermissionsChanged), evolve
)
