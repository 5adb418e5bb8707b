"""Whether a stored row is what its entry says: canonical bytes, and columns that agree with them.

`fits` looks at a good row as quickly as it can be looked at; `differences` says what is wrong with
one that does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, Final

from pydantic_core import from_json, to_json

from ledger.errors import LedgerError
from ledger.events import EVENTS
from ledger.persistence.columns import COLUMNS, DERIVED_COLUMNS
from ledger.persistence.entry import FORMAT, in_order, line, odd_value

_FIRST: Final = COLUMNS.index(DERIVED_COLUMNS[0])
_own = itemgetter(1, 2, 3)
SHAPES_MAX: Final = 1_000
_SORTED: Final[set[tuple[str, ...]]] = set()


def faults(row: Sequence[Any], entry: bytes, before: int, recorded_at: str) -> list[str]:
    """What is wrong with a row that follows on position `before` and that recorded time."""
    if row[0] == before + 1 and fits(row, entry, recorded_at):
        return []
    return list(differences(row, entry, before, recorded_at))


def fits(row: Sequence[Any], entry: bytes, recorded_at: str) -> bool:
    """Whether all is well. `recorded_at` is that of the entry before."""
    try:
        fields = from_json(entry, allow_inf_nan=False)
        get = fields.get
        return (
            type(row[4]) is str
            and to_json(fields) == entry
            and _is_sorted(tuple(fields))
            and (get("stream"), get("version"), get("topic")) == _own(row)
            and type(fields["version"]) is int
            and get("format") == FORMAT
            and row[5] == _TYPES.get(row[3])
            and tuple(map(get, DERIVED_COLUMNS)) == tuple(row[_FIRST:])
            and fields["recorded_at"] >= recorded_at
            and odd_value(fields) is None
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def _is_sorted(keys: tuple[str, ...]) -> bool:
    """Entries have few shapes, so each is looked at once."""
    if keys in _SORTED:
        return True
    if list(keys) != in_order(keys):
        return False
    if len(_SORTED) < SHAPES_MAX:
        _SORTED.add(keys)
    return True


def differences(row: Sequence[Any], entry: bytes, before: int, recorded_at: str) -> Iterator[str]:
    """What is wrong with a row that follows on position `before`."""
    if row[0] != before + 1:
        yield f"it follows on position {before}: one was taken out, put in or renumbered"
    try:
        entry.decode()
        fields = line(entry, "the entry")
    except UnicodeDecodeError as error:
        yield f"the entry is no UTF-8: {error}"
    except LedgerError as error:
        yield error.message
    else:
        yield from _disagreements(row, fields)
        if str(fields.get("recorded_at")) < recorded_at:
            yield f"it was recorded at {fields.get('recorded_at')}, before the entry before it"


def _disagreements(row: Sequence[Any], fields: dict[str, Any]) -> Iterator[str]:
    topic = _text(row[3])
    if topic not in _TYPES:
        yield f"the topic {topic!r} is none of this program's events"
    if fields.get("format") is True or fields.get("format") != FORMAT:
        yield f"the entry has the format {fields.get('format')!r}, not {FORMAT}"
    said = {**fields, "type": _TYPES.get(topic), "entry": _text(row[4])}
    for name, stored in zip(COLUMNS[1:], row[1:], strict=True):
        if not _same(said.get(name), stored):
            yield f"the stored {name} is {_shown(stored)}, the entry's {_shown(said.get(name))}"


def _same(said: object, stored: object) -> bool:
    return type(said) is type(stored) and said == stored


def _text(stored: object) -> str:
    return stored.decode(errors="backslashreplace") if isinstance(stored, bytes) else str(stored)


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return f"{_text(value)!r}, as bytes and no text"
    return "absent" if value is None else repr(value)


_TYPES: Final = {event.TOPIC: event.TOPIC.partition(".")[0] for event in EVENTS}
