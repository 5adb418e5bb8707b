"""Free SQL, read-only in the engine itself: what may be done is decided by SQLite's authorizer.

The connection opens the views' file read-only, forbids every action but reading, bounds the
length of any one value, and is interrupted when its time is up.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.errors import InvalidInput, LedgerError, QueryTimedOut

VALUE_BYTES_MAX: Final = 100_000
"""No value is longer, for a single function call on long ones cannot be interrupted. An entry has
65,535 bytes at most."""
ANSWER_BYTES_MAX: Final = 64_000_000
"""No answer is larger."""

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


def run_query(
    connection: sqlite3.Connection,
    attach: Callable[[str], None],
    sql: str,
    row_limit: int,
    time_limit_s: float,
) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
    """Column names, rows up to the limit, and whether there were more.

    The connection is to the views' file, read-only; `attach` attaches the ledger under a name.
    Raises InvalidInput, and KeyboardInterrupt where Ctrl-C ended the query.
    """
    end = time.monotonic() + time_limit_s
    try:
        # A name that nobody can know: some joins reach columns that the authorizer is not asked
        # about, so the table that holds the salts must not be nameable at all.
        attach(f"ledger_{secrets.token_hex(16)}")
        _forbid_writing(connection)
        connection.set_progress_handler(lambda: time.monotonic() > end, _INSTRUCTIONS_BETWEEN_LOOKS)
        cursor = connection.execute(sql)
        if cursor.description is None:
            raise InvalidInput("The query is empty.", remedy='Write one: "SELECT …".')
        rows = fetched(cursor, row_limit + 1)
        columns = tuple(column[0] for column in cursor.description)
        return columns, rows[:row_limit], len(rows) > row_limit
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        if getattr(error, "sqlite_errorname", "").startswith(_OF_THE_STORE):
            raise
        if str(error) == _INTERRUPTED and time.monotonic() <= end:
            # sqlite3 drops what is raised in the handler, which is where Ctrl-C arrives.
            raise KeyboardInterrupt from error
        raise _explained(error, time_limit_s) from error


def fetched(cursor: Iterable[tuple[Any, ...]], row_limit: int) -> list[tuple[Any, ...]]:
    """So many rows. Raises InvalidInput if they are larger than an answer may be."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if size > ANSWER_BYTES_MAX:
            raise InvalidInput(
                f"The answer is larger than {ANSWER_BYTES_MAX} bytes.", remedy="Ask for less."
            )
        if len(rows) == row_limit:
            break
    return rows


def _forbid_writing(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
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
        return QueryTimedOut(
            f"The query was stopped: it took longer than {time_limit_s:g} s.",
            remedy="Ask for less, or give it more time with --time-limit.",
        )
    if any(word in text for word in ("not authorized", "prohibited", "readonly", "cannot modify")):
        return InvalidInput(
            f"The query may only read the views: {text}.",
            remedy="`authledger docs views` names them.",
        )
    return InvalidInput(f"The query is not understood: {text.rstrip('.')}.")
