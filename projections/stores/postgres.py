"""The views of a ledger on PostgreSQL: in its database, in a schema of their own, `views`.

The role that owns the schema keeps them; the ledger's writers may catch them up, its readers read
them and nothing else. On a standby, and for a reader, they stand where they were last kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, Self

from eventsourcing.persistence import PersistenceError
from psycopg import Connection, Error, errors
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ledger.catalogue import Catalogue
from ledger.errors import NotFound, StoreLocked, StoreUnavailable
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.postgres.connections import connect, is_given_up, is_lost
from ledger.persistence.postgres.roles import make_views_schema
from ledger.persistence.postgres.schema import APPENDED
from projections import history
from projections.definitions.declared import VIEWS
from projections.dialect import POSTGRES
from projections.projection import Projection
from projections.stores.postgres_query import run_query
from projections.stores.postgres_rights import LOCK, MAKING, admit_writers, narrow_defaults
from projections.stores.store import Answer, Cursor, Row, Store, Tracked, schema

LAYOUT: Final = 2
"""Kept in the table `layout`; grows when other tables are needed than those declared."""
LOCK_TIMEOUT_S: Final = 30
SWAP_TIMEOUT_MS: Final = 200
"""How long a swap makes new readers wait behind old ones before it lets them go first."""
LOST_S: Final = 600
"""How long a lost connection is tried again while the views are followed."""
RECONNECT_S: Final = 0.5
STATISTICS_TARGET: Final = 20
"""A sample of 6,000 rows tells how rare a region is; one of 30,000 takes four times as long."""
COPIED: Final = 50
"""From how many rows on they are copied and not inserted."""

_MAKE_THEM: Final = "Their owner makes them, on the primary: `authledger projection catch-up`."
_OWNER: Final = """
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'views'
    AND pg_get_userbyid(nspowner) <> current_user AND pg_has_role(current_user, nspowner, 'MEMBER')
"""
"""The views' owner, if that is another whom this role may act for."""
_HERE: Final = f"""
    SELECT (SELECT count(*) FROM pg_class
            WHERE relnamespace = to_regnamespace('ledger') AND relname = 'events') = 1,
           (SELECT count(*) FROM pg_class
            WHERE relnamespace = to_regnamespace('views') AND relname = 'layout') = 1,
           pg_is_in_recovery(), ({_OWNER})
"""
_OBJECTS: Final = """
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, relname FROM pg_class
    WHERE relnamespace = to_regnamespace('views') AND relkind IN ('r', 'v')
"""


