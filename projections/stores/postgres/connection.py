"""A connection to the views of a ledger on PostgreSQL: the schema `views` of its database.

The role that owns the schema rebuilds them. The ledger's writers may catch them up; its readers may
only read them. A standby has them as the primary last wrote them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final

from eventsourcing.persistence import PersistenceError
from psycopg import Connection as PsycopgConnection
from psycopg import Error, errors
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ledger.errors import NotFound, StoreUnavailable
from ledger.persistence.columns import COLUMNS, FORMAT_VERSION
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.opening import REMEDY
from ledger.persistence.postgres.connections import connect, is_given_up, is_lost
from ledger.persistence.postgres.format import format_of, make
from ledger.persistence.postgres.roles import NAMES, make_views_schema
from ledger.persistence.postgres.schema import APPENDED
from ledger.persistence.postgres.schema_check import refuse_altered
from ledger.persistence.schema_difference import Difference
from projections.definitions.declared import VIEWS
from projections.dialect import POSTGRES
from projections.stores import trail
from projections.stores.connection import Connection, Cursor, Row
from projections.stores.declarations import schema as common_schema
from projections.stores.postgres.definitions import differences
from projections.stores.postgres.rights import LOCK, MAKING, admit_writers, narrow_defaults

LAYOUT: Final = 8
"""Stored in the table `layout`. Grows when a table that belongs to no projection changes, or a view
over the events: then all of them are made anew."""
LOCK_TIMEOUT_S: Final = 30
LOST_S: Final = 600
"""How long a lost connection is retried while the views are followed."""
RECONNECT_S: Final = 0.5
PAGE: Final = 1_000
"""How many rows of a streamed answer the server sends at a time."""
COPIED: Final = 50
"""From how many rows on they are written by COPY and not by INSERT."""

_MAKE_THEM: Final = "On the primary, their owner runs `authledger projection catch-up`."
_OWNER: Final = """
    SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'views'
    AND pg_get_userbyid(nspowner) <> current_user AND pg_has_role(current_user, nspowner, 'MEMBER')
"""
"""The views' owner, if that is another role for which this one may act."""
_STATE: Final = f"""
    SELECT (SELECT count(*) FROM pg_class
            WHERE relnamespace = to_regnamespace('ledger') AND relname = 'events') = 1,
           (SELECT count(*) FROM pg_class
            WHERE relnamespace = to_regnamespace('views') AND relname = 'layout') = 1,
           pg_is_in_recovery(), ({_OWNER})
"""
"""Whether there is a ledger, whether there are views, whether this is a standby, and _OWNER."""
_OBJECTS: Final = """
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, nspname, relname FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname IN ('views', 'views_names') AND relkind IN ('r', 'v')
"""
PATH: Final = f"{NAMES}, views, pg_temp"
"""Where a name of a view is looked for: PostgreSQL passes over a schema without rights. Temporary
tables come last, or one that was made at login would hide a view.
"""


