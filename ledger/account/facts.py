"""Events as the fold's facts: each event's row in its topic's table EVENTS declares the fact.

Refusals say nothing of what exists. An event without an expiry whose cloud named a duration, or
which sets the expiry, says that the agency does not end by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ledger.account.account import EVENTS
from ledger.account.meaning import Says
from ledger.account.truth.fact import FOREVER, Fact
from ledger.messages import DomainEvent, Recorded

SAYS: Final[Mapping[type[DomainEvent], Says]] = {
    event: meaning.says for event, meaning in EVENTS.items() if meaning.says is not None
}
"""The events that say a fact."""


def fact_of(recorded: Recorded, position: int | None = None) -> Fact | None:
    """The fact that an event says; None if it says nothing of what exists or holds.

    `position` orders the facts of one account; by default it is the entry's.
    """
    says = SAYS.get(type(recorded.event))
    if says is None:
        return None
    place = recorded.position if position is None else position
    assert place is not None, "an event has a position once it is appended"
    event = recorded.event
    values: dict[str, Any] = {field: getattr(event, own) for field, own in says.fields.items()}
    if "expires_at" in values and values["expires_at"] is None and _is_for_ever(says, event):
        values["expires_at"] = FOREVER
    return Fact(
        says.call,
        says.kind,
        recorded.effective_at,
        place,
        actor=recorded.actor,
        origin=recorded.origin,
        trace=recorded.source.trace_id if recorded.source else None,
        **values,
    )


def _is_for_ever(says: Says, event: Any) -> bool:
    return says.call == "expiry set" or event.duration is not None


def facts_of(history: Iterable[Recorded]) -> Iterator[Fact]:
    """The facts of one account's events."""
    return (fact for recorded in history if (fact := fact_of(recorded)) is not None)
