"""The entry codec: an event in its envelope ↔ one flat line of canonical JSON (RFC 8785).

    {"account":"0a1b2c3d4e5f","actor":"p-…","agency":"asm_admin_trust",…,"version":3}

Keys sorted, no white space, UTF-8, absent values left out, times at fixed width. The bytes are
written once and never encoded again. Bytes that are read back must be exactly one such line.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, Final, cast, get_args

import orjson
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ledger.errors import CorruptEntry, InvalidInput, UnknownTopic
from ledger.messages import (
    ENVELOPE_FIELDS,
    DomainEvent,
    Established,
    Origin,
    Provenance,
    Recorded,
    event_class,
)
from ledger.streams import AccountKey, stream_of
from ledger.values import instant, instant_text

FORMAT: Final = 2
"""The format of an entry that says who ran the process (`run_by`)."""
FORMER_FORMAT: Final = 1
"""The format of an entry that does not: an older version appended it."""
ENTRY_BYTES_MAX: Final = 65_535
"""A tlog-tiles bundle gives an entry's length two bytes."""

_INTEGER_MAX: Final = 2**53 - 1
"""Numbers of RFC 8785 are doubles; whole ones are exact up to this value."""

_OPTIONAL = frozenset(
    {
        "provider",
        "account",
        "actor",
        "run_by",
        "database_user",
        "command_id",
        "correlation_id",
        "reason",
        "catalogue",
    }
)
_ORIGINS = get_args(Origin)
_ESTABLISHED = get_args(Established)
_SOURCE = ("source_trace_id", "source_file", "source_verified")
_ENVELOPE = ENVELOPE_FIELDS - {"position"}
"""The keys of an entry that are not its payload. The position is only a column."""


