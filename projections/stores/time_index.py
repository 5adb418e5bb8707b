"""An index of effective times, so that a trail between two times reads only that part of history.

The trail is sorted by position and limited by effective time. Most events are recorded in the order
in which they happened, so a block of positions is a span of time:

    block    begins at position 1, 1025, 2049 …; `reached` is the latest effective time before it
    in time  an event of the block that is not earlier than `reached`: the blocks' spans of time
             follow one another without overlapping
    late     any other event; it has a row of its own, by its time
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from ledger.values import instant_text
from projections.definitions.audit_trail import TrailFilter
from projections.dialect import Dialect

BLOCK: Final = 1_024
OUTSIDE_MAX: Final = 8 * BLOCK
"""So many events are read one by one in less time than the late ones of a long span are listed."""
_LATE: Final = (
    "position IN (SELECT position FROM time_late "
    "WHERE effective_at >= ? AND effective_at < ? AND position NOT BETWEEN ? AND ?)"
)


class Statements(Protocol):
    """The statements that the index needs of a connection to the views."""

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any: ...
    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None: ...
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The index's tables: `until` is the last position indexed, `latest` the latest time then."""
    block = [("first", "INTEGER NOT NULL"), ("until", "INTEGER NOT NULL")]
    block += [("reached", "TEXT NOT NULL"), ("latest", "TEXT NOT NULL")]
    late = [("effective_at", "TEXT NOT NULL"), ("position", "INTEGER NOT NULL")]
    return (
        dialect.table("time_blocks", block, ["first"]),
        dialect.table("time_late", late, ["effective_at", "position"]),
    )


def extend(connection: Statements, last: int) -> None:
    """Index the events up to a position that are not indexed yet."""
    row = connection.execute(
        "SELECT first, until, reached, latest FROM time_blocks ORDER BY first DESC LIMIT 1"
    ).fetchone()
    first, until, reached, latest = row or (1, 0, "", "")
    blocks, late = [], []
    for position, at in connection.execute(
        "SELECT position, COALESCE(effective_at, '') FROM events "
        "WHERE position > ? AND position <= ? ORDER BY position",
        (until, last),
    ):
        if position >= first + BLOCK:
            blocks.append((first, position - 1, reached, latest))
            first, reached = position, latest
        if at < reached:
            late.append((at, position))
        elif at > latest:
            latest = at
        until = position
    if until:
        blocks.append((first, until, reached, latest))
    connection.execute_many(
        "INSERT INTO time_blocks VALUES (?, ?, ?, ?) ON CONFLICT (first) DO UPDATE SET "
        "until = excluded.until, latest = excluded.latest",
        blocks,
    )
    connection.insert("time_late", ("effective_at", "position"), sorted(late))


def clear(connection: Statements) -> None:
    """Empty the index: the history is another one."""
    connection.execute("DELETE FROM time_blocks")
    connection.execute("DELETE FROM time_late")


class Bounds(NamedTuple):
    """The positions between which all events in time lie, both included, but for late ones."""

    first: int
    last: int


def bounds(connection: Statements, wanted: TrailFilter, last: int) -> Bounds:
    """Where the events in time lie that a filter asks for, up to a position."""
    if wanted.since is None and wanted.until is None:
        return Bounds(1, last)
    first, end = connection.execute(
        "SELECT max(first) FILTER (WHERE reached < ?), min(first) FILTER (WHERE reached >= ?) "
        "FROM time_blocks",
        _times(wanted),
    ).fetchone()
    return Bounds(first or 1, last if end is None else end - 1)


def late(wanted: TrailFilter, within: Bounds, last: int) -> tuple[str, list[object]]:
    """A condition in SQL, with its parameters, for late events between the filter's times.

    Every event up to the position `last` that is between these times satisfies it, or lies within
    the bounds. If few events lie outside of them, all of these do: the times are compared anyway.
    """
    if within.first - 1 + last - within.last <= OUTSIDE_MAX:
        return "(position < ? OR position > ?)", [within.first, within.last]
    return _LATE, [*_times(wanted), within.first, within.last]


def _times(wanted: TrailFilter) -> tuple[str, str]:
    return (
        instant_text(wanted.since) if wanted.since else "",
        instant_text(wanted.until) if wanted.until else "~",
    )
