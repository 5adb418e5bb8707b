"""Free SQL on PostgreSQL: one SELECT, in a read-only transaction, with the rights of the role.

Give people who may only see the views a role that has no other rights.
"""

from __future__ import annotations

import re
import secrets
from contextlib import closing
from decimal import Decimal
from typing import Any, Final

from psycopg import Connection, Error, errors
from psycopg.pq import ExecStatus
from psycopg.rows import tuple_row

from ledger.errors import InvalidInput
from ledger.persistence.location import PostgresDatabase
from projections.stores.postgres.connection import PostgresConnection
from projections.stores.query import (
    ROW_BYTES_MAX,
    Fetched,
    fetch,
    is_empty,
    not_allowed,
    row_too_large,
    took_too_long,
)

_OF_THE_STORE = (errors.OperationalError, errors.InternalError)

_TOO_LARGE: Final = "a row is larger than"
_HARMLESS: Final = {
    "clock_timestamp", "gen_random_uuid", "pg_sleep", "random", "random_normal", "timeofday",
    "uuidv4", "uuidv7",
}  # fmt: skip
_VOLATILE: Final = "SELECT DISTINCT proname FROM pg_proc WHERE provolatile = 'v'"
"""These have effects, as set_config('role', …) and pg_advisory_lock, or run SQL from a text."""
_word = re.compile(r"[^\W\d][\w$]*")


class PostgresQuery:
    """Free SQL over the schema `views`, by a connection of its own for each query."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def __call__(self, sql: str, row_limit: int, time_limit_s: float) -> Fetched:
        """Raises InvalidInput, QueryTimedOut."""
        asked = sql.strip().rstrip(";").rstrip()
        if not asked:
            raise is_empty()
        try:
            with closing(PostgresConnection(self._database)) as own:
                return _fetched(own.psycopg, asked, row_limit, time_limit_s)
        except errors.QueryCanceled as error:
            raise took_too_long(time_limit_s) from error
        except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction) as error:
            raise not_allowed(_first_line(error)) from error
        except _OF_THE_STORE:
            raise
        except Error as error:
            if _TOO_LARGE in _first_line(error):
                raise row_too_large() from error
            raise InvalidInput(f"The query failed: {_first_line(error)}.") from error


def _fetched(
    connection: Connection[Any], asked: str, row_limit: int, time_limit_s: float
) -> Fetched:
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute(f"SET LOCAL statement_timeout = {max(1, int(time_limit_s * 1000))}")
        with connection.cursor(row_factory=tuple_row) as cursor:
            limited = _limited(asked, row_limit + 1)
            # The text must also be one statement by itself: `SELECT 1) AS x --` would leave the
            # parentheses that are put around it.
            for text in (limited, asked):
                _check_statement(connection, text)
            _check_functions(connection, asked)
            rows = fetch(cursor.stream(limited.encode()), row_limit + 1)
            columns = tuple(column.name for column in cursor.description or ())
    return Fetched(
        columns, [tuple(map(_plain, row)) for row in rows[:row_limit]], len(rows) > row_limit
    )


def _limited(asked: str, rows_max: int) -> str:
    """The query as a subquery, which can only be a SELECT. A larger row is an error of a cast."""
    name = f"asked_{secrets.token_hex(16)}"  # A column of the query must not have this name.
    size = f"octet_length(CAST({name} AS text))"
    return (
        f"SELECT * FROM (\n{asked}\n) AS {name} WHERE CASE WHEN {size} > {ROW_BYTES_MAX:d} "
        f"THEN CAST('{_TOO_LARGE} {ROW_BYTES_MAX:d} bytes: ' || {size} AS boolean) ELSE true END "
        f"LIMIT {rows_max:d}"
    )


def _check_statement(connection: Connection[Any], text: str) -> None:
    """Raises Error unless the server can prepare the text, as one statement."""
    result = connection.pgconn.prepare(b"", text.encode())
    if result.status != ExecStatus.COMMAND_OK:
        raise errors.error_from_result(result)


def _check_functions(connection: Connection[Any], asked: str) -> None:
    """Raises InvalidInput if a word of the query is the name of a function that has effects."""
    if 'u&"' in asked.lower():
        raise not_allowed('a name that is written as U&"…" is not accepted')
    volatile = {name for (name,) in connection.execute(_VOLATILE)} - _HARMLESS
    words = _word.findall(asked)
    if used := sorted(volatile & {*words, *map(str.lower, words)}):
        raise not_allowed(f"the function {used[0]} has effects, or runs SQL from a text")


def _plain(value: object) -> object:
    """A value as one of the types that SQLite has too."""
    if value is None or isinstance(value, str | int | float | bytes | list | dict):
        return value
    if isinstance(value, Decimal):
        return (
            int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
        )
    return str(value)


def _first_line(error: Error) -> str:
    return (error.diag.message_primary or str(error)).partition("\n")[0].rstrip(".")
