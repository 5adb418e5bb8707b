"""Whether a stored row agrees with its entry: canonical bytes, columns with the same values, and an
event that it decodes to.

`fits` is the quick check that good rows pass; `differences` says what is wrong with a row that
does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from eventsourcing.persistence import StoredEvent
from pydantic_core import from_json, to_json

from ledger.clock import SET_BACK
from ledger.errors import LedgerError
from ledger.events import EVENTS
from ledger.persistence.columns import COLUMNS
from ledger.persistence.entry import check, format_fault, in_order, line, odd_value

_stream_version_topic = itemgetter(1, 2, 3)
KEY_ORDERS_MAX: Final = 1_000
_SORTED_KEYS: Final[set[tuple[str, ...]]] = set()


def faults(row: Sequence[Any], entry: bytes, before: int, recorded_at: str) -> list[str]:
    """The faults of a row, as sentences; empty if it has none.

    `before` is the position before it, `recorded_at` the recorded time of the entry before it.
    """
    if row[0] == before + 1 and fits(row, entry, recorded_at):
        return []
    return list(differences(row, entry, before, recorded_at))


def fits(row: Sequence[Any], entry: bytes, recorded_at: str) -> bool:
    """Whether the row agrees with its entry, and was not recorded before `recorded_at`."""
    try:
        fields = from_json(entry, allow_inf_nan=False)
        get = fields.get
        return (
            type(row[4]) is str
            and to_json(fields) == entry
            and _is_sorted(tuple(fields))
            and (get("stream"), get("version"), get("topic")) == _stream_version_topic(row)
            and type(fields["version"]) is type(row[2]) is int
            and format_fault(fields) is None
            and row[3] in _TOPICS
            and (fields["recorded_at"] >= recorded_at or _sets_back(fields, recorded_at))
            and odd_value(fields) is None
            and _meaning(row, entry) is None
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _meaning(row: Sequence[Any], entry: bytes) -> str | None:
    """Why an entry is not an event of its stream; None if it is one."""
    position, stream, version, topic = row[:4]
    try:
        check(StoredEvent(stream, version, topic, entry), position)
    except LedgerError as error:
        return error.message
    return None


def _sets_back(fields: dict[str, Any], recorded_at: str) -> bool:
    """Whether an entry says that recorded times begin anew after that time."""
    return fields.get("topic") == SET_BACK and fields.get("recorded_until") == recorded_at


def _is_sorted(keys: tuple[str, ...]) -> bool:
    """Whether these keys are in canonical order. Few key orders occur, so each is checked once."""
    if keys in _SORTED_KEYS:
        return True
    if list(keys) != in_order(keys):
        return False
    if len(_SORTED_KEYS) < KEY_ORDERS_MAX:
        _SORTED_KEYS.add(keys)
    return True


def differences(row: Sequence[Any], entry: bytes, before: int, recorded_at: str) -> Iterator[str]:
    """The faults of a row whose predecessor has the position `before`, as sentences."""
    if row[0] != before + 1:
        yield f"expected position {before + 1} here: an entry was removed, inserted or renumbered"
    try:
        entry.decode()
        fields = line(entry, "the entry")
    except UnicodeDecodeError as error:
        yield f"the entry is not valid UTF-8: {error}"
    except LedgerError as error:
        yield error.message
    else:
        found = [*_disagreements(row, fields)]
        yield from found
        if not found and (what := _meaning(row, entry)) is not None:
            yield what.removeprefix(f"position {row[0]} ")
        if str(fields.get("recorded_at")) < recorded_at and not _sets_back(fields, recorded_at):
            yield (
                f"its recorded time {fields.get('recorded_at')} is earlier than that of the entry "
                "before it"
            )


def _disagreements(row: Sequence[Any], fields: dict[str, Any]) -> Iterator[str]:
    topic = _readable(row[3])
    if topic not in _TOPICS:
        yield f"the topic {topic!r} is not known to this version of authledger"
    if (fault := format_fault(fields)) is not None:
        yield fault
    expected = {**fields, "entry": _readable(row[4])}
    for name, stored in zip(COLUMNS[1:], row[1:], strict=True):
        if not _same(expected.get(name), stored):
            yield (
                f"the column {name} holds {_shown(stored)}, but the entry says "
                f"{_shown(expected.get(name))}"
            )


def _same(expected: object, stored: object) -> bool:
    return type(expected) is type(stored) and expected == stored


def _readable(stored: object) -> str:
    return stored.decode(errors="backslashreplace") if isinstance(stored, bytes) else str(stored)


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"{_readable(value)!r} as bytes, not as text"
    return "nothing" if value is None else repr(value)


_TOPICS: Final = frozenset(event.TOPIC for event in EVENTS)
