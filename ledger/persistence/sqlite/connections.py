"""Connections to a SQLite ledger: durable, waiting for locks, refusing other programs' files."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from types import TracebackType
from typing import Any, Final

from eventsourcing.sqlite import (
    SQLITE3_DEFAULT_LOCK_TIMEOUT,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTransaction,
)

from ledger.persistence.columns import APPLICATION_ID
from ledger.persistence.sqlite.files import connect
from ledger.persistence.sqlite.opened_file import OpenedFile

_PAUSE_S: Final = 0.005
_CACHE_KIB: Final = 16_384
"""Holds the pages at the ends of some thousand streams, where an import appends. Four times as much
saves no time: the system holds the other pages.
"""
_WAL_PAGES: Final = 4_000
"""16 MB: a page that many transactions of an import change is written to the file only once."""


class _Transaction(SQLiteTransaction):
    """Takes the write lock when it begins: SQLite does not wait for a lock that is taken later.

    On a connection that holds the lock already, it is a part of the transaction that took it.
    """

    connection: _Connection

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        self._is_part = self.connection.in_transaction
        if not self._is_part:
            cursor.execute("BEGIN IMMEDIATE" if self.commit else "BEGIN")
            self._check_file()
        return cursor

    def _check_file(self) -> None:
        try:
            self.connection.check_file()
        except BaseException:
            self.connection.rollback()
            raise

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._is_part and not self.commit and exc_val is None:
            return  # The transaction goes on: a decision on these rows follows under the lock.
        try:
            super().__exit__(exc_type, exc_val, exc_tb)
        finally:
            self.connection.rollback()  # After a commit that failed, the transaction may still be open.
            self.connection.check_file()  # Perhaps the commit went into a file that has no name.


class _Connection(SQLiteConnection):
    def __init__(self, connection: sqlite3.Connection, pool: _Pool) -> None:
        super().__init__(connection, max_age=pool.max_age)
        self._pool, self._checked = pool, -1
        self.check_file = pool.check_file

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with _Transaction(self, commit=commit) as cursor, cursor:
            self.check_schema(cursor)
            yield cursor

    def check_schema(self, c: SQLiteCursor) -> None:
        """Check the schema if it has changed since this connection checked it."""
        if self._pool.check is not None:
            c.execute("PRAGMA schema_version")
            (version,) = c.fetchone()
            if version != self._checked:
                self._pool.check(c)
                self._checked = version

    @property
    def in_transaction(self) -> bool:
        return self._sqlite_conn.in_transaction


def use_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Switch a database to a write-ahead log.

    If several processes open a new file at once, SQLite fails without waiting. So this waits.
    """
    end = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


class _Pool(SQLiteConnectionPool):
    check: Callable[[SQLiteCursor], None] | None = None
    """Raises an error unless the schema is the ledger's."""

    file: OpenedFile | None = None

    def check_file(self) -> None:
        """Raises LedgerReplaced."""
        if self.file is not None:
            self.file.check()

    def _create_connection(self) -> SQLiteConnection:
        timeout_s = self.lock_timeout or SQLITE3_DEFAULT_LOCK_TIMEOUT
        connection = connect(
            self.db_name, check_same_thread=False, isolation_level=None, timeout=timeout_s
        )
        connection.row_factory = sqlite3.Row
        try:
            # Another program's database is refused; not even its journal mode is changed before.
            if _is_writable(self.db_name) and _may_be_a_ledger(connection):
                use_wal(connection, timeout_s)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            connection.execute(
                "PRAGMA secure_delete = ON"
            )  # Bytes of erased names are overwritten.
        except BaseException:
            connection.close()
            raise
        return _Connection(connection, self)


def _is_writable(uri: str) -> bool:
    return "mode=rwc" in uri


def _may_be_a_ledger(connection: sqlite3.Connection) -> bool:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return bool(application_id == APPLICATION_ID or (application_id == 0 and tables == 0))


class _Held(local):
    connection: SQLiteConnection | None = None


class Datastore(SQLiteDatastore):
    """The library's datastore with our connections, and the append lock."""

    refuses_altered = True
    """Whether a ledger is refused if its tables may mislead a reader."""

    def __init__(self, db_name: str, *, file: OpenedFile | None = None, **options: Any) -> None:
        super().__init__(db_name, **options)
        self.pool.close()
        options.pop("single_row_tracking", None)
        options.pop("originator_id_type", None)
        self.connections = _Pool(db_name=db_name, **options)
        self.pool = self.connections
        self.connections.file = file
        self._held = _Held()

    def check_schema_by(self, check: Callable[[SQLiteCursor], None]) -> None:
        """Check the schema at the beginning of every transaction that sees another one."""
        self.connections.check = check

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        if self._held.connection is not None:
            yield self._held.connection
            return
        with super().get_connection(commit=commit) as connection:
            yield connection

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold the write lock until this thread has committed, or the context ends."""
        with self.get_connection(commit=True) as connection:
            connection.cursor().execute("BEGIN IMMEDIATE")
            self._held.connection = connection
            try:
                yield
            finally:
                self._held.connection = None
                connection.rollback()
