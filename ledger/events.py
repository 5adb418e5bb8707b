"""All events of this program, what each means, and the sentence that says it.

Importing this module makes every topic known: the files of all events are imported here, and only
here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ledger import clock_set_back, erased_documents, subjects
from ledger.account import permissions, topics
from ledger.account.activity import TRACE_CHARS, TRACES_KEPT_MAX
from ledger.account.meaning import Meaning, Meanings
from ledger.account.witness import switches
from ledger.documents import FIELDS
from ledger.log import key_events
from ledger.messages import DomainEvent, Recorded

__all__ = [
    "BY_NAME",
    "DOCUMENT_TYPES",
    "EVENTS",
    "TRACES_KEPT_MAX",
    "TRACE_CHARS",
    "actor_of",
    "sentence",
    "subjects_of",
    "switches",
]

EVENTS: Final[Meanings] = {
    **topics.EVENTS,
    **subjects.EVENTS,
    **erased_documents.EVENTS,
    **key_events.EVENTS,
    **clock_set_back.EVENTS,
}
BY_NAME: Final[Mapping[str, Meaning]] = {
    event.__name__: meaning for event, meaning in EVENTS.items()
}
"""The same by the event's name, as the column `type` has it."""
DOCUMENT_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    field: tuple(
        event.__name__
        for event in EVENTS
        if field in event.model_fields and event is not erased_documents.DocumentErased
    )
    for field in FIELDS
}
"""By field, the types of the events that refer to a document by its digest there."""
CONSENTS: Final[Mapping[str, str]] = permissions.CONSENTS
"""By the call of a consent in a console, the service that got it."""
_BEHIND: Final = {
    "session": "session_name",
    "source identity": "source_identity",
    "switched by": "switched_by",
}
"""How a sentence calls what is behind a session: the fields of events, which hold surrogate ids."""
_SUBJECT_FIELDS: Final = ("address", "subject", *_BEHIND.values())
"""The fields of events that hold surrogate ids; the envelope's is `actor`."""


def sentence(entry: Recorded, names: Mapping[str, str]) -> str:
    """One sentence: who did what where, and how it ended.

    `names` has the names behind the ids of `subjects_of` the entry; one that it lacks is taken
    for one that is not kept.
    """
    meaning = EVENTS[type(entry.event)]
    if meaning.who is not None:  # It is not about the actor, nor is the trace, nor the reason.
        return meaning.sentence(entry.event, meaning.who(entry.event, names))
    text = meaning.sentence(entry.event, actor_of(entry, names)) + _session(entry.event, names)
    if entry.origin == "observed":
        text += " (seen in a trace)"
    # A consequence has the reason of what it follows from.
    if entry.reason and not getattr(entry.event, "consequence_of", None):
        text += f"; reason: {entry.reason}"
    return text


def _session(event: DomainEvent, names: Mapping[str, str]) -> str:
    """The session of an event: its name, and the person behind it, if it has them."""
    known = {
        title: names.get(subject, subject)
        for title, field in _BEHIND.items()
        if (subject := getattr(event, field, None))
    }
    return "".join(f", {title} {name}" for title, name in known.items())


def actor_of(entry: Recorded, names: Mapping[str, str]) -> str:
    """The actor's name; the surrogate id if the name is not kept; "somebody" if none is known."""
    return "somebody" if entry.actor is None else names.get(entry.actor, entry.actor)


def subjects_of(entry: Recorded) -> Iterator[str]:
    """The surrogate ids in an entry: of its actor, and of people and addresses that it names.

    That of its file is not among them: no sentence names the file.
    """
    ids = (entry.actor, *(getattr(entry.event, name, None) for name in _SUBJECT_FIELDS))
    return (subject for subject in ids if subject)
