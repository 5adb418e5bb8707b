"""Compares a known trace that is delivered again with the entries that it has.

Copies of a trace differ in their envelopes, and one may tell more than another. So facts are
compared, and a field counts only if both copies tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ledger.account.conflicting import ConflictingTrace
from ledger.account.permissions import PermissionsChanged
from ledger.account.unmodelled import NotModelled
from ledger.messages import DomainEvent, Observation, Recorded
from ledger.subjects import SubjectRegistered
from ledger.trace_digest import READING, digest_of_facts

CONFLICT: Final = "#conflict:"
"""Follows a trace's command id in that of what another copy says, before a part of its digest."""
KIND: Final = "the kind of facts"
_LINE_CHARS_MAX: Final = 1_024


def digest_of(observation: Observation, actor: str | None, events: Sequence[DomainEvent]) -> str:
    """Identifies a trace's facts. Names are in it by surrogate ids: `actor`, and in `events`."""
    return f"{READING}:{_digest(observation, events, actor)}"


def _digest(observation: Observation, events: Sequence[DomainEvent], actor: str | None) -> str:
    its, at = observation, observation.effective_at
    return digest_of_facts(its.provider, its.account, at, actor, events)


def differences(
    observation: Observation,
    subjects: Mapping[str, str | None],
    entries: Sequence[Recorded],
    is_erased: Callable[[str], bool],
) -> list[str]:
    """The fields of a trace's entries that a copy contradicts; empty if it contradicts none.

    `subjects`: the surrogate ids of its names, by the field that they are for, `actor` too; None
    for a name that is not registered. `is_erased` says of a stored one whether its name was erased:
    then it is not known whether that was the same name.
    """
    entries = [each for each in entries if not isinstance(each.event, SubjectRegistered)]
    if [type(each.event) for each in entries] != [type(each) for each in observation.events]:
        return [KIND]
    found = ["the time"] if entries[0].effective_at != observation.effective_at else []
    stored = [{"actor": entry.actor, **entry.event.model_dump()} for entry in entries]
    for new, entry in zip(observation.events, stored, strict=True):
        found += _contradicted(new.model_dump(), entry)
        found += _other_names(subjects, entry, is_erased)
    return [*dict.fromkeys(found)]


def is_vague(events: Sequence[DomainEvent]) -> bool:
    """Whether a trace's facts say only that something changed: the trace leaves out what it was."""
    facts = [each for each in events if not isinstance(each, SubjectRegistered)]
    return all(
        isinstance(each, PermissionsChanged)
        or (isinstance(each, NotModelled) and each.outcome == "carried-out")
        for each in facts
    )


def _contradicted(new: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    for field, value in new.items():
        if value is not None and stored[field] is not None and value != stored[field]:
            yield field


def _other_names(
    subjects: Mapping[str, str | None], stored: Mapping[str, Any], is_erased: Callable[[str], bool]
) -> Iterator[str]:
    for field, subject in subjects.items():
        known = stored.get(field)
        if known is not None and known != subject and not is_erased(known):
            yield field


def conflict_of(observation: Observation, differs: Sequence[str]) -> ConflictingTrace:
    """The facts of a copy, without personal names: the same event however often it comes."""
    return ConflictingTrace(
        facts=tuple(line for event in observation.events for line in _lines(event)),
        differs=tuple(differs),
        digest=_digest(observation, observation.events, None),
    )


def _lines(event: DomainEvent) -> Iterator[str]:
    yield type(event).__name__
    for field, value in event.model_dump(mode="json", exclude_none=True).items():
        yield f"{field}={value}"[:_LINE_CHARS_MAX]
