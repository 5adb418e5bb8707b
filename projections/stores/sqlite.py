"""The views' own SQLite file, beside the ledger's, which is attached read-only as `ledger`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from ledger.errors import QueryTimedOut, StoreFull, StoreLocked, StoreReadOnly, StoreUnavailable
from ledger.persistence.failures import as_store_errors
from ledger.persistence.sqlite.connections import use_wal
from projections import history
from projections.definitions.declared import VIEWS
from projections.dialect import SQLITE
from projections.projection import Projection
from projections.stores.sqlite_query import run_query
from projections.stores.store import Row, Store, Tracked, schema

APPLICATION_ID: Final = 0x61_75_74_76
"""`autv`: what tells a views file from another database."""
LAYOUT: Final = 1
"""Kept as the file's user version; grows when other tables are needed than those declared."""
LOCK_TIMEOUT_S: Final = 30
CACHE_KIB: Final = 65_536
BESIDE: Final = "beside"
"""The table that a rebuild fills; each connection has its own."""
MARKED: Final = "marked"
"""A table of the connection's own: what filling another reads twice."""


def views_path(ledger: Path) -> Path:
    """Where the views of a ledger are kept: `ledger.db` has `ledger.db.views` beside it."""
    return ledger.with_name(ledger.name + ".views")


class SQLiteStore(Store):
    """A connection to the views' file."""

    dialect = SQLITE

    def __init__(self, ledger: Path) -> None:
        super().__init__()
        self.ledger = ledger.absolute()
        self.path = views_path(self.ledger)
        with self.store_errors():
            self.connection = sqlite3.connect(
                f"file:{quote(os.fsencode(self.path))}?mode=rwc",
                uri=True,
                isolation_level=None,
                timeout=LOCK_TIMEOUT_S,
                check_same_thread=False,  # `told` checks it, and any thread may close it.
            )
            try:
                self._prepare()
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self) -> None:
        application_id = self.value("PRAGMA application_id")
        if application_id != APPLICATION_ID and self.value("SELECT count(*) FROM sqlite_schema"):
            raise StoreUnavailable(
                f"{self.path} should hold the views but is another database.",
                remedy="Move it away; the views are built again from the ledger.",
            )
        use_wal(self.connection, LOCK_TIMEOUT_S)
        # The newest changes may be lost with the power, not torn: they are caught up again.
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if not self._has_tables():
            with self.transaction():
                if not self._has_tables():
                    self._make_tables()
        attach_ledger(self.connection, self.ledger)

    def _has_tables(self) -> bool:
        return bool(self.value("PRAGMA user_version") == LAYOUT)

    def _make_tables(self) -> None:
        """The tables that no declaration asks for; those of an older layout are built again."""
        objects = self.connection.execute(
            "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY type DESC"
        ).fetchall()
        for kind, name in objects:
            quoted = name.replace('"', '""')
            self.connection.execute(f'DROP {kind} IF EXISTS "{quoted}"')
        for statement in schema(self.dialect):
            self.connection.execute(statement)
        self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self.connection.execute(f"PRAGMA user_version = {LAYOUT}")

    @property
    def engine(self) -> str:
        return f"sqlite {sqlite3.sqlite_version}"

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def another(self) -> Iterator[Self]:
        other = type(self)(self.ledger)
        try:
            yield other
        finally:
            other.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Translates the database's errors into the ledger's; what is damaged is rebuilt."""
        try:
            with as_store_errors(str(self.path)):
                yield
        except (StoreLocked, StoreFull, StoreReadOnly, QueryTimedOut):
            raise
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"The views {self.path} cannot be used: {error.__cause__ or error.message}.",
                remedy="Delete that file; it is built again from the ledger. If that does not "
                "help, it is the ledger that is damaged.",
            ) from error

    def execute(self, statement: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(statement, params)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self.connection.executemany(statement, rows)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(columns))
        self.connection.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows
        )

    def fill(self, projection: Projection, table: str, last: int) -> None:
        """It sorts the changes once, by key, and joins them: a further window costs more here."""
        self.execute(history.create_table(projection, MARKED, self.dialect, temporary=True))
        self.execute(history.mark(projection, MARKED), (last,))
        self.execute(history.join(projection, MARKED, table))
        self.execute(f"DROP TABLE {MARKED}")

    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        find = history.find_open(projection, table)
        for key in keys:
            yield from self.connection.execute(find, key)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def unchanging(self, *_: str) -> Iterator[None]:
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    @contextmanager
    def building(self, _: Projection, /) -> Iterator[None]:
        self.connection.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self.connection.execute("PRAGMA synchronous = NORMAL")

    swapping = transaction

    def build_beside(self, projection: Projection, _: Tracked, last: int) -> str:
        """It lies in a file that goes with the connection."""
        self.execute(history.create_table(projection, BESIDE, self.dialect, temporary=True))
        self.fill(projection, BESIDE, last)
        return BESIDE

    def adopt(self, projection: Projection, known: Tracked, beside: str, at: str) -> None:
        for statement in (
            history.create_table(projection, known.successor, self.dialect),
            # Of two tables alike, SQLite copies the rows as they are.
            f"INSERT INTO main.{known.successor} SELECT * FROM temp.{beside}",
            *history.drop_views(projection),
            *history.create_views(projection, known.successor),
            f"DROP TABLE {known.table}",
            f"ANALYZE main.{known.successor}",
        ):
            self.execute(statement)
        self.execute(
            "UPDATE tracking SET generation = generation + 1, rebuilt_at = ? WHERE name = ?",
            (at, projection.name),
        )

    def query(
        self, sql: str, row_limit: int, time_limit_s: float
    ) -> tuple[tuple[str, ...], list[Row], bool]:
        uri = f"file:{quote(os.fsencode(self.path))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        try:
            return run_query(
                connection,
                lambda schema: attach_ledger(connection, self.ledger, schema),
                sql,
                row_limit,
                time_limit_s,
            )
        finally:
            connection.close()


def attach_ledger(connection: sqlite3.Connection, ledger: Path, schema: str = "ledger") -> None:
    """Attach the ledger read-only, and name what the views read of it: no salts among that."""
    uri = f"file:{quote(os.fsencode(ledger))}?mode=ro"
    connection.execute(f"ATTACH DATABASE ? AS {schema}", (uri,))
    connection.execute(f"CREATE TEMP VIEW events AS SELECT * FROM {schema}.events")
    connection.execute(
        f"CREATE TEMP VIEW subjects AS SELECT subject, kind, name FROM {schema}.subjects"
    )
    for name, view in VIEWS.items():
        if "events" in view.over:
            connection.execute(f"CREATE TEMP VIEW {name} AS {view.select(SQLITE)}")
