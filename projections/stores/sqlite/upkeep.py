"""How the tables of projections are written in the views' file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from projections import history
from projections.projection import Projection
from projections.stores.connection import Row
from projections.stores.sqlite.connection import SQLiteConnection
from projections.stores.tracking import Tracked
from projections.stores.upkeep import Upkeep

BESIDE: Final = "beside"
"""The temporary table that a rebuild fills; each connection has its own."""
MARKED: Final = "marked"
"""A temporary table of changes, because filling a table from them reads them twice."""


class SQLiteUpkeep(Upkeep):
    """Writes the tables of projections through one connection."""

    def __init__(self, connection: SQLiteConnection) -> None:
        self._connection = connection

    def fill(self, projection: Projection, table: str, last: int) -> None:
        """Sorts the changes once, by key, and joins them: a second window costs more here."""
        dialect = self._connection.dialect
        self._execute(history.create_table(projection, MARKED, dialect, temporary=True))
        self._connection.execute(history.mark(projection, MARKED), (last,))
        self._execute(history.join(projection, MARKED, table), f"DROP TABLE {MARKED}")

    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        find = history.find_open(projection, table)
        for key in keys:
            yield from self._connection.execute(find, key)

    @contextmanager
    def building(self, _: Projection, /) -> Iterator[None]:
        self._connection.set_durable(durable=True)
        try:
            yield
        finally:
            self._connection.set_durable(durable=False)

    def build_beside(self, projection: Projection, _: Tracked, last: int) -> str:
        """The table is in a temporary file that goes with the connection."""
        dialect = self._connection.dialect
        self._execute(history.create_table(projection, BESIDE, dialect, temporary=True))
        self.fill(projection, BESIDE, last)
        return BESIDE

    def swapping(self) -> AbstractContextManager[None]:
        return self._connection.transaction()

    def adopt(self, projection: Projection, known: Tracked, beside: str, at: str) -> None:
        self._execute(
            history.create_table(projection, known.successor, self._connection.dialect),
            # SQLite copies the rows unchanged between tables that are alike.
            f"INSERT INTO main.{known.successor} SELECT * FROM temp.{beside}",
            *history.drop_views(projection),
            *history.create_views(projection, known.successor),
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