class PostgresConnection(Connection):
    """A connection to the schema `views`, which is made if there is none."""

    dialect = POSTGRES

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__()
        self.database = database
        self._connect()

    def _connect(self) -> None:
        with self.store_errors():
            self.psycopg: PsycopgConnection[Any] = connect(
                self.database.url, lock_timeout_s=LOCK_TIMEOUT_S
            )
            try:
                self.psycopg.row_factory = tuple_row
                # A crash may cost the newest changes, which are caught up again: only a rebuild
                # waits for the disk.
                self.psycopg.execute(f"SET search_path = {PATH}; SET synchronous_commit = off")
                self._prepare()
            except BaseException:
                self.psycopg.close()
                raise

    def _prepare(self) -> None:
        is_ledger, has_views, is_standby, owner = self.execute(_STATE).fetchone()
        if not is_ledger or not self._has_format():
            raise NotFound(f"There is no ledger at {self.database}.", remedy=REMEDY)
        if not is_standby and not (has_views and self._has_tables()):
            self._make_tables()
        elif not is_standby:
            self._act_for(owner)
        elif not has_views:
            raise self._without_views()
        self._look_up_rights()

    def _has_format(self) -> bool:
        """Whether the ledger has a format. Raises NotALedger, NewerFormat, SchemaAltered."""
        with self.psycopg.cursor() as c:
            try:
                version = format_of(c, str(self.database))
            except errors.InsufficientPrivilege:
                version = FORMAT_VERSION  # A role that only reads the views cannot look.
            if version:
                refuse_altered(c, str(self.database), version)
            return version > 0

    def _without_views(self) -> StoreUnavailable:
        return StoreUnavailable(f"{self.database} has no views yet.", remedy=_MAKE_THEM)

    def _act_for(self, owner: str | None) -> None:
        """Act as the views' owner, if this role may: then new tables belong to the owner, with the
        rights that the owner has given to others.
        """
        if owner is not None:
            # A member may still lack the right to SET ROLE.
            with suppress(errors.InsufficientPrivilege), self.psycopg.transaction():
                self.psycopg.execute(SQL("SET ROLE {}").format(Identifier(owner)))

    def _look_up_rights(self) -> None:
        """Look up what this connection may do; a standby may have become the primary."""
        self.can_catch_up, self.can_rebuild = self.execute(
            "SELECT may, may AND pg_has_role(current_user, relowner, 'USAGE') FROM pg_class, "
            "(SELECT NOT pg_is_in_recovery() AND has_column_privilege("
            "'views.tracking', 'position', 'UPDATE') AS may) AS here "
            "WHERE oid = 'views.tracking'::regclass"
        ).fetchone()

    def _has_tables(self) -> bool:
        return bool(self.value("SELECT version FROM layout") == LAYOUT)

    def _make_tables(self) -> None:
        """Make the tables that belong to no projection; drop all of an older layout."""
        with self.psycopg.transaction():
            self.execute(MAKING)
            has_views = self.execute(_STATE).fetchone()[1]
            if has_views and self._has_tables():
                return
            make_views_schema(self.psycopg)
            self._act_for(self.value(_OWNER))
            objects = self.execute(_OBJECTS).fetchall()
            if not has_views and any(schema == "views" for _, schema, _ in objects):
                raise StoreUnavailable(
                    f"The schema 'views' in {self.database} belongs to another program. "
                    "Nothing was changed.",
                    remedy="Give the ledger a database of its own.",
                )
            make(self.psycopg, str(self.database))  # An older ledger lacks tables that views need.
            narrow_defaults(self.psycopg)
            self.make_anew()

    def make_anew(self) -> None:
        """Within a transaction only."""
        self.psycopg.execute("SET LOCAL search_path = views, pg_temp")
        for kind, schema, name in self.execute(_OBJECTS).fetchall():
            self.psycopg.execute(
                SQL("DROP {} IF EXISTS {} CASCADE").format(SQL(kind), Identifier(schema, name))
            )
        for statement in (*common_schema(self.dialect), *_own_schema()):
            self.execute(statement)
        self.execute(_BACK)
        admit_writers(self.psycopg)

    def altered(
        self, made: Callable[[], Sequence[str]], /, *, thoroughly: bool = False
    ) -> Sequence[Difference]:
        if not thoroughly or not self.can_rebuild:
            return ()
        try:
            common = common_schema(self.dialect)
            others = made()[len(common) :]
            return differences(self.psycopg, (*common, *_own_schema(), _BACK, *others))
        except errors.InsufficientPrivilege:
            return ()  # The role may not make schemas.

    @property
    def engine(self) -> str:
        return f"postgresql {self.psycopg.info.parameter_status('server_version')}"

    def close(self) -> None:
        self.psycopg.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        with as_store_errors(str(self.database)):
            try:
                yield
            except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
                raise self._without_views() from error
            except errors.InsufficientPrivilege as error:
                raise StoreUnavailable(
                    f"The role has no right to do this to the views of {self.database}: "
                    f"{error.diag.message_primary}.",
                    remedy=f"{_MAKE_THEM} `authledger database grant` gives rights to others.",
                ) from error
            except Error as error:
                raise PersistenceError(error) from error

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Cursor:
        return self.psycopg.execute(_with_placeholders(statement), params)

    @contextmanager
    def streamed(self, statement: str, params: Sequence[Any] = ()) -> Iterator[Cursor]:
        """A server-side cursor: the server holds the rows, and sends a page at a time."""
        with self.psycopg.cursor(name="streamed") as cursor:
            cursor.itersize = PAGE
            yield cursor.execute(_with_placeholders(statement), params)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        if given := list(rows):  # Without rows it would still be a round trip.
            with self.psycopg.cursor() as cursor:
                cursor.executemany(_with_placeholders(statement), given)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        written, named = list(rows), ", ".join(columns)
        if len(written) < COPIED:
            places = ", ".join("?" * len(columns))
            self.execute_many(f"INSERT INTO {table} ({named}) VALUES ({places})", written)
            return
        copying = f"COPY {table} ({named}) FROM STDIN".encode()
        with self.psycopg.cursor() as cursor, cursor.copy(copying) as copy:
            for row in written:
                copy.write_row(row)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.psycopg.transaction():
            self.execute(
                "SET LOCAL search_path = views, pg_temp"
            )  # New tables and views belong there.
            self.execute(LOCK)
            yield

    @contextmanager
    def snapshot(self, *names: str) -> Iterator[None]:
        """The tables are locked against a swap before the snapshot is taken."""
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        try:
            if names:
                self.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")
            yield
        finally:
            if not self.psycopg.closed:
                self.execute("ROLLBACK")

    def wait(self, seconds: float) -> None:
        """Wait for the notification of an append. It may get lost, hence the limit.

        A standby cannot LISTEN, and a reading role waits for the process that catches up.
        """
        with self.store_errors():
            if not self.can_catch_up:
                time.sleep(seconds)
                self._look_up_rights()
                return
            self.psycopg.execute(f"LISTEN {APPENDED}")
            for _ in self.psycopg.notifies(timeout=seconds, stop_after=1):
                pass

    def is_transient(self, error: StoreUnavailable, /) -> bool:
        why = error.__cause__
        lost = why is not None and (is_lost(why) or is_given_up(why))
        return lost or self.psycopg.closed

    def reconnect(self) -> None:
        """Connect again, for LOST_S: the new connection may be to another server, and a person may
        have to promote that one first.
        """
        end = time.monotonic() + LOST_S
        while True:
            try:
                self.psycopg.close()
                self._connect()
            except StoreUnavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(RECONNECT_S)
            else:
                return


