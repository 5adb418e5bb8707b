"""The rights of a writer in the schema `views`: it may catch the views up. It cannot write anything
that the owner or a superuser would execute, nor reach the ledger by the owner's rights.

    every table and view           SELECT
    a projection's table           INSERT, UPDATE
    the trail, the other indexes   INSERT, UPDATE
    postings_recent                INSERT, UPDATE, DELETE: full blocks take its place
    tracking                       UPDATE of `position` and `anchor`, no INSERT, no DELETE
    write_lock                     UPDATE, which PostgreSQL requires of a role that locks it

A role that may append to the ledger is a writer. Rights to write are given table by table: default
privileges cannot tell a table from a view, and PostgreSQL lets a role write through a simple view
(such as `subjects`) by the rights of the view's owner.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier

from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.postgres import roles as postgres_roles
from ledger.persistence.postgres.connections import connect
from projections.definitions.declared import PROJECTIONS

MAKING: Final = "SELECT pg_advisory_xact_lock(hashtext('authledger views'))"
"""Held by a process that makes the views' schema, until its transaction ends."""
LOCK: Final = "LOCK TABLE views.write_lock IN SHARE ROW EXCLUSIVE MODE"
"""Held by a process that writes to the views, until its transaction ends."""

_WRITERS: Final = """
    SELECT grantee FROM pg_class, aclexplode(relacl)
    WHERE pg_class.oid = 'ledger.events'::regclass AND privilege_type = 'INSERT' AND grantee <> 0
    AND grantee NOT IN (SELECT nspowner FROM pg_namespace WHERE nspname IN ('ledger', 'views'))
"""
_LACKING: Final = f"""
    SELECT pg_get_userbyid(writer.grantee), relname FROM pg_class, ({_WRITERS}) AS writer
    WHERE relnamespace = to_regnamespace('views') AND relkind = 'r'
    AND NOT has_any_column_privilege(writer.grantee, pg_class.oid, 'UPDATE')
"""
_BY_DEFAULT: Final = """
    SELECT DISTINCT pg_get_userbyid(defaclrole), pg_get_userbyid(grantee)
    FROM pg_namespace JOIN pg_default_acl ON defaclnamespace = pg_namespace.oid
    AND defaclrole = nspowner, aclexplode(defaclacl)
    WHERE nspname = 'views' AND defaclobjtype = 'r'
    AND privilege_type <> 'SELECT' AND grantee NOT IN (0, defaclrole)
"""
_NARROWED: Final = (
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA views REVOKE ALL ON TABLES FROM {role}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA views GRANT SELECT ON TABLES TO {role}",
)
_ONLY_READS: Final = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA views FROM {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA views TO {role}",
)
_RIGHTS: Final = (
    (
        re.compile(
            rf"({'|'.join(PROJECTIONS)})_\d+|trail|postings|posted|time_blocks|time_late"
            "|fact_handles|facts_indexed|known_names|entries_by_id|names_indexed"
        ),
        "INSERT, UPDATE",
    ),
    (re.compile("postings_recent"), "INSERT, UPDATE, DELETE"),
    (re.compile("tracking"), "UPDATE (position, anchor)"),
    (re.compile("write_lock"), "UPDATE"),
)


def grant(
    database: PostgresDatabase,
    *,
    writers: Sequence[str] = (),
    readers: Sequence[str] = (),
    readers_without_names: Sequence[str] = (),
) -> None:
    """Grant existing roles the rights that they need in the ledger and in the views, and no others.

    Rights to write that an older version granted in the views are revoked. Raises as
    `postgres_roles.grant`.
    """
    postgres_roles.grant(database, postgres_roles.Granted(writers, readers, readers_without_names))
    with (
        as_store_errors(str(database)),
        connect(database.url) as connection,
        connection.transaction(),
    ):
        connection.execute(MAKING)
        narrow_defaults(connection)
        if connection.execute("SELECT WHERE to_regclass('views.write_lock') IS NULL").rowcount == 0:
            connection.execute(LOCK)
        for role in writers:
            for statement in _ONLY_READS:
                connection.execute(SQL(statement).format(role=Identifier(role)))
        admit_writers(connection)


def narrow_defaults(connection: Connection[Any]) -> None:
    """Let others read, but not write, the tables that will be made in the schema."""
    with connection.cursor(row_factory=tuple_row) as c:
        for owner, role in c.execute(_BY_DEFAULT).fetchall():
            for statement in _NARROWED:
                c.execute(SQL(statement).format(owner=Identifier(owner), role=Identifier(role)))


def admit_writers(connection: Connection[Any]) -> None:
    """Grant the ledger's writers the rights that they lack, on the tables that exist now.

    Within a transaction that holds the views' lock: else a new table could be missed.
    """
    with connection.cursor(row_factory=tuple_row) as c:
        for role, table in c.execute(_LACKING).fetchall():
            for names, rights in _RIGHTS:
                if names.fullmatch(table):
                    c.execute(_given(rights, table, role))


def _given(rights: str, table: str, role: str) -> Composed:
    return SQL(f"GRANT {rights} ON {{}} TO {{}}").format(
        Identifier("views", table), Identifier(role)
    )
