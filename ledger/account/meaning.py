"""The meaning of an event: the sentence that says it, what it changes, what it explains.

Each topic's file has a table EVENTS with one row an event, so that a new event is one class and
one row. Everything that speaks of events (the trail, replay, why) looks them up there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from ledger.account.answers import Thing
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.account.truth.fact import Call, Kind
from ledger.account.truth.lines import NOT_KNOWN
from ledger.account.truth.timeline import ASKED, EXISTS, EXPIRED
from ledger.messages import DomainEvent

Sentence = Callable[[Any, str], str]
"""The event in one sentence. Arguments: the event, and the name of its actor."""
Evolve = Callable[[State, Any, datetime], None]
"""Applies an event of its class, effective at that time. Never refuses."""
Role = Literal["change", "consequence", "cause"]
"""The part that an event plays in an answer to `why`:

change       it changes what is allowed, and may be the cause of other changes of its command
consequence  it changes what is allowed, and is never the cause of another change
cause        it changes nothing, and may be why its command changed something: a login, an attempt
"""

ON_RECORD_ONLY: Final = "on record only: nothing changes"


class Standing(NamedTuple):
    """How a thing stands in an account: "agency x", "exists", since when (None: never heard of)."""

    what: str
    state: str
    since: datetime | None

    @classmethod
    def of(cls, what: str, thing: Thing | None) -> Standing:
        """How an agency or a policy stands."""
        if thing is None:
            return cls(what, "does not exist", None)
        return cls(what, _WORDS.get(thing.status, "does not exist"), thing.since)


_WORDS: Final = {
    EXISTS: "exists",
    ASKED: "deletion asked for",
    EXPIRED: "expired",
    NOT_KNOWN: "not known whether it exists",
}
Stands = Callable[[Account, Any], Standing]
"""How the thing that an event of its class is about stands in an account."""


class Says(NamedTuple):
    """The fact that an event says to the fold of `ledger/account/truth`.

    `fields`: the fact's fields, each with the event's field whose value it has. Without a field for
    `at`, the fact happened at the event's effective time. `when`: the event's fields that must have
    a value for it to say the fact, each with that value. `needs_id`: an event that tells no id says
    nothing.
    """

    call: Call
    kind: Kind
    fields: Mapping[str, str]
    when: Mapping[str, str] = {}
    needs_id: bool = False


THE_AGENCY: Final = {"name": "agency", "id": "agency_id"}
THE_POLICY: Final = {"name": "policy", "id": "policy_id"}
ITS_DOCUMENT: Final = {
    "document": "document",
    "version": "document_version",
    "in_force": "in_force",
}
THE_PROJECT: Final = {"name": "region", "id": "project_id"}
THE_PERMISSION: Final = THE_AGENCY | {
    name: name for name in ("region", "project_id", "service", "policy", "policy_id")
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of a table EVENTS."""

    sentence: Sentence
    effect: Stands | str
    """How the thing stands that it changes: asked before it and after it, the difference is its
    effect. Of an event that changes none, its effect in words."""
    role: Role = "cause"
    says: Says | tuple[Says, ...] = ()
    """The fact that it says of what exists and what holds. Of several, it says the first that names
    a thing."""
    evolve: Evolve | None = None
    """Applies it to the rest of the state; None if its fact is all that it changes."""
    answers: type[DomainEvent] | None = None
    """The event that it answers: the latest one of the same service and region is its cause."""
    service_is_used: bool = False
    """Whether its `service` is one that the agency uses, and not the one that asks for consent."""
    who: Callable[[Any, Mapping[str, str]], str] | None = None
    """The name in the sentence, if it is not the actor's. Arguments: the event, and the names by
    surrogate id.
    """


Meanings = Mapping[type[DomainEvent], Meaning]
