"""Folds changes into intervals: the one place where a projection's history is written.

A SELECT's changes come in the order of their positions; of each key the open interval is held
until it ends. What is written is sorted by key, so that a table grows from left to right.
SQLite's window functions would sort all changes by all columns of the key, twice
(docs/decisions/0004).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

from projections import history
from projections.projection import Projection

HELD_MAX: Final = 400_000
"""How many intervals are held in memory, about 1 kB each, before they are written."""

Key = tuple[Any, ...]
Interval = list[Any]
"""A row of the table: the key, from_position, until_position, effective_at, and what was told."""


class Fold:
    """Takes the changes of one projection into a table. Nothing is written before `flush`, except
    when too much is held.
    """

    def __init__(self, connection: sqlite3.Connection, projection: Projection, table: str) -> None:
        self._connection = connection
        self._width = len(projection.key)
        self._take_all = self._sum if projection.counters else self._replace
        self._changes = history.changes(projection)
        self._find = history.find_open(projection, table)
        self._close = history.close(projection, table)
        self._insert = history.insert(projection, table)
        self._open: dict[Key, Interval] = {}
        self._stored: set[Key] = set()
        self._ended: dict[Key, list[Interval]] = {}
        self._held = 0
        self._closed: list[Sequence[Any]] = []
        (self._is_filled,) = connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()

    def take(self, first: int, last: int) -> None:
        """Fold the changes from one position to another, both included."""
        changes = self._connection.execute(self._changes, (first, last))
        while part := changes.fetchmany(10_000):
            self._take_all(part)
            self._held += len(part)
            if self._held > HELD_MAX:
                self.flush()

    def flush(self) -> None:
        """Write what is held."""
        for key, known in self._open.items():
            if key not in self._stored:
                self._ended.setdefault(key, []).append(known)
        # Sorting the keys alone takes a fourth of the time; of one key, positions only grow,
        # but for late ones, which stand before the interval that was open meanwhile.
        rows = chain.from_iterable(self._ended[key] for key in sorted(self._ended))
        self._connection.executemany(self._close, self._closed)
        self._connection.executemany(self._insert, rows)
        self._is_filled = self._is_filled or bool(self._ended)
        self._held = 0
        for held in (self._open, self._stored, self._ended, self._closed):
            held.clear()

    def _replace(self, changes: Iterable[Sequence[Any]]) -> None:
        """The last change of a key wins, unless it happened before the one that is known."""
        width = self._width
        for change in changes:
            position, at = change[0], change[1]
            key = tuple(change[2 : 2 + width])
            known = self._open.get(key) or self._found(key)
            if known is None:
                self._open[key] = [*key, position, None, at, *change[2 + width :]]
            elif at < known[width + 2]:
                late = [*key, position, position, at, *change[2 + width :]]
                self._ended.setdefault(key, []).append(late)
            else:
                self._end(key, known, position)
                self._open[key] = [*key, position, None, at, *change[2 + width :]]

    def _sum(self, changes: Iterable[Sequence[Any]]) -> None:
        """What a key's changes add is summed; late ones count like any other."""
        width = self._width
        for change in changes:
            position, at = change[0], change[1]
            key = tuple(change[2 : 2 + width])
            added = change[2 + width :]
            known = self._open.get(key) or self._found(key)
            if known is None:
                self._open[key] = [*key, position, None, at, *added, *added, at]
                continue
            self._end(key, known, position)
            sums = [before + more for before, more in zip(known[width + 3 :], added, strict=False)]
            latest = max(known[-1], at)
            self._open[key] = [*key, position, None, at, *sums, *added, latest]

    def _found(self, key: Key) -> Interval | None:
        """The open interval of a key as it stands in the table."""
        if not self._is_filled:
            return None
        row = self._connection.execute(self._find, key).fetchone()
        if row is None:
            return None
        self._stored.add(key)
        self._open[key] = known = list(row)
        return known

    def _end(self, key: Key, known: Interval, position: int) -> None:
        if key in self._stored:
            self._stored.remove(key)
            self._closed.append((position, *known[: self._width + 1]))
        else:
            known[self._width + 1] = position
            self._ended.setdefault(key, []).append(known)
