"""Free SQL on PostgreSQL: one SELECT, in a read-only transaction, with the rights of the role.

Who shall see the views and nothing else is given a role that sees them and nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from psycopg import Connection, Error, errors
from psycopg.rows import tuple_row

from ledger.errors import InvalidInput, QueryTimedOut
from projections.stores.sqlite_query import fetched

_OF_THE_STORE = (errors.OperationalError, errors.InternalError)


def run_query(
    connection: Connection[Any], sql: str, row_limit: int, time_limit_s: float
) -> tuple[tuple[str, ...], list[tuple[Any, ...]], bool]:
    """Column names, rows up to the limit, and whether there were more. Raises InvalidInput."""
    asked = sql.strip().rstrip(";").rstrip()
    if not asked:
        raise InvalidInput("The query is empty.", remedy='Write one: "SELECT …".')
    try:
        with connection.transaction():
            connection.execute("SET TRANSACTION READ ONLY")
            connection.execute(f"SET LOCAL statement_timeout = {max(1, int(time_limit_s * 1000))}")
            with connection.cursor(row_factory=tuple_row) as cursor:
                # Within a subquery stands nothing but a SELECT; streamed, nothing stands behind it.
                statement = f"SELECT * FROM (\n{asked}\n) AS asked LIMIT {row_limit + 1:d}"
                rows = fetched(cursor.stream(statement.encode()), row_limit + 1)
                columns = tuple(column.name for column in cursor.description or ())
    except errors.QueryCanceled as error:
        raise QueryTimedOut(
            f"The query was stopped: it took longer than {time_limit_s:g} s.",
            remedy="Ask for less, or give it more time with --time-limit.",
        ) from error
    except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction) as error:
        raise InvalidInput(
            f"The query may only read the views: {_said(error)}.",
            remedy="`authledger docs views` names them.",
        ) from error
    except _OF_THE_STORE:
        raise
    except Error as error:
        raise InvalidInput(f"The query is not understood: {_said(error)}.") from error
    return columns, [tuple(map(_plain, row)) for row in rows[:row_limit]], len(rows) > row_limit


def _plain(value: object) -> object:
    """Of PostgreSQL's many types, those that SQLite has too."""
    if value is None or isinstance(value, str | int | float | bytes | list | dict):
        return value
    if isinstance(value, Decimal):
        return (
            int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
        )
    return str(value)


def _said(error: Error) -> str:
    return (error.diag.message_primary or str(error)).partition("\n")[0].rstrip(".")
