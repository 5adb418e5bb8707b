"""Free SQL on PostgreSQL: one SELECT, in a read-only transaction, with the rights of the role.

Give people who may only see the views a role that has no other rights.
"""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import Any

from psycopg import Connection, Error, errors
from psycopg.rows import tuple_row

from ledger.errors import InvalidInput
from ledger.persistence.location import PostgresDatabase
from projections.stores.postgres.connection import PostgresConnection
from projections.stores.query import Fetched, fetch, is_empty, not_allowed, took_too_long

_OF_THE_STORE = (errors.OperationalError, errors.InternalError)


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
            raise InvalidInput(f"The query failed: {_first_line(error)}.") from error


def _fetched(
    connection: Connection[Any], asked: str, row_limit: int, time_limit_s: float
) -> Fetched:
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute(f"SET LOCAL statement_timeout = {max(1, int(time_limit_s * 1000))}")
        with connection.cursor(row_factory=tuple_row) as cursor:
            # A subquery can only be a SELECT; a streamed statement cannot be followed by another.
            statement = f"SELECT * FROM (\n{asked}\n) AS asked LIMIT {row_limit + 1:d}"
            rows = fetch(cursor.stream(statement.encode()), row_limit + 1)
            columns = tuple(column.name for column in cursor.description or ())
    return Fetched(
        columns, [tuple(map(_plain, row)) for row in rows[:row_limit]], len(rows) > row_limit
    )


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
