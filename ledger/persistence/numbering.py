"""Numbers events under the append lock, so that recorded times never decrease along positions; and
finds a position by its recorded time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from ledger.clock import SET_BACK
from ledger.errors import CorruptEntry
from ledger.persistence.entry import recorded_at_of, stamped, text_in
from ledger.persistence.side_tables import Clock
from ledger.values import instant, instant_text

SET_BACKS: Final = "SELECT position FROM {events} WHERE stream = 'clock' ORDER BY position DESC"
"""Selects the positions with which recorded times began anew, the last one first."""


class Numbered(NamedTuple):
    """An event with its position, ready to be stored; `state` is the entry's bytes."""

    position: int
    stream: str
    version: int
    topic: str
    state: bytes


def numbered(
    last: int,
    recorded_at: str | None,
    stored_events: Iterable[StoredEvent],
    clock: Clock | None = None,
) -> tuple[list[Numbered], str]:
    """The rows that follow position `last`, which was recorded at that time; and their latest time.

    Raises CorruptEntry if that time is not valid: an altered time must not spread to new entries.
    Raises what `clock` raises.
    """
    latest = _sound(last, recorded_at)
    if clock is not None:
        clock.check(recorded_at)
    rows = []
    for position, stored in enumerate(stored_events, start=last + 1):
        state, at = stored.state, recorded_at_of(stored.state)
        if at is not None:
            if at < latest and stored.topic != SET_BACK:
                state = stamped(state, latest)
            else:
                latest = at
        rows.append(
            Numbered(
                position, key(stored.originator_id), stored.originator_version, stored.topic, state
            )
        )
    return rows, latest.decode()


def recorded_in(entry: str | bytes | None) -> str | None:
    """The recorded time of an entry; None if there is no entry, or it has no recorded time."""
    state = entry.encode(errors="surrogateescape") if isinstance(entry, str) else entry
    if not state:
        return None
    at = recorded_at_of(state)  # It takes a tenth of the time of parsing the entry.
    return text_in(state, "recorded_at") if at is None else at.decode(errors="backslashreplace")


def last_recorded_by(
    recorded_at: str,
    last: int,
    recorded: Callable[[int], str | None],
    set_backs: Iterable[int] = (),
) -> int:
    """The last position recorded at that time or before; 0 if there is none.

    `set_backs`: the positions, the last one first, with which recorded times began anew. The answer
    is among the entries that follow the last of them that was recorded by then.
    """
    low = 0
    for first in set_backs:
        if (recorded(first) or recorded_at) <= recorded_at:
            low = first
            break
        last = first - 1
    return _last_in_order(recorded_at, low, last, recorded)


def _last_in_order(
    recorded_at: str, low: int, high: int, recorded: Callable[[int], str | None]
) -> int:
    """Within some positions recorded times never decrease, so it takes some twenty steps."""
    while low < high:
        middle = (low + high + 1) // 2
        at = recorded(middle)
        if at is not None and at <= recorded_at:
            low = middle
        else:
            high = middle - 1
    return low


def key(originator_id: UUID | str) -> str:
    """The name of a stream as it is stored."""
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


def _sound(position: int, recorded_at: str | None) -> bytes:
    if recorded_at is None:
        return b""
    try:
        sound = instant_text(instant(recorded_at)) == recorded_at
    except ValueError:
        sound = False
    if not sound:
        raise CorruptEntry(f"position {position}: the recorded time {recorded_at!r} is not valid.")
    return recorded_at.encode()


def streams_from(parameter: str) -> str:
    """A statement that finds the streams between two names. It reads one index entry for each."""
    return f"""
        WITH RECURSIVE found(stream, until) AS (
            SELECT (SELECT min(stream) FROM events WHERE stream > b.first AND stream < b.until),
                   b.until
            FROM (SELECT CAST({parameter} AS text) AS first, CAST({parameter} AS text) AS until) b
            UNION ALL
            SELECT (SELECT min(e.stream) FROM events e
                    WHERE e.stream > found.stream AND e.stream < found.until), found.until
            FROM found WHERE found.stream IS NOT NULL
        )
        SELECT stream FROM found WHERE stream IS NOT NULL
    """


def streams_between(prefix: str) -> tuple[str, str]:
    """The parameters of that statement for names that are longer than a prefix."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)
