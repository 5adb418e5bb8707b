"""Events as the fold's facts: each event's row in its topic's table EVENTS declares the fact.

Refusals say nothing of what exists. An event without an expiry whose cloud named a duration, or
which sets the expiry, says that the agency does not end by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import from_json

from ledger.account.meaning import Says
from ledger.account.topics import EVENTS
from ledger.account.truth.fact import FOREVER, Fact
from ledger.messages import DomainEvent, Recorded
from ledger.values import instant

SAYS: Final[Mapping[type[DomainEvent], Says]] = {
    event: meaning.says for event, meaning in EVENTS.items() if meaning.says is not None
}
"""The events that say a fact."""
FACT_TYPES: Final = tuple(sorted(event.__name__ for event in SAYS))
"""Their names, as the column `type` has them."""
_SAYS_BY_TOPIC: Final = {event.TOPIC: says for event, says in SAYS.items()}


def fact_of(recorded: Recorded, position: int | None = None) -> Fact | None:
    """The fact that an event says; None if it says nothing of what exists or holds, as a use does
    of which it is not known whose it was.

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
    return _of_a_thing(
        Fact(
            says.call,
            says.kind,
            recorded.effective_at,
            place,
            actor=recorded.actor,
            origin=recorded.origin,
            trace=recorded.source.trace_id if recorded.source else None,
            **values,
        )
    )


def fact_of_entry(entry: str | bytes, position: int) -> Fact | None:
    """The same from an entry's text, without making the event: a fold reads millions."""
    fields = from_json(entry)
    says = _SAYS_BY_TOPIC.get(fields["topic"])
    if says is None:
        return None
    values: dict[str, Any] = {field: fields.get(own) for field, own in says.fields.items()}
    if "expires_at" in values:
        until = values["expires_at"]
        for_ever = says.call == "expiry set" or "duration" in fields
        values["expires_at"] = instant(until) if until else FOREVER if for_ever else None
    return _of_a_thing(
        Fact(
            says.call,
            says.kind,
            instant(fields["effective_at"]),
            position,
            actor=fields.get("actor"),
            origin=fields["origin"],
            trace=fields.get("source_trace_id"),
            **values,
        )
    )


def _of_a_thing(fact: Fact) -> Fact | None:
    return None if fact.id is None and fact.name is None else fact


def _is_for_ever(says: Says, event: Any) -> bool:
    return says.call == "expiry set" or event.duration is not None


def facts_of(history: Iterable[Recorded]) -> Iterator[Fact]:
    """The facts of one account's events."""
    return (fact for recorded in history if (fact := fact_of(recorded)) is not None)
