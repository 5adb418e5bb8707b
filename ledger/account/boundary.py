"""Permissions boundaries: policies that limit what an agency may do, without granting anything."""

from __future__ import annotations

from ledger.account.decision import Decisions
from ledger.account.meaning import THE_AGENCY, Meaning, Meanings, Says, Standing
from ledger.account.questions import Account
from ledger.account.truth.lines import NOT_KNOWN
from ledger.account.truth.timeline import ENDED
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


def standing(account: Account, event: BoundarySet | BoundaryRemoved) -> Standing:
    what, limit = f"boundary of {called(event)}", account.value("boundary", called(event))
    if limit is None or limit.status in (NOT_KNOWN, ENDED):
        return Standing(what, "not known" if limit else "none told", limit and limit.since)
    named = "none" if limit.value is None else str(limit.value or "a policy that is not named")
    return Standing(what, named, limit.since)


DECIDE: Decisions = {}
EVENTS: Meanings = {
    BoundarySet: Meaning(
        lambda event, who: (
            f"{who} limited {called(event)} to the boundary {called_policy(event)!r}"
        ),
        standing,
        role="change",
        says=Says(
            "boundary set", "agency", THE_AGENCY | {"policy": "policy", "policy_id": "policy_id"}
        ),
    ),
    BoundaryRemoved: Meaning(
        lambda event, who: f"{who} removed the boundary of {called(event)}",
        standing,
        role="change",
        says=Says("boundary removed", "agency", THE_AGENCY),
    ),
}
