"""Today's events as the fold's facts, so that a real ledger can be folded.

| event | fact |
|---|---|
| AgencyCreated, AgencyDeleted, AgencyTrustChanged | agency created, deleted, trust set |
| PermissionGranted, PermissionRevoked | granted, revoked |
| PolicyCreated, PolicyDeleted | policy created, deleted |
| PolicyChanged | evidence that the policy exists |
| PermissionsChanged, TemporaryCredentialIssued, FeatureUsed | evidence that the agency exists |

The events do not hold ids of grants, expiries, projects and renamings yet. Refusals prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from ledger.account.agency import AgencyCreated, AgencyDeleted, AgencyTrustChanged
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.truth.fact import Call, Fact, Kind
from ledger.account.usage import FeatureUsed, TemporaryCredentialIssued
from ledger.messages import DomainEvent, Recorded

Fields = Callable[[Any], dict[str, Any]]


def _agency(event: Any) -> dict[str, Any]:
    return {"name": event.agency}


def _identified(event: AgencyCreated | AgencyDeleted) -> dict[str, Any]:
    return {"name": event.agency, "id": event.agency_id}


def _created(event: AgencyCreated) -> dict[str, Any]:
    return {**_identified(event), "trustee": event.trustee}


def _trusted(event: AgencyTrustChanged) -> dict[str, Any]:
    return {"name": event.agency, "trustee": event.trustee}


def _permission(event: PermissionGranted | PermissionRevoked) -> dict[str, Any]:
    return {
        "name": event.agency,
        "region": event.region,
        "service": event.service,
        "policy": event.policy,
    }


def _revoked(event: PermissionRevoked) -> dict[str, Any]:
    return {**_permission(event), "consequence_of": event.consequence_of}


def _policy(event: PolicyCreated | PolicyDeleted) -> dict[str, Any]:
    return {"name": event.policy, "id": event.policy_id}


def _policy_name(event: PolicyChanged) -> dict[str, Any]:
    return {"name": event.policy}


FACTS: Final[dict[type[DomainEvent], tuple[Call, Kind, Fields]]] = {
    AgencyCreated: ("created", "agency", _created),
    AgencyDeleted: ("deleted", "agency", _identified),
    AgencyTrustChanged: ("trust set", "agency", _trusted),
    PermissionGranted: ("granted", "agency", _permission),
    PermissionRevoked: ("revoked", "agency", _revoked),
    PermissionsChanged: ("evidence", "agency", _agency),
    TemporaryCredentialIssued: ("evidence", "agency", _agency),
    FeatureUsed: ("evidence", "agency", _agency),
    PolicyCreated: ("created", "policy", _policy),
    PolicyDeleted: ("deleted", "policy", _policy),
    PolicyChanged: ("evidence", "policy", _policy_name),
}


def fact_of(recorded: Recorded) -> Fact | None:
    """The fact that an appended event says; None if it says nothing of what exists or holds."""
    row = FACTS.get(type(recorded.event))
    if row is None:
        return None
    call, kind, fields = row
    assert recorded.position is not None, "an event has a position once it is appended"
    return Fact(
        call,
        kind,
        recorded.effective_at,
        recorded.position,
        actor=recorded.actor,
        origin=recorded.origin,
        trace=recorded.source.trace_id if recorded.source else None,
        **fields(recorded.event),
    )


def facts_of(history: Iterable[Recorded]) -> Iterator[Fact]:
    """The facts of one account's events."""
    return (fact for recorded in history if (fact := fact_of(recorded)) is not None)