class PostgresStore(Store):
    """A connection to the schema `views`."""

    dialect = POSTGRES

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__()
        self.database = database
        self._connect()

    def _connect(self) -> None:
        with self.store_errors():
            self.connection: Connection[Any] = connect(
                self.database.url, lock_timeout_s=LOCK_TIMEOUT_S
            )
            try:
                self.connection.row_factory = tuple_row
                # What the power takes away is caught up again: only a rebuild waits for the disk.
                self.connection.execute("SET search_path = views; SET synchronous_commit = off")
                self._prepare()
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self) -> None:
        is_ledger, has_views, is_standby, owner = self.execute(_HERE).fetchone()
        if not is_ledger:
            raise NotFound(
                f"There is no ledger at {self.database}.",
                remedy="The first writing command makes one; --ledger names another.",
            )
        if not is_standby and not (has_views and self._has_tables()):
            self._make_tables()
        elif not is_standby:
            self._act_for(owner)
        elif not has_views:
            raise StoreUnavailable(
                f"The views of {self.database} are not there yet.", remedy=_MAKE_THEM
            )
        self._look()

    def _act_for(self, owner: str | None) -> None:
        """Who may act for the views' owner does: what he makes is the owner's, with the rights that
        the owner has given to others.
        """
        if owner is not None:  # A member may be kept from it all the same.
            with suppress(errors.InsufficientPrivilege), self.connection.transaction():
                self.connection.execute(SQL("SET ROLE {}").format(Identifier(owner)))

    def _look(self) -> None:
        """Whether the views may be kept here: a standby may have become the primary meanwhile."""
        self.keeps, self.makes = self.execute(
            "SELECT keeps, keeps AND pg_has_role(current_user, relowner, 'USAGE') FROM pg_class, "
            "(SELECT NOT pg_is_in_recovery() AND has_column_privilege("
            "'views.tracking', 'position', 'UPDATE') AS keeps) AS here "
            "WHERE oid = 'views.tracking'::regclass"
        ).fetchone()

    def _has_tables(self) -> bool:
        return bool(self.value("SELECT version FROM layout") == LAYOUT)

    def _make_tables(self) -> None:
        """The tables that no declaration asks for; those of an older layout are built again."""
        with self.connection.transaction():
            self.execute(MAKING)
            has_views = self.execute(_HERE).fetchone()[1]
            if has_views and self._has_tables():
                return
            make_views_schema(self.connection)
            self._act_for(self.value(_OWNER))
            objects = self.execute(_OBJECTS).fetchall()
            if objects and not has_views:
                raise StoreUnavailable(
                    f"The schema 'views' in {self.database} is another program's.",
                    remedy="Give the ledger a database of its own; nothing was changed.",
                )
            narrow_defaults(self.connection)
            for kind, name in objects:
                self.connection.execute(
                    SQL("DROP {} IF EXISTS {} CASCADE").format(SQL(kind), Identifier("views", name))
                )
            for statement in schema(self.dialect):
                self.execute(statement)
            self.execute("CREATE VIEW events AS SELECT * FROM ledger.events")
            self.execute("CREATE VIEW subjects AS SELECT subject, kind, name FROM ledger.subjects")
            for name, view in VIEWS.items():
                if "events" in view.over:
                    self.execute(f"CREATE VIEW {name} AS {view.select(self.dialect)}")
            # What a writer locks. It holds nothing, so that the right to lock it is no other.
            self.execute("CREATE TABLE write_lock ()")
            self.execute("CREATE TABLE layout (version integer NOT NULL)")
            self.execute("INSERT INTO layout VALUES (?)", (LAYOUT,))
            admit_writers(self.connection)

    def declare(self, catalogue: Catalogue) -> None:
        super().declare(catalogue)
        admit_writers(self.connection)

    @property
    def engine(self) -> str:
        return f"postgresql {self.connection.info.parameter_status('server_version')}"

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def another(self) -> Iterator[Self]:
        other = type(self)(self.database)
        try:
            yield other
        finally:
            other.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        with as_store_errors(str(self.database)):
            try:
                yield
            except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
                raise StoreUnavailable(
                    f"The views of {self.database} are not there yet.", remedy=_MAKE_THEM
                ) from error
            except errors.InsufficientPrivilege as error:
                raise StoreUnavailable(
                    f"The views of {self.database} refuse this to the role: "
                    f"{error.diag.message_primary}.",
                    remedy=f"{_MAKE_THEM} `authledger database grant` gives rights to others.",
                ) from error
            except Error as error:
                raise PersistenceError(error) from error

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Cursor:
        return self.connection.execute(_spelt(statement), params)

    @contextmanager
    def streamed(self, statement: str, params: Sequence[Any] = ()) -> Iterator[Cursor]:
        """The server holds the rows, and gives a page of them at a time."""
        with self.connection.cursor(name="streamed") as cursor:
            yield cursor.execute(_spelt(statement), params)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        if given := list(rows):  # Nothing would be a visit as well.
            with self.connection.cursor() as cursor:
                cursor.executemany(_spelt(statement), given)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        written, named = list(rows), ", ".join(columns)
        if len(written) < COPIED:
            places = ", ".join("?" * len(columns))
            self.execute_many(f"INSERT INTO {table} ({named}) VALUES ({places})", written)
            return
        copying = f"COPY {table} ({named}) FROM STDIN".encode()
        with self.connection.cursor() as cursor, cursor.copy(copying) as copy:
            for row in written:
                copy.write_row(row)

    def fill(self, projection: Projection, table: str, last: int) -> None:
        self.execute(history.write(projection, table), (last,))

    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        """All in one visit: the keys are joined with the table."""
        if not keys:
            return
        names = [column.name for column in projection.key]
        given = ", ".join("?::text[]" for _ in names)
        columns = ", ".join(f"kept.{column.name}" for column in history.stored(projection))
        same = " AND ".join(f"kept.{name} = wanted.{name}" for name in names)
        yield from self.execute(
            f"SELECT {columns} FROM {table} AS kept JOIN unnest({given}) "
            f"AS wanted ({', '.join(names)}) ON {same} WHERE kept.until_position IS NULL",
            [list(each) for each in zip(*keys, strict=True)],
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.connection.transaction():
            self._lock()
            yield

    def _lock(self) -> None:
        self.execute(LOCK)

    @contextmanager
    def unchanging(self, *names: str) -> Iterator[None]:
        """Before the moment is chosen, the tables are kept from being swapped away."""
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            if names:
                self.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")
            yield
        finally:
            if not self.connection.closed:
                self.execute("ROLLBACK")

    @contextmanager
    def building(self, projection: Projection, /) -> Iterator[None]:
        with self.connection.transaction():
            self.execute("SET LOCAL synchronous_commit TO DEFAULT")
            # One at a time: two would wait for each other's table.
            self.execute(
                "SELECT pg_advisory_xact_lock(hashtext(?))", (f"authledger {projection.name}",)
            )
            yield

    @contextmanager
    def swapping(self) -> Iterator[None]:
        with self.connection.transaction():  # Given up as a whole, its locks are given back.
            self._lock()
            yield

    def swapped(self, projection: Projection, /, swap: Callable[[], Answer]) -> Answer:
        """New readers wait behind the swap, which waits behind old ones, for a moment at a time;
        in between everybody goes on.
        """
        end = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                return swap()
            except errors.LockNotAvailable as error:
                if time.monotonic() > end:
                    raise StoreLocked(
                        f"Others read {projection.name} all the time.",
                        remedy="Nothing was lost; rebuild when no long query runs.",
                    ) from error
                time.sleep(SWAP_TIMEOUT_MS / 1000)

    def build_beside(self, projection: Projection, known: Tracked, last: int) -> str:
        """It goes with the transaction, if that does not end well.

        An index made of rows that lie in its order costs less than one kept while they come.
        """
        table = known.successor
        self.execute(history.create_table(projection, table, self.dialect))
        self.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
        self.fill(projection, table, last)
        self.execute(
            f"ALTER TABLE {table} ADD PRIMARY KEY ({', '.join(history.table_key(projection))})"
        )
        self._analyze(table)
        return table

    def adopt(self, projection: Projection, known: Tracked, beside: str, at: str) -> None:
        self.execute(
            "UPDATE tracking SET generation = generation + 1, rebuilt_at = ? WHERE name = ?",
            (at, projection.name),
        )
        admit_writers(self.connection)
        self.execute(f"SET LOCAL lock_timeout = '{SWAP_TIMEOUT_MS}ms'")
        for statement in history.create_views(projection, beside):
            self.execute(statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
        self.execute(f"DROP TABLE {known.table}")

    def analyze(self) -> None:
        """Those that never were; the others the server looks at again when they have changed."""
        for (table,) in self.execute(
            "SELECT relname FROM pg_class "
            "WHERE relnamespace = to_regnamespace('views') AND relkind = 'r' AND reltuples < 0"
        ).fetchall():
            self._analyze(table)

    def _analyze(self, table: str) -> None:
        with self.connection.transaction():
            self.execute(f"SET LOCAL default_statistics_target = {STATISTICS_TARGET}")
            self.connection.execute(SQL("ANALYZE {}").format(Identifier("views", table)))

    def query(
        self, sql: str, row_limit: int, time_limit_s: float
    ) -> tuple[tuple[str, ...], list[Row], bool]:
        with self.another() as own:
            return run_query(own.connection, sql, row_limit, time_limit_s)

    def wait(self, seconds: float) -> None:
        """Until something was appended; a notification may get lost, so not longer than that.

        A standby refuses to listen, and a role that only reads waits for who keeps the views.
        """
        with self.store_errors():
            if not self.keeps:
                time.sleep(seconds)
                self._look()
                return
            self.connection.execute(f"LISTEN {APPENDED}")
            for _ in self.connection.notifies(timeout=seconds, stop_after=1):
                pass

    def is_passing(self, error: StoreUnavailable, /) -> bool:
        why = error.__cause__
        lost = why is not None and (is_lost(why) or is_given_up(why))
        return lost or self.connection.closed

    def reconnect(self) -> None:
        """It may be another server that is there then, and it may take a person to promote it."""
        end = time.monotonic() + LOST_S
        while True:
            try:
                self.connection.close()
                self._connect()
            except StoreUnavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(RECONNECT_S)
            else:
                return


@lru_cache(maxsize=512)
def _spelt(statement: str) -> bytes:
    """With psycopg's placeholders. Our own statements have no question marks but parameters."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


def event_pages(
    database: PostgresDatabase, columns: Sequence[str], first: int, size: int
) -> Iterator[list[Row]]:
    """The events from a position on, so many at a time, by a connection of their own."""
    wanted = (
        f"SELECT {', '.join(columns)} FROM events WHERE position >= %s ORDER BY position LIMIT %s"
    )
    with as_store_errors(str(database)), connect(database.url) as connection:
        connection.row_factory = tuple_row
        while page := connection.execute(wanted.encode(), (first, size)).fetchall():
            yield page
            first = page[-1][0] + 1
