"""Adds what new facts come to to the rows of the folded projections (docs/decisions/0034).

One account after the other: its earlier facts are learned at once, its new ones commit by commit.
Each difference that a commit makes ends a row, retracts one, or adds one.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from ledger.folding import Change, Span
from projections.history import rows
from projections.maintenance.facts import (
    Account,
    Learned,
    accounts,
    commits,
    learned,
    new_facts,
)
from projections.maintenance.live_facts import KnownCells, ReadFacts
from projections.maintenance.spans import Shown, cells_of
from projections.projection import FoldedProjection
from projections.stores.connection import Connection

ROWS_MAX: Final = 50_000
"""How many rows of a table are held in memory, about 1 kB each, before they are written."""

Identity = tuple[Any, ...]


@dataclass(slots=True)
class Row:
    """A row that is not in the table yet."""

    span: Span
    from_position: int
    until_position: int | None
    gone_position: int | None = None


class RowWriter:
    """Writes the rows of some folded projections, each into a table; `tables` by projection."""

    def __init__(
        self, connection: Connection, tables: Mapping[FoldedProjection, str], facts: ReadFacts
    ) -> None:
        """`facts`: those of the live tables are indexed."""
        self._connection, self._facts = connection, facts
        self._tables = [_Table(projection, table) for projection, table in tables.items()]

    def write_all(self, last: int) -> None:
        """Write the rows of all facts up to a position. Within a transaction only."""
        for account in accounts(self._connection, last):
            with _no_garbage_collection():
                facts = learned(self._connection, account, last)
                self._fold(account, KnownCells(account), facts)
            self._write(ROWS_MAX)
        self._write()
        self._facts.end(last)

    def add(self, first: int, last: int) -> None:
        """Add the facts between two positions, both included. Within a transaction only."""
        self._facts.begin(first)
        for account, new in new_facts(self._connection, first, last).items():
            with _no_garbage_collection():
                known = self._facts.cells(account, new)
                self._fold(account, known, new)
                self._facts.keep(account, known)
            self._write(ROWS_MAX)
        self._write()
        self._facts.end(last)

    def _fold(self, account: Account, known: KnownCells, new: Sequence[Learned]) -> None:
        for commit in commits(new):
            known.learn(commit.facts)
            for change in known.cells.changes():
                self._take(account, change, commit.position)
        for table in self._tables:
            table.end_account(account)
        self._facts.index(account, new)

    def _write(self, at_least: int = 0) -> None:
        """Write the rows of tables that have so many new ones, or more."""
        for table in self._tables:
            if len(table.inserted) >= at_least:
                table.write(self._connection)

    def _take(self, account: Account, change: Change, position: int) -> None:
        for table in self._tables:
            if table.shows(change):
                table.take(account, change, position)


@dataclass(slots=True)
class _Table:
    """The table of one projection, and what new facts change in it."""

    projection: FoldedProjection
    name: str
    shown: Shown = field(init=False)
    new: list[Row] = field(default_factory=list)
    """The rows of one account that are to be inserted."""
    open: dict[Identity, Row] = field(default_factory=dict)
    """Those of them that were not retracted."""
    ended: list[tuple[Any, ...]] = field(default_factory=list)
    gone: list[tuple[Any, ...]] = field(default_factory=list)
    """The changes of rows that are in the table already: parameters of the statements."""
    inserted: list[tuple[Any, ...]] = field(default_factory=list)
    """The new rows of the accounts before."""

    def __post_init__(self) -> None:
        self.shown = Shown(self.projection)

    def shows(self, change: Change) -> bool:
        span = change.after or change.before
        return span is not None and span.subject == self.projection.subject

    def take(self, account: Account, change: Change, position: int) -> None:
        before, after = change
        span = after or before
        assert span is not None, "a change has a span before it or after it"
        identity = (*span.key, span.valid_from)
        row = self.open.get(identity)
        if before and after and before == after._replace(until_at=None, expires=False):
            self._end(account, row, after, position)
            return
        if before:
            self._retract(account, row, before, position)
            self.open.pop(identity, None)
        if after:
            until = None if after.until_at is None else position
            self.open[identity] = added = Row(after, position, until)
            self.new.append(added)

    def _end(self, account: Account, row: Row | None, span: Span, position: int) -> None:
        if row is not None:
            row.span, row.until_position = span, position
            return
        cells = cells_of(account, span)
        self.ended.append(
            (cells["until_at"], position, cells["ends_alone"], *self.shown.identity(cells))
        )

    def _retract(self, account: Account, row: Row | None, span: Span, position: int) -> None:
        if row is not None:
            row.gone_position = position
        else:
            self.gone.append((position, *self.shown.identity(cells_of(account, span))))

    def end_account(self, account: Account) -> None:
        """Make the new rows of an account ready to be inserted."""
        for row in self.new:
            cells = cells_of(account, row.span)
            cells["from_position"] = row.from_position
            cells["until_position"] = row.until_position
            cells["gone_position"] = row.gone_position
            self.inserted.append(self.shown.stored(cells))
        self.new.clear()
        self.open.clear()

    def write(self, connection: Connection) -> None:
        """Write what changed. Old rows first: a new one may take the place of a retracted one."""
        projection, name = self.projection, self.name
        connection.execute_many(rows.end(projection, name), self.ended)
        connection.execute_many(rows.retract(projection, name), self.gone)
        columns = [column.name for column in rows.stored(projection)]
        connection.insert(name, columns, sorted(self.inserted, key=_by_key(projection)))
        for changes in (self.ended, self.gone, self.inserted):
            changes.clear()


def _by_key(projection: FoldedProjection) -> Callable[[Sequence[Any]], Any]:
    """The order in which the table grows from left to right."""
    columns = [column.name for column in rows.stored(projection)]
    return itemgetter(*(columns.index(name) for name in rows.table_key(projection)))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Turn garbage collection off for one account: it would take half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
