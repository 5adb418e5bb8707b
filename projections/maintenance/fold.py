"""Folds new changes into the intervals that are there (docs/decisions/0004).

A SELECT's changes come in the order of their positions; of each key the open interval is held until
it ends. It writes sorted by key, so that a table grows from left to right. A whole history is
written by the database itself: `Store.fill`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import add
from typing import TYPE_CHECKING, Any, Final

from projections import history
from projections.projection import Projection

if TYPE_CHECKING:
    from projections.stores.store import Cursor, Store

PART: Final = 10_000
"""How many changes are taken at once."""
HELD_MAX: Final = 400_000
"""How many intervals are held in memory, about 1 kB each, before they are written."""

Key = tuple[Any, ...]
Change = tuple[Any, ...]
"""Position, effective_at, the key, and what it says."""
Interval = list[Any]
"""A row of the table: the key, from_position, until_position, effective_at, and what was told."""


class Fold:
    """Takes new changes of one projection into its table. Nothing is written before `flush`,
    except when too much is held.
    """

    def __init__(self, store: Store, projection: Projection, table: str) -> None:
        self._store, self._projection, self._table = store, projection, table
        self._width = len(projection.key)
        self._take_all = self._sum if projection.counters else self._replace
        self._changes = history.changes(projection)
        self._close = history.close(projection, table)
        self._intervals: dict[Key, list[Interval]] = {}
        """Of each key those that are not written yet, the open one last."""
        self._stored: dict[Key, Interval] = {}
        """Those among them that were open in the table already."""
        self._held = 0

    def take(self, first: int, last: int) -> None:
        """Fold the changes from one position to another, both included."""
        with self._wanted(first, last) as changes, _no_search_for_cycles():
            while part := changes.fetchmany(PART):
                self._find(part)
                self._take_all(part)
                self._held += len(part)
                if self._held > HELD_MAX:
                    self.flush()

    def _wanted(self, first: int, last: int) -> AbstractContextManager[Cursor]:
        if last - first < PART:  # They fit; a cursor of the server's would take three visits.
            return nullcontext(self._store.execute(self._changes, (first, last)))
        return self._store.streamed(self._changes, (first, last))

    def flush(self) -> None:
        """Write what is held."""
        until = self._width + 1
        self._store.execute_many(
            self._close,
            [(each[until], *each[:until]) for each in self._stored.values() if each[until]],
        )
        columns = [column.name for column in history.stored(self._projection)]
        self._store.insert(self._table, columns, self._fresh())
        self._held = 0
        self._intervals.clear()
        self._stored.clear()

    def _fresh(self) -> Iterator[Interval]:
        """What is not in the table yet, sorted by key: sorting keys is less than sorting rows."""
        for key in sorted(self._intervals):
            stored = self._stored.get(key)
            for interval in self._intervals[key]:
                if interval is not stored:
                    yield interval

    def _replace(self, changes: Iterable[Change]) -> None:
        """The last change of a key wins, unless it happened before the one that is known."""
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
        """What a key's changes add is summed; late ones count like any other."""
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

    def _find(self, changes: Iterable[Change]) -> None:
        """Read the open intervals of the keys that are not held yet."""
        end, of_keys = self._width + 2, self._intervals
        unknown = {key for change in changes if (key := change[2:end]) not in of_keys}
        of_keys.update((key, []) for key in unknown)
        for row in self._store.open_intervals(self._projection, self._table, unknown):
            key = tuple(row[: self._width])
            self._stored[key] = known = list(row)
            of_keys[key].append(known)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Rows make no cycles; looking for some among all that are held takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