def encode(recorded: Recorded) -> bytes:
    """The entry's bytes. Raises InvalidInput if they would exceed 65,535."""
    try:  # All keys are ASCII. So their order is that of RFC 8785.
        state = orjson.dumps(_fields(recorded), option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise InvalidInput(
            f"A text of this {recorded.type} is not valid Unicode. Nothing was appended."
        ) from error
    if len(state) > ENTRY_BYTES_MAX:
        raise InvalidInput(
            f"This {recorded.type} has {len(state)} bytes; an entry may have {ENTRY_BYTES_MAX}. "
            "Nothing was appended.",
            remedy="Shorten its texts, or split it.",
        )
    return bytes(memoryview(state))  # A copy: orjson leaves some kilobytes behind each line.


def _fields(recorded: Recorded) -> dict[str, Any]:
    """The fields of an entry that have a value.

    Without a loop over the envelope's fields: an import asks for those of each entry.
    """
    fields = _payload(recorded.event)
    fields.update(_run_fields(recorded))
    fields["stream"] = recorded.stream
    fields["version"] = recorded.version
    fields["topic"] = recorded.event.TOPIC
    fields["recorded_at"] = instant_text(recorded.recorded_at)
    fields["effective_at"] = instant_text(recorded.effective_at)
    fields["origin"] = recorded.origin
    fields["actor_established"] = recorded.actor_established
    if recorded.provider is not None:
        fields["provider"] = recorded.provider
    if recorded.account is not None:
        fields["account"] = recorded.account
    if recorded.actor is not None:
        fields["actor"] = recorded.actor
    if recorded.command_id is not None:
        fields["command_id"] = recorded.command_id
    if recorded.correlation_id is not None:
        fields["correlation_id"] = recorded.correlation_id
    if recorded.reason is not None:
        fields["reason"] = recorded.reason
    if recorded.catalogue is not None:
        fields["catalogue"] = recorded.catalogue
    if (source := recorded.source) is not None:
        fields["source_trace_id"] = source.trace_id
        fields["source_verified"] = source.verified
        if source.file is not None:
            fields["source_file"] = source.file
    return fields


def _run_fields(recorded: Recorded) -> dict[str, Any]:
    """The format of an entry, and who ran the process, which decides about it."""
    if recorded.run_by is None:
        return {"format": FORMER_FORMAT}
    if recorded.database_user is None:
        return {"format": FORMAT, "run_by": recorded.run_by}
    return {
        "format": FORMAT,
        "run_by": recorded.run_by,
        "database_user": recorded.database_user,
    }


def _payload(event: DomainEvent) -> dict[str, Any]:
    fields = {name: value for name, value in event.__dict__.items() if value is not None}
    for name in _times(type(event)):
        if name in fields:
            fields[name] = instant_text(fields[name])
    return fields


@cache
def _times(event_type: type[DomainEvent]) -> tuple[str, ...]:
    """The names of an event's times.

    All other values of a payload are written unchanged: texts, whole numbers, lists of texts.
    """
    payload = event_type.model_fields
    return tuple(name for name, field in payload.items() if _is_time(field.annotation))


def _is_time(annotation: object) -> bool:
    return annotation is datetime or any(map(_is_time, get_args(annotation)))


def decode(stored: StoredEvent, position: int | None = None) -> Recorded:
    """The inverse of `encode`. Raises CorruptEntry or UnknownTopic with the entry's place.

    The entry must agree with its columns `stream`, `version` and `topic`.
    """
    place = f"{stored.originator_id} version {stored.originator_version}"
    if position is not None:
        place = f"position {position} ({place})"
    fields = line(stored.state, place)
    for name, column in (
        ("stream", stored.originator_id),
        ("version", stored.originator_version),
        ("topic", stored.topic),
    ):
        if fields.get(name) != column or isinstance(fields[name], bool):
            raise CorruptEntry(
                f"{place}: the entry's {name} is {fields.get(name)!r}, the column's {column!r}."
            )
    if (fault := format_fault(fields)) is not None:
        raise CorruptEntry(f"{place}: {fault}.")
    try:
        event_type = event_class(stored.topic)
    except UnknownTopic as error:
        raise UnknownTopic(f"{place}: {error.message}", remedy=error.remedy) from None
    try:
        return Recorded(
            position=position,
            stream=fields["stream"],
            version=fields["version"],
            event=_event(event_type, fields),
            recorded_at=_instant(fields, "recorded_at"),
            effective_at=_instant(fields, "effective_at"),
            origin=_one_of(fields, "origin", _ORIGINS),
            actor_established=_one_of(fields, "actor_established", _ESTABLISHED),
            source=_source(fields),
            **_texts(fields),
        )
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise CorruptEntry(
            f"{place}: the entry is not a valid {event_type.__name__}: {error}"
        ) from error


def format_fault(fields: dict[str, Any]) -> str | None:
    """Describe what is wrong with an entry's format; None if it has the one of its fields."""
    found = fields.get("format")
    expected = FORMAT if "run_by" in fields else FORMER_FORMAT
    if type(found) is not int or found != expected:
        return f"the entry's format is {found!r}, expected {expected}"
    if "database_user" in fields and expected != FORMAT:
        return "the entry has a database_user but no run_by"
    return None


def check(stored: StoredEvent, position: int | None = None) -> None:
    """Raises CorruptEntry or UnknownTopic unless this program could have written the entry: it
    decodes, with no field beyond, and is in the stream of its event and account.
    """
    entry = decode(stored, position)
    key = entry.provider, entry.account
    account = None if None in key else cast(AccountKey, key)
    try:
        stream = stream_of(entry.event, account)
    except ValueError as error:
        stream = str(error)
    if stream != entry.stream or (account is None and key != (None, None)):
        place = f"{entry.stream} version {entry.version}"
        raise CorruptEntry(
            f"{place if position is None else f'position {position} ({place})'}: the stream is not "
            f"that of its {entry.type}: {stream}."
        )


def _canonical(fields: dict[str, Any]) -> bytes:
    """One line by RFC 8785. An entry is flat, so only its own keys have to be sorted."""
    return to_json({name: fields[name] for name in in_order(fields)})


def in_order(names: Iterable[str]) -> list[str]:
    """Sorted by UTF-16 code units, as RFC 8785 requires. For ASCII that is the usual order."""
    found = sorted(names)
    return found if "".join(found).isascii() else sorted(found, key=_utf16)


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def odd_value(fields: dict[str, Any]) -> str | None:
    """Describe the first value that no entry may have; None if there is none.

    Values are texts, whole numbers that are exact as doubles, true and false, and lists of texts.
    """
    for value in fields.values():
        kind = type(value)
        if kind is str or kind is bool:
            continue
        if kind is float:  # 3.0 equals 3, but is written otherwise.
            return "a number that is not whole"
        if kind is int and abs(value) > _INTEGER_MAX:
            return f"a number beyond {_INTEGER_MAX}"
        if kind is not int and not (kind is list and all(type(each) is str for each in value)):
            return "a value that is neither text nor number, true, false or a list of texts"
    return None


def _event(event_type: type[DomainEvent], fields: dict[str, Any]) -> DomainEvent:
    """The payload's event. Each value must be written as `encode` writes it: nothing is coerced."""
    payload = {name: value for name, value in fields.items() if name not in _ENVELOPE}
    event = event_type.model_validate(payload)
    if event.model_dump(mode="json", exclude_unset=True, exclude_none=True) != payload:
        raise ValueError("a value of the payload is not written as this program writes it")
    return event


def _instant(fields: dict[str, Any], name: str) -> datetime:
    at = instant(fields[name])
    if instant_text(at) != fields[name]:
        raise ValueError(f"{name} is not a UTC time with six decimals: {fields[name]}")
    return at


def _one_of(fields: dict[str, Any], name: str, words: tuple[str, ...]) -> Any:
    if fields[name] not in words:
        raise ValueError(f"{name} is {fields[name]!r}, not one of {', '.join(words)}")
    return fields[name]


def _texts(fields: dict[str, Any]) -> dict[str, Any]:
    """The optional fields that are present. Their values are texts."""
    return {name: _text(fields, name) for name in _OPTIONAL & fields.keys()}


def _text(fields: dict[str, Any], name: str) -> Any:
    value = fields.get(name)
    if name in fields and not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a text")
    return value


def _source(fields: dict[str, Any]) -> Provenance | None:
    if fields.keys().isdisjoint(_SOURCE):
        return None
    if type(fields["source_verified"]) is not bool:
        raise ValueError(f"source_verified is {fields['source_verified']!r}, not true or false")
    if "source_trace_id" not in fields:
        raise ValueError("the entry has a source but no source_trace_id")
    return Provenance(
        trace_id=_text(fields, "source_trace_id"),
        file=_text(fields, "source_file"),
        verified=fields["source_verified"],
    )


def line(state: object, place: str) -> dict[str, Any]:
    """The fields of an entry, which is one line of canonical JSON. Raises CorruptEntry."""
    try:
        fields = from_json(cast(bytes, state), allow_inf_nan=False)
        canonical = _canonical(fields) if isinstance(fields, dict) else b""
    except (ValueError, TypeError) as error:
        raise CorruptEntry(f"{place}: the entry is not one line of JSON: {error}") from error
    if not isinstance(fields, dict):
        raise CorruptEntry(f"{place}: the entry is a {type(fields).__name__}, not an object.")
    if (odd := odd_value(fields)) is not None:
        raise CorruptEntry(f"{place}: the entry holds {odd}.")
    if canonical != state:  # White space, another order, a needless escape, a repeated key.
        raise CorruptEntry(f"{place}: the entry is not written as canonical JSON (RFC 8785).")
    return fields


_RECORDED_AT = b'"recorded_at":"'
_INSTANT_BYTES = len("2026-03-01T09:30:00.000000Z")


def recorded_at_of(state: bytes) -> bytes | None:
    """The recorded time in an entry's bytes; None if there is none.

    The key cannot occur in a value, because its quotes would be escaped there.
    """
    start = state.find(_RECORDED_AT)
    if start < 0:
        return None
    start += len(_RECORDED_AT)
    return state[start : start + _INSTANT_BYTES]


def command_id_of(state: bytes | str) -> str | None:
    """The command or trace that an entry belongs to; None if it has none, or is not an entry."""
    return text_in(state, "command_id")


def text_in(state: bytes | str, name: str) -> str | None:
    """The text that an entry has under this name; None if it has none, or is not an entry."""
    try:
        fields = from_json(state)
    except ValueError:
        return None
    found = fields.get(name) if isinstance(fields, dict) else None
    return found if isinstance(found, str) else None


def type_of(topic: str) -> str:
    """The event's name: the topic without its version."""
    return topic.partition(".")[0]


def stamped(state: bytes, recorded_at: bytes) -> bytes:
    """The same entry with another recorded time, of the same width."""
    start = state.find(_RECORDED_AT) + len(_RECORDED_AT)
    return state[:start] + recorded_at + state[start + _INSTANT_BYTES :]


class Encoded(StoredEvent):
    """An event that `encode` wrote: it need not be decoded to know that it is one."""


def admit(stored_events: Iterable[StoredEvent]) -> None:
    """Check what is about to be appended, unless this codec wrote it. Raises CorruptEntry,
    UnknownTopic: an entry that cannot be read would end every later command on its stream.
    """
    for stored in stored_events:
        if type(stored) is not Encoded:
            try:
                check(stored)
            except (CorruptEntry, UnknownTopic) as error:
                error.message += " Nothing was appended."
                raise


class EntryMapper(Mapper[str]):
    """The library's interface: domain event ↔ stored event. A topic never chooses an import."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        assert isinstance(domain_event, Recorded)
        return Encoded(
            originator_id=domain_event.stream,
            originator_version=domain_event.version,
            topic=domain_event.event.TOPIC,
            state=encode(domain_event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        return cast(
            DomainEventProtocol[str], decode(stored_event, getattr(stored_event, "id", None))
        )