_BACK: Final = "SET LOCAL search_path = views, pg_temp"
_SUBJECTS_WITHOUT_NAMES: Final = (
    "CREATE VIEW subjects AS SELECT subject, kind, "
    'CAST(NULL AS text) COLLATE "C" AS name FROM ledger.subjects'
)


def _own_schema() -> tuple[str, ...]:
    """The statements for tables and views that only PostgreSQL needs."""
    return (
        f"CREATE VIEW entries AS SELECT {', '.join(COLUMNS)} FROM ledger.events",
        f"CREATE VIEW events AS {trail.events('ledger.events')}",
        _SUBJECTS_WITHOUT_NAMES,
        "CREATE VIEW documents AS SELECT digest, size, text FROM ledger.documents",
        *_of_events_alone("views"),
        # The lock of writers. The table is empty, so the right to lock it gives no other right.
        "CREATE TABLE write_lock ()",
        "CREATE TABLE layout (version integer NOT NULL)",
        f"INSERT INTO layout VALUES ({LAYOUT:d})",
        f"SET LOCAL search_path = {NAMES}, views",
        f"CREATE VIEW {NAMES}.subjects AS SELECT subject, kind, name FROM ledger.subjects",
        *_of_events_alone(NAMES),
    )


def _of_events_alone(schema: str) -> Iterator[str]:
    """The views over the events alone, in a schema: with the names, or without."""
    for name, view in VIEWS.items():
        if view.is_of_events_alone:
            yield f"CREATE VIEW {schema}.{name} AS {view.select(POSTGRES)}"


@lru_cache(maxsize=512)
def _with_placeholders(statement: str) -> bytes:
    """A statement with psycopg's placeholders. In ours, each question mark is a parameter."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


def entry_pages(database: PostgresDatabase, first: int, size: int) -> Iterator[list[Row]]:
    """The entries from a position on, a page of so many at a time, by a connection of their own."""
    wanted = (
        f"SELECT {', '.join(COLUMNS)} FROM events WHERE position >= %s ORDER BY position LIMIT %s"
    )
    with as_store_errors(str(database)), connect(database.url) as connection:
        connection.row_factory = tuple_row
        while page := connection.execute(wanted.encode(), (first, size)).fetchall():
            yield page
            first = page[-1][0] + 1
