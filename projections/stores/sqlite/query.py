"""Free SQL on SQLite, read-only in the engine itself: its authorizer permits nothing but reading.

The connection opens the views' file read-only, limits the length of any one value, and is
interrupted when its time is up.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from ledger.errors import InvalidInput, LedgerError
from ledger.persistence.sqlite.files import connect, uri_of
from projections.stores.query import Fetched, fetch, is_empty, not_allowed, took_too_long
from projections.stores.sqlite.connection import attach_ledger

VALUE_BYTES_MAX: Final = 100_000
"""No value is longer, because a single function call on a long one cannot be interrupted. An entry
has 65,535 bytes at most."""

_ALLOWED: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_FORBIDDEN_FUNCTIONS: Final = {"load_extension", "fts3_tokenizer"}
_FORBIDDEN_TABLES: Final = {"sqlite_temp_master", "sqlite_temp_schema"}
_OF_THE_STORE: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR", "SQLITE_FULL")
_INTERRUPTED: Final = "interrupted"
_INSTRUCTIONS_BETWEEN_LOOKS: Final = 10_000


class SQLiteQuery:
    """Free SQL over the views' file, by a connection of its own for each query."""

    def __init__(self, path: Path, ledger: Path) -> None:
        self._path, self._ledger = path, ledger

    def __call__(self, sql: str, row_limit: int, time_limit_s: float) -> Fetched:
        """Raises InvalidInput, QueryTimedOut, and KeyboardInterrupt on Ctrl-C."""
        with closing(connect(uri_of(self._path, "ro"), isolation_level=None)) as connection:
            end = time.monotonic() + time_limit_s
            try:
                # A random name: some joins reach columns that the authorizer is not asked about,
                # so a query must not be able to name the table that holds the salts.
                attach_ledger(connection, self._ledger, f"ledger_{secrets.token_hex(16)}")
                _forbid_writing(connection)
                return _fetched(connection, sql, row_limit, end)
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                if getattr(error, "sqlite_errorname", "").startswith(_OF_THE_STORE):
                    raise
                if str(error) == _INTERRUPTED and time.monotonic() <= end:
                    # sqlite3 drops an exception of the progress handler, where Ctrl-C arrives.
                    raise KeyboardInterrupt from error
                raise _explained(error, time_limit_s) from error


def _fetched(connection: sqlite3.Connection, sql: str, row_limit: int, end: float) -> Fetched:
    connection.set_progress_handler(lambda: time.monotonic() > end, _INSTRUCTIONS_BETWEEN_LOOKS)
    cursor = connection.execute(sql)
    if cursor.description is None:
        raise is_empty()
    rows = fetch(cursor, row_limit + 1)
    columns = tuple(column[0] for column in cursor.description)
    return Fetched(columns, rows[:row_limit], len(rows) > row_limit)


def _forbid_writing(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)

    def authorize(
        action: int, first: str | None, second: str | None, _: str | None, __: str | None
    ) -> int:
        if action not in _ALLOWED:
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS:
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ and first in _FORBIDDEN_TABLES:
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    connection.set_authorizer(authorize)


def _explained(error: Exception, time_limit_s: float) -> LedgerError:
    text = str(error)
    if text == _INTERRUPTED:
        return took_too_long(time_limit_s)
    if any(word in text for word in ("not authorized", "prohibited", "readonly", "cannot modify")):
        return not_allowed(text)
    return InvalidInput(f"The query failed: {text.rstrip('.')}.")
