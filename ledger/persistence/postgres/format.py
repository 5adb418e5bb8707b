"""Recognises a ledger's database and its format; makes and migrates its tables."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection, Cursor, errors
from psycopg.rows import tuple_row

from ledger.errors import NewerFormat, NotALedger, StoreUnavailable
from ledger.persistence.columns import APPLICATION_ID, FORMAT_VERSION
from ledger.persistence.postgres.schema import APPLICATION, MIGRATIONS, SCHEMA

_RELATIONS: Final = (
    "SELECT count(*) FILTER (WHERE c.relname = 'format' AND c.relkind = 'r'), count(*) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'ledger'"
)
"""The tables called `format` and all relations in the schema `ledger`, at one moment."""


def format_of(c: Cursor[Any], name: str) -> int:
    """The format of the ledger in a database; 0 if there is none. Raises NotALedger, NewerFormat.

    Other schemas do not matter. A schema `ledger` of another program is not a ledger.
    """
    try:
        row = c.execute("SELECT application, version FROM ledger.format").fetchone()
    except (errors.InvalidSchemaName, errors.UndefinedTable):
        formats, relations = c.execute(_RELATIONS).fetchone() or (0, 0)
        if formats:  # Another process has made the ledger since the first statement.
            return format_of(c, name)
        if relations:
            raise _not_a_ledger(name) from None
        return 0
    except errors.UndefinedColumn:
        raise _not_a_ledger(name) from None
    if row is None or row[0] != APPLICATION:
        raise _not_a_ledger(name)
    if row[1] > FORMAT_VERSION:
        raise NewerFormat(
            f"The ledger {name} has format {row[1]}; this program supports formats up to "
            f"{FORMAT_VERSION}. Nothing was changed.",
            remedy="Use a newer authledger.",
        )
    return int(row[1])


def make(connection: Connection[Any], name: str) -> None:
    """Make all tables in one transaction, or those that an older format lacks, unless another
    process has made them.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreUnavailable(
            f"The database {name} has the encoding {encoding}; a ledger needs UTF8. Nothing was "
            "changed.",
            remedy="Make another: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.",
        )
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as c:
        c.execute("SELECT pg_advisory_xact_lock(%s)", (APPLICATION_ID,))
        version = format_of(c, name) if _is_there(c) else 0
        for statement in MIGRATIONS.get(version, ()) if version else SCHEMA:
            c.execute(statement.encode())


def _is_there(c: Cursor[Any]) -> bool:
    return c.execute("SELECT to_regclass('ledger.format') IS NOT NULL").fetchone() == (True,)


def _not_a_ledger(name: str) -> NotALedger:
    return NotALedger(
        f"The schema 'ledger' in {name} belongs to another program. Nothing was changed.",
        remedy="Name another database with --ledger.",
    )
