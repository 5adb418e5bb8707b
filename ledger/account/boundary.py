"""Permissions boundaries: policies that limit what an agency may do, without granting anything."""

from __future__ import annotations

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.account.wording import called, called_policy
from ledger.messages import DomainEvent
from ledger.values import AgencyName, Line, PolicyName


class BoundarySet(DomainEvent):
    """From now on the policy limits what the agency may do."""

    TOPIC = "BoundarySet.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None


class BoundaryRemoved(DomainEvent):
    """No policy limits from now on what the agency may do: all that it was granted counts."""

    TOPIC = "BoundaryRemoved.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None


DECIDE: Decisions = {}
EVENTS: Meanings = {
    BoundarySet: Meaning(
        lambda event, who: (
            f"{who} limited {called(event)} to the boundary {called_policy(event)!r}"
        ),
        ON_RECORD_ONLY,
        role="change",
    ),
    BoundaryRemoved: Meaning(
        lambda event, who: f"{who} removed the boundary of {called(event)}",
        ON_RECORD_ONLY,
        role="change",
    ),
}
