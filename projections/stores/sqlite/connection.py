"""A connection to the views' own file; the ledger's is attached read-only as `ledger`.

Both must stay the files that were opened: another history under the same name is never read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.errors import NotALedger, StoreUnavailable
from ledger.persistence.columns import COLUMNS
from ledger.persistence.failures import as_store_errors
from ledger.persistence.schema_difference import Difference, refuse_misleading
from ledger.persistence.sqlite.connections import use_wal
from ledger.persistence.sqlite.files import attach, connect, uri_of
from ledger.persistence.sqlite.format import check_file
from ledger.persistence.sqlite.opened_file import OpenedFile
from ledger.persistence.sqlite.schema_check import (
    compared,
    made_by,
    schema_differences,
    stored_objects,
)
from projections.definitions.declared import VIEWS
from projections.dialect import SQLITE
from projections.projection import EVENTS
from projections.stores import trail
from projections.stores.connection import Connection
from projections.stores.declarations import schema
from projections.stores.sqlite.place import Place, place_of, views_path

APPLICATION_ID: Final = 0x61_75_74_76
"""`autv`: tells a file of views from another database."""
LAYOUT: Final = 6
"""Stored as the file's user version. Grows when the tables change that belong to no projection."""
LOCK_TIMEOUT_S: Final = 30
CACHE_KIB: Final = 65_536
_VIEWS: Final = "Try again: the views are opened anew, and built again if they are missing."
ANALYZED_MAX: Final = 1_000
"""So many rows of an index show how rare its values are; reading all would take seconds."""


class SQLiteConnection(Connection):
    """A connection to the views' file, which is made if there is none.

    Raises NotALedger, NewerFormat, NotFound if the ledger's file is empty, StoreUnavailable.
    """

    dialect = SQLITE

    def __init__(self, ledger: Path, place: Place | None = None) -> None:
        """`place`: where the views are, for a further connection to the same ones."""
        super().__init__()
        self.ledger = ledger.absolute()
        self._is_attached, self._checked, self._unaltered = False, -1, -1
        self._opened: list[OpenedFile] = []
        with as_store_errors(str(ledger)):
            opened = OpenedFile(self.ledger, uri_of(self.ledger, "ro"))
            check_file(ledger, LOCK_TIMEOUT_S)
        with as_store_errors(str(views_path(self.ledger))):
            self.place = place or place_of(self.ledger)
            self._opened.append(OpenedFile(self.place.path, self.place.uri("rwc"), _VIEWS))
        with self.store_errors():
            self._sqlite = connect(
                self.place.uri("rwc"),
                isolation_level=None,
                timeout=LOCK_TIMEOUT_S,
                check_same_thread=False,  # `store_errors` checks it, and any thread may close it.
            )
        try:
            with self.store_errors():
                self._prepare()
            with as_store_errors(str(ledger)):
                attach_ledger(self._sqlite, self.ledger)
            self._is_attached = True
            self._opened.append(opened)
        except BaseException:
            self._sqlite.close()
            raise

    def _prepare(self) -> None:
        with self.snapshot():  # Another process may just be making the tables.
            application_id = self.value("PRAGMA application_id")
            tables = self.value("SELECT count(*) FROM sqlite_schema")
        if application_id != APPLICATION_ID and tables:
            raise StoreUnavailable(
                f"{self.place} is the place of the views, but holds another database.",
                remedy="Move that file away; the views are built again from the ledger.",
            )
        use_wal(self._sqlite, LOCK_TIMEOUT_S)
        # A loss of power may cost the newest changes, which are caught up again; it tears nothing.
        self.set_durable(durable=False)
        self._sqlite.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._sqlite.execute(f"PRAGMA analysis_limit = {ANALYZED_MAX}")
        if not self._has_tables():
            with self.transaction():
                if not self._has_tables():
                    self.make_anew()

    def _has_tables(self) -> bool:
        return bool(self.value("PRAGMA user_version") == LAYOUT)

    def make_anew(self) -> None:
        objects = self._sqlite.execute(
            "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY type DESC"
        ).fetchall()
        for kind, name in objects:
            quoted = name.replace('"', '""')
            self._sqlite.execute(f'DROP {kind} IF EXISTS "{quoted}"')
        for statement in schema(self.dialect):
            self._sqlite.execute(statement)
        self._sqlite.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._sqlite.execute(f"PRAGMA user_version = {LAYOUT}")

    @property
    def engine(self) -> str:
        return f"sqlite {sqlite3.sqlite_version}"

    def close(self) -> None:
        self._sqlite.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            with as_store_errors(str(self.place)):
                self._check_files()
                try:
                    yield
                finally:
                    self._check_files()
        except StoreUnavailable as error:
            if type(error) not in (StoreUnavailable, NotALedger) or error.__cause__ is None:
                raise  # The message is about something else than a damaged file.
            raise StoreUnavailable(
                f"The views {self.place} cannot be used: {error.__cause__}.",
                remedy="Delete that file; the views are built again from the ledger. If that does "
                "not help, the ledger is damaged.",
            ) from error

    def _check_files(self) -> None:
        """Raises LedgerReplaced."""
        for each in self._opened:
            each.check()

    def execute(self, statement: str, params: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._sqlite.execute(statement, params)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._sqlite.executemany(statement, rows)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(columns))
        self._sqlite.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._sqlite.execute("BEGIN IMMEDIATE")
        try:
            self._check_ledger()
            yield
        except BaseException:
            self._sqlite.execute("ROLLBACK")
            raise
        self._sqlite.execute("COMMIT")

    @contextmanager
    def snapshot(self, *_: str) -> Iterator[None]:
        self._sqlite.execute("BEGIN")
        try:
            self._check_ledger()
            yield
        finally:
            self._sqlite.execute("ROLLBACK")

    def altered(
        self, made: Callable[[], Sequence[str]], /, *, thoroughly: bool = False
    ) -> Sequence[Difference]:
        del thoroughly  # A changed schema is always seen.
        version = self.value("PRAGMA main.schema_version")
        if version != self._unaltered:
            statements = made()
            if found := self._differences(statements):
                return found
            self._unaltered = version
        return ()

    def _differences(self, statements: Sequence[str]) -> list[Difference]:
        """Looks for differences if not all texts are the same, which costs less to see."""
        texts = self._sqlite.execute(
            "SELECT sql FROM main.sqlite_schema WHERE sql NOTNULL AND name NOT LIKE 'sqlite%'"
        )
        if sorted(text for (text,) in texts) == sorted(statements):
            return []
        return compared(stored_objects(self._sqlite.cursor()), made_by(statements))

    def _check_ledger(self) -> None:
        """Check the ledger's schema again if it has changed. Raises SchemaAltered."""
        if self._is_attached:
            version = self.value("PRAGMA ledger.schema_version")
            if version != self._checked:
                check_ledger(self._sqlite, self.ledger)
                self._checked = version

    def set_durable(self, *, durable: bool) -> None:
        """Whether a commit waits until its changes are on the disk."""
        self._sqlite.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")


