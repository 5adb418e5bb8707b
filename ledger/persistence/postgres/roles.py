"""The rights of the roles in a PostgreSQL ledger: its owner, writers, readers.

The owner makes and migrates the tables. A writer may insert events, but never change, delete or
truncate them. A reader may read the views, but not the ledger itself. A writer may read the views
too; `projections/stores/postgres/rights.py` says what it may write there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from psycopg import Connection, errors
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from ledger.errors import InvalidInput, NotFound
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.opening import REMEDY
from ledger.persistence.postgres.connections import Datastore
from ledger.persistence.postgres.failures import as_store_errors
from ledger.persistence.postgres.format import format_of, make

VIEWS: Final = "views"
"""The schema that readers see. Its tables belong to `projections`."""

_OWNERS: Final = (
    "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN (%s, %s)"
)
_WRITER: Final = (
    "GRANT USAGE ON SCHEMA ledger TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {role}",
    (
        "GRANT INSERT ON ledger.events, ledger.commands, ledger.subjects, ledger.documents, "
        "ledger.snapshots, ledger.tiles, ledger.checkpoint TO {role}"
    ),
    # Rows that an append replaces; and a role that may update the lock's table may lock it.
    (
        "GRANT UPDATE ON ledger.snapshots, ledger.tiles, ledger.checkpoint, ledger.append_lock "
        "TO {role}"
    ),
    "GRANT DELETE ON ledger.subjects, ledger.documents TO {role}",  # Erasure.
)
_READER: Final = (
    "GRANT USAGE ON SCHEMA {views} TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {views} TO {role}",
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {views} "
        "GRANT SELECT ON TABLES TO {role}"
    ),
)


def grant(database: PostgresDatabase, *, writers: Sequence[str], readers: Sequence[str]) -> None:
    """Grant existing roles the rights that they need, and no others.

    Raises NotFound if there is no ledger, InvalidInput if there is no such role, StoreUnavailable.
    """
    name = str(database)
    with as_store_errors(name), closing(Datastore(database.url)) as datastore:
        datastore.retried(lambda connection: _grant(connection, name, writers, readers))


def _grant(
    connection: Connection[Any], name: str, writers: Sequence[str], readers: Sequence[str]
) -> None:
    with connection.cursor(row_factory=tuple_row) as c:
        if not format_of(c, name):
            raise NotFound(f"There is no ledger in {name}.", remedy=REMEDY)
    make(connection, name)
    with connection.transaction():
        owner = Identifier(make_views_schema(connection))
        views = Identifier(VIEWS)
        for role, statement in _statements(writers, readers):
            if not role:
                raise InvalidInput(
                    "The role name is empty. No rights were granted.",
                    remedy="Give the name of an existing role.",
                )
            try:
                connection.execute(
                    SQL(statement).format(role=Identifier(role), views=views, owner=owner)
                )
            except errors.UndefinedObject:
                raise InvalidInput(
                    f"There is no role {role!r} in {name}.",
                    remedy=f'Create it first: CREATE ROLE "{role}" LOGIN',
                ) from None


def make_views_schema(connection: Connection[Any]) -> str:
    """Make the schema of the views for the ledger's owner, if there is none; return its owner.

    All tables in it must belong to that role, because default privileges for future tables are
    granted for the tables of one role.
    """
    with connection.cursor(row_factory=tuple_row) as c:
        found: dict[str, str] = dict(c.execute(_OWNERS, ("ledger", VIEWS)).fetchall())
        if VIEWS not in found:
            c.execute(
                SQL("CREATE SCHEMA {views} AUTHORIZATION {owner}").format(
                    views=Identifier(VIEWS), owner=Identifier(found["ledger"])
                )
            )
    return found.get(VIEWS, found["ledger"])


def _statements(writers: Sequence[str], readers: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for roles, statements in ((writers, _WRITER + _READER), (readers, _READER)):
        for role in roles:
            for statement in statements:
                yield role, statement
