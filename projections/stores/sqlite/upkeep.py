"""How the tables of projections are written in the views' file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from projections.history import intervals, tables
from projections.projection import Projection, Stored
from projections.stores.connection import Row
from projections.stores.sqlite.connection import SQLiteConnection
from projections.stores.tracking import Tracked
from projections.stores.upkeep import Upkeep

BESIDE: Final = "beside"
"""How the temporary tables begin that a rebuild fills; each connection has its own."""
MARKED: Final = "marked"
"""A temporary table of changes, because filling a table from them reads them twice."""


class SQLiteUpkeep(Upkeep):
    """Writes the tables of projections through one connection."""

    def __init__(self, connection: SQLiteConnection) -> None:
        self._connection = connection

    @contextmanager
    def filling(self, filled: Mapping[Stored, str], /) -> Iterator[None]:
        """Makes the indexes after the rows, which costs less."""
        for projection, table in filled.items():
            self._execute(*tables.drop_indexes(projection, table))
        yield
        for projection, table in filled.items():
            self._execute(*tables.create_indexes(projection, table))

    def analyze(self, filled: Mapping[Stored, str]) -> None:
        self._execute(*(f"ANALYZE main.{table}" for table in filled.values()))

    def fill(self, projection: Projection, table: str, last: int) -> None:
        """Sorts the changes once, by key, and joins them: a second window costs more here."""
        dialect = self._connection.dialect
        self._execute(intervals.create_table(projection, MARKED, dialect, temporary=True))
        self._connection.execute(intervals.mark(projection, MARKED), (last,))
        self._execute(intervals.join(projection, MARKED, table), f"DROP TABLE {MARKED}")

    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        find = intervals.find_open(projection, table)
        for key in keys:
            yield from self._connection.execute(find, key)

    @contextmanager
    def building(self, *_: Stored) -> Iterator[None]:
        self._connection.set_durable(durable=True)
        try:
            yield
        finally:
            self._connection.set_durable(durable=False)

    def make_beside(self, projection: Stored, _: Tracked) -> str:
        """The table is in a temporary file that goes with the connection."""
        table = f"{BESIDE}_{projection.name}"
        self._execute(
            tables.create_table(projection, table, self._connection.dialect, temporary=True)
        )
        return table

    def complete(self, projection: Stored, beside: str) -> None:
        """Nothing to do: the key is there, and the copy gets the other indexes."""

    def swapping(self) -> AbstractContextManager[None]:
        return self._connection.transaction()

    def adopt(self, projection: Stored, known: Tracked, beside: str, at: str) -> None:
        self._execute(
            tables.create_table(projection, known.successor, self._connection.dialect),
            # SQLite copies the rows unchanged between tables that are alike.
            f"INSERT INTO main.{known.successor} SELECT * FROM temp.{beside}",
            *tables.create_indexes(projection, known.successor),
            *tables.drop_views(projection),
            *tables.create_views(projection, known.successor, self._connection.dialect),
            f"DROP TABLE {known.table}",
            f"ANALYZE main.{known.successor}",
        )
        self._connection.execute(
            "UPDATE tracking SET generation = generation + 1, rebuilt_at = ? WHERE name = ?",
            (at, projection.name),
        )

    def _execute(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)
