"""How the tables of projections are written in the schema `views`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from psycopg import errors
from psycopg.sql import SQL, Identifier

from ledger.errors import StoreLocked
from projections.history import intervals, tables
from projections.projection import Projection, Stored
from projections.stores.connection import Row
from projections.stores.postgres import rights
from projections.stores.postgres.connection import PostgresConnection
from projections.stores.tracking import Tracked
from projections.stores.upkeep import Answer, Upkeep

SWAP_S: Final = 30
"""How long a swap is retried while others read the live table."""
SWAP_TIMEOUT_MS: Final = 200
"""How long one attempt waits. New readers wait behind it, so it must not wait for long."""
STATISTICS_TARGET: Final = 20
"""A sample of 6,000 rows shows how rare a region is; one of 30,000 takes four times as long."""
ANALYZED: Final = ("trail", "fact_handles", "known_names", "entries_by_id")
"""The tables that belong to no projection, and of which questions read a part."""


class PostgresUpkeep(Upkeep):
    """Writes the tables of projections through one connection."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    @contextmanager
    def filling(self, _: Mapping[Stored, str], /) -> Iterator[None]:
        """Keeps the indexes: a writer may not make them, and readers would wait."""
        yield

    def analyze(self, filled: Mapping[Stored, str]) -> None:
        """Only the owner may; for others, autovacuum does it in time."""
        if self._connection.can_rebuild:
            for table in (*ANALYZED, *filled.values()):
                self._analyze(table)

    def fill(self, projection: Projection, table: str, last: int) -> None:
        self._connection.execute(intervals.write(projection, table), (last,))

    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        """All in one round trip: the keys are joined with the table."""
        if not keys:
            return
        names = [column.name for column in projection.key]
        given = ", ".join("?::text[]" for _ in names)
        columns = ", ".join(f"stored.{column.name}" for column in intervals.stored(projection))
        same = " AND ".join(f"stored.{name} = wanted.{name}" for name in names)
        yield from self._connection.execute(
            f"SELECT {columns} FROM {table} AS stored JOIN unnest({given}) "
            f"AS wanted ({', '.join(names)}) ON {same} WHERE stored.until_position IS NULL",
            [list(each) for each in zip(*keys, strict=True)],
        )

    @contextmanager
    def building(self, *projections: Stored) -> Iterator[None]:
        with self._connection.psycopg.transaction():
            self._connection.execute("SET LOCAL synchronous_commit TO DEFAULT")
            self._connection.execute("SET LOCAL search_path = views, pg_temp")
            # One rebuild at a time: two would wait for each other's table.
            for name in sorted(projection.name for projection in projections):
                self._connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtext(?))", (f"authledger {name}",)
                )
            yield

    def make_beside(self, projection: Stored, known: Tracked) -> str:
        """If the transaction fails, the table is gone with it.

        The index is made after the rows: that costs less than keeping it while they are inserted.
        """
        table = known.successor
        self._execute(
            tables.create_table(projection, table, self._connection.dialect),
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey",
        )
        return table

    def complete(self, projection: Stored, beside: str) -> None:
        key = ", ".join(tables.table_key(projection))
        self._execute(
            f"ALTER TABLE {beside} ADD PRIMARY KEY ({key})",
            *tables.create_indexes(projection, beside),
        )
        self._analyze(beside)

    @contextmanager
    def swapping(self) -> Iterator[None]:
        # A savepoint within `building`: an attempt that fails gives its locks back.
        with self._connection.transaction():
            yield

    def adopt(self, projection: Stored, known: Tracked, beside: str, at: str) -> None:
        self._connection.execute(
            "UPDATE tracking SET generation = generation + 1, rebuilt_at = ? WHERE name = ?",
            (at, projection.name),
        )
        self.admit_writers()
        self._execute(f"SET LOCAL lock_timeout = '{SWAP_TIMEOUT_MS}ms'")
        for statement in tables.create_views(projection, beside, self._connection.dialect):
            self._execute(statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
        self._execute(f"DROP TABLE {known.table}")

    def retry_swap(self, projection: Stored, /, swap: Callable[[], Answer]) -> Answer:
        """An attempt waits for old readers, and new readers wait behind it; between two attempts
        all of them go on.
        """
        end = time.monotonic() + SWAP_S
        while True:
            try:
                return swap()
            except errors.LockNotAvailable as error:
                if time.monotonic() > end:
                    raise StoreLocked(
                        f"Could not swap in the new {projection.name}: readers held its lock for "
                        f"{SWAP_S} s. The live view was left as it was.",
                        remedy=f"Run `authledger projection rebuild {projection.name}` again, or "
                        "stop the long query first.",
                    ) from error
                time.sleep(SWAP_TIMEOUT_MS / 1000)

    def admit_writers(self) -> None:
        rights.admit_writers(self._connection.psycopg)

    def _analyze(self, table: str) -> None:
        with self._connection.psycopg.transaction():
            self._execute(f"SET LOCAL default_statistics_target = {STATISTICS_TARGET}")
            self._connection.psycopg.execute(SQL("ANALYZE {}").format(Identifier("views", table)))

    def _execute(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)
