"""The topics of the aggregate, composed: their decisions and their events.

A new event or command is added in its topic's file alone; the tables DECIDE and EVENTS of all
topics are merged here. A new topic is listed here.
"""

from __future__ import annotations

from ledger.account import (
    activity,
    agency,
    authorization,
    boundary,
    conflicting,
    console,
    delegation,
    later_reading,
    organization,
    permissions,
    policy,
    project,
    unmodelled,
    usage,
    witness,
)
from ledger.account.decision import Decisions
from ledger.account.meaning import Meanings

DECIDE: Decisions = {
    **console.DECIDE,
    **authorization.DECIDE,
    **agency.DECIDE,
    **policy.DECIDE,
    **usage.DECIDE,
}
EVENTS: Meanings = {
    **console.EVENTS,
    **authorization.EVENTS,
    **agency.EVENTS,
    **policy.EVENTS,
    **permissions.EVENTS,
    **project.EVENTS,
    **usage.EVENTS,
    **boundary.EVENTS,
    **delegation.EVENTS,
    **organization.EVENTS,
    **activity.EVENTS,
    **later_reading.EVENTS,
    **witness.EVENTS,
    **unmodelled.EVENTS,
    **conflicting.EVENTS,
}
