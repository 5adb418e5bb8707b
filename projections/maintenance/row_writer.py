"""Writes the rows of the folded projections: of all facts, or of new ones (docs/decisions/0034)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, islice
from typing import Final

from ledger.errors import StoreUnavailable
from ledger.processes import processors
from projections.history import rows
from projections.maintenance.all_cores import on_all_cores
from projections.maintenance.facts import all_said, new_facts
from projections.maintenance.folded_tables import FoldedRun, FoldedTable, Run, fold, fold_run
from projections.maintenance.live_facts import ReadFacts
from projections.projection import FoldedProjection
from projections.stores.connection import Connection

ROWS_MAX: Final = 50_000
"""How many rows of a table are held in memory, about 1 kB each, before they are written."""
RUN: Final = 5_000
"""How many facts a process takes at once, or one account if that has more."""
ALONE_MAX: Final = 6
"""So many runs are folded in this process, because others take as long to start."""
ACCOUNT_MAX: Final = 100_000
"""An account with more facts is folded in this process: it is not copied to another."""


class RowWriter:
    """Writes the rows of some folded projections, each into a table; `tables` by projection."""

    def __init__(
        self, connection: Connection, tables: Mapping[FoldedProjection, str], facts: ReadFacts
    ) -> None:
        """`facts`: those of the live tables are indexed."""
        self._connection, self._facts = connection, facts
        self._tables = [FoldedTable(projection, table) for projection, table in tables.items()]

    def write_all(self, last: int) -> None:
        """Write the rows of all facts up to a position. Within a transaction only."""
        for folded in self._folded(self._runs(last)):
            for table in self._tables:
                table.inserted += folded.rows[table.projection.name]
            self._facts.index(folded.handles)
            self._write(ROWS_MAX)
        self._write()
        self._facts.end(last)

    def add(self, first: int, last: int) -> None:
        """Add the facts between two positions, both included. Within a transaction only."""
        self._facts.begin(first)
        for account, new in new_facts(self._connection, first, last).items():
            known = self._facts.cells(account, new)
            fold(self._tables, account, known.cells, new)
            self._facts.keep(account, known, new)
            self._write(ROWS_MAX)
        self._write()
        self._facts.end(last)

    def _runs(self, last: int) -> Iterator[Run]:
        """All accounts with their facts, in runs."""
        run: Run = []
        size = 0
        for account, entries in all_said(self._connection, last):
            run.append((account, entries))
            size += len(entries)
            if size >= RUN:
                yield run
                run, size = [], 0
        if run:
            yield run

    def _folded(self, runs: Iterator[Run]) -> Iterator[FoldedRun]:
        """Fold the runs: many of them by processes, on all cores."""
        names = [table.projection.name for table in self._tables]
        work = partial(fold_run, names, self._facts.indexed)
        first, processes = list(islice(runs, ALONE_MAX + 1)), processors()
        if processes == 1 or len(first) <= ALONE_MAX:
            yield from map(work, chain(first, runs))
            return
        try:
            yield from on_all_cores(work, chain(first, runs), processes)
        except BrokenProcessPool:
            raise StoreUnavailable(
                "A process that folded facts was ended. The views were left as they were.",
                remedy="Free memory, and try again.",
            ) from None

    def _write(self, at_least: int = 0) -> None:
        """Write the rows of tables that have so many new ones, or more."""
        for table in self._tables:
            if len(table.inserted) >= at_least:
                _write(self._connection, table)


def _write(connection: Connection, table: FoldedTable) -> None:
    """Write what changed. Old rows first: a new one may take the place of a retracted one."""
    projection, name = table.projection, table.name
    connection.execute_many(rows.end(projection, name), table.ended)
    connection.execute_many(rows.retract(projection, name), table.gone)
    connection.insert(name, table.columns, table.sorted_rows())
    for changes in (table.ended, table.gone, table.inserted):
        changes.clear()
