"""Adds new changes to the intervals of a table (docs/decisions/0004).

The changes come in the order of their positions; the open interval of each key is held in memory
until it ends. Intervals are written sorted by key, so that a table grows from left to right. The
database itself writes a whole history at once: `Upkeep.fill`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from operator import add
from typing import Any, Final

from ledger import collector
from projections.history import intervals as sql
from projections.projection import Projection
from projections.stores.connection import Connection, Cursor
from projections.stores.upkeep import Upkeep

CHUNK: Final = 10_000
"""How many changes are fetched at once."""
HELD_MAX: Final = 400_000
"""How many intervals are held in memory, about 1 kB each, before they are written."""

Key = tuple[Any, ...]
Change = tuple[Any, ...]
"""Position, effective_at, the key, and the values or the counters' growth."""
Interval = list[Any]
"""A row of the table: the key, from_position, until_position, effective_at, values or counters."""


class IntervalWriter:
    """Adds new changes of one projection to a table. Nothing is written before `write`, unless more
    than HELD_MAX intervals are held.
    """

    def __init__(
        self, connection: Connection, upkeep: Upkeep, projection: Projection, table: str
    ) -> None:
        self._connection, self._upkeep = connection, upkeep
        self._projection, self._table = projection, table
        self._width = len(projection.key)
        self._add = self._sum if projection.counters else self._replace
        self._changes = sql.changes(projection)
        self._close = sql.close(projection, table)
        self._intervals: dict[Key, list[Interval]] = {}
        """The intervals of each key that are not written yet, the open one last."""
        self._stored: dict[Key, Interval] = {}
        """Those of them that were in the table already, and open."""
        self._held = 0

    def add_changes(self, first: int, last: int) -> None:
        """Add the changes between two positions, both included."""
        with self._selected(first, last) as changes, collector.paused():
            while chunk := changes.fetchmany(CHUNK):
                self._read_open_intervals(chunk)
                self._add(chunk)
                self._held += len(chunk)
                if self._held > HELD_MAX:
                    self.write()

    def _selected(self, first: int, last: int) -> AbstractContextManager[Cursor]:
        if last - first < CHUNK:  # They fit; a server-side cursor would take three round trips.
            return nullcontext(self._connection.execute(self._changes, (first, last)))
        return self._connection.streamed(self._changes, (first, last))

    def write(self) -> None:
        """Write the intervals that are held."""
        until = self._width + 1
        self._connection.execute_many(
            self._close,
            [(each[until], *each[:until]) for each in self._stored.values() if each[until]],
        )
        columns = [column.name for column in sql.stored(self._projection)]
        self._connection.insert(self._table, columns, self._new())
        self._held = 0
        self._intervals.clear()
        self._stored.clear()

    def _new(self) -> Iterator[Interval]:
        """The intervals that are not in the table yet, sorted by key.

        Sorting the keys costs less than sorting the rows.
        """
        for key in sorted(self._intervals):
            stored = self._stored.get(key)
            for interval in self._intervals[key]:
                if interval is not stored:
                    yield interval

    def _replace(self, changes: Iterable[Change]) -> None:
        """The last change of a key wins, unless it happened before the one that is open."""
        end, until, at = self._width + 2, self._width + 1, self._width + 2
        of_keys = self._intervals
        for change in changes:
            key = change[2:end]
            intervals = of_keys[key]
            if intervals:
                known = intervals[-1]
                if change[1] < known[at]:
                    late = [*key, change[0], change[0], change[1], *change[end:]]
                    intervals.insert(-1, late)
                    continue
                known[until] = change[0]
            intervals.append([*key, change[0], None, change[1], *change[end:]])

    def _sum(self, changes: Iterable[Change]) -> None:
        """The changes of a key are summed; late ones count like all others."""
        end, until, first = self._width + 2, self._width + 1, self._width + 3
        of_keys = self._intervals
        for change in changes:
            key, added, latest = change[2:end], change[end:], change[1]
            intervals = of_keys[key]
            sums: Iterable[int] = added
            if intervals:
                known = intervals[-1]
                known[until] = change[0]
                sums = map(add, known[first:], added)
                latest = max(known[-1], latest)
            intervals.append([*key, change[0], None, change[1], *sums, *added, latest])

    def _read_open_intervals(self, changes: Iterable[Change]) -> None:
        """Read the open intervals of keys that are not in memory yet."""
        end, of_keys = self._width + 2, self._intervals
        unknown = {key for change in changes if (key := change[2:end]) not in of_keys}
        of_keys.update((key, []) for key in unknown)
        for row in self._upkeep.open_intervals(self._projection, self._table, unknown):
            key = tuple(row[: self._width])
            self._stored[key] = known = list(row)
            of_keys[key].append(known)