def check_ledger(connection: sqlite3.Connection, ledger: Path, schema: str = "ledger") -> None:
    """Raises SchemaAltered if the attached ledger has other tables than this program makes."""
    refuse_misleading(str(ledger), schema_differences(connection.cursor(), schema))


def attach_ledger(connection: sqlite3.Connection, ledger: Path, schema: str = "ledger") -> None:
    """Attach the ledger read-only, and make views of what may be read of it: no salts.

    Raises SchemaAltered.
    """
    attach(connection, ledger, schema)
    check_ledger(connection, ledger, schema)
    own = ", ".join(COLUMNS)
    connection.execute(f"CREATE TEMP VIEW entries AS SELECT {own} FROM {schema}.events")
    connection.execute(f"CREATE TEMP VIEW events AS {trail.events(f'{schema}.events')}")
    connection.execute(
        f"CREATE TEMP VIEW subjects AS SELECT subject, kind, name FROM {schema}.subjects"
    )
    kept = f"SELECT digest, size, text FROM {schema}.documents"
    if not connection.execute(
        f"SELECT 1 FROM {schema}.sqlite_schema WHERE name = 'documents'"
    ).fetchone():  # An older ledger, which nobody has written to since.
        kept = "SELECT '' AS digest, 0 AS size, '' AS text WHERE false"
    connection.execute(f"CREATE TEMP VIEW documents AS {kept}")
    for name, view in VIEWS.items():
        if EVENTS in view.over:
            connection.execute(f"CREATE TEMP VIEW {name} AS {view.select(SQLITE)}")
