"""Events as the fold's facts: each event's row in its topic's table EVENTS declares the fact.

Refusals say nothing of what exists. An event without an expiry whose cloud named a duration, or
which sets the expiry, says that the agency does not end by itself. An event that set a document,
and does not tell it, says that it is another one, which is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic_core import from_json

from ledger.account.meaning import Says
from ledger.account.topics import EVENTS
from ledger.account.truth.fact import FOREVER, NOT_TOLD, Fact
from ledger.messages import DomainEvent, Recorded
from ledger.values import instant

SAYS: Final[Mapping[type[DomainEvent], tuple[Says, ...]]] = {
    event: (meaning.says,) if isinstance(meaning.says, Says) else meaning.says
    for event, meaning in EVENTS.items()
    if meaning.says
}
"""The facts that events say: each event says the first of them that names a thing."""
FACT_TYPES: Final = tuple(sorted(event.__name__ for event in SAYS))
"""Their names, as the column `type` has them."""
_SAYS_BY_TOPIC: Final = {event.TOPIC: says for event, says in SAYS.items()}
_Field = Callable[[str], Any]
"""Returns the value of an event's field, or None."""


def fact_of(recorded: Recorded, position: int | None = None) -> Fact | None:
    """The fact that an event says; None if it says nothing of what exists or holds, as a use does
    of which it is not known whose it was.

    `position` orders the facts of one account; by default it is the entry's.
    """
    place = recorded.position if position is None else position
    assert place is not None, "an event has a position once it is appended"
    event = recorded.event
    said = _said(SAYS.get(type(event), ()), lambda name: getattr(event, name, None))
    if said is None:
        return None
    says, values = said
    return Fact(
        says.call,
        says.kind,
        values.pop("at", recorded.effective_at),
        place,
        actor=recorded.actor,
        origin=recorded.origin,
        trace=recorded.source.trace_id if recorded.source else None,
        **values,
    )


def fact_of_entry(entry: str | bytes, position: int) -> Fact | None:
    """The same from an entry's text, without making the event: a fold reads millions."""
    fields = from_json(entry)
    all_says = _SAYS_BY_TOPIC.get(fields["topic"])
    if all_says is None:
        return None
    happened, origin = fields["effective_at"], fields["origin"]  # Also of one that names no thing.
    said = _said(all_says, fields.get)
    if said is None:
        return None
    says, values = said
    until = values.get("expires_at")
    if isinstance(until, str):
        values["expires_at"] = instant(until)
    return Fact(
        says.call,
        says.kind,
        instant(values.pop("at", happened)),
        position,
        actor=fields.get("actor"),
        origin=origin,
        trace=fields.get("source_trace_id"),
        **values,
    )


def _said(all_says: Iterable[Says], field: _Field) -> tuple[Says, dict[str, Any]] | None:
    """Return the fact that an event says, and the fact's values; None if it names no thing."""
    for says in all_says:
        if says.when and any(field(name) != value for name, value in says.when.items()):
            continue
        values = {name: field(own) for name, own in says.fields.items()}
        if values.get("id") is None and (says.needs_id or values.get("name") is None):
            continue
        if "expires_at" in values and values["expires_at"] is None:
            values["expires_at"] = FOREVER if _is_for_ever(says, field) else None
        if "document" in values and values["document"] is None and _has_document(says, field):
            values["document"] = NOT_TOLD
        return says, values
    return None


def _is_for_ever(says: Says, field: _Field) -> bool:
    return says.call == "expiry set" or field("duration") is not None


def _has_document(says: Says, field: _Field) -> bool:
    """Whether the call set a document: of the permissions, only inline policies have one."""
    return says.call != "granted" or field("policy_kind") == "inline"


def facts_of(history: Iterable[Recorded]) -> Iterator[Fact]:
    """The facts of one account's events."""
    return (fact for recorded in history if (fact := fact_of(recorded)) is not None)
