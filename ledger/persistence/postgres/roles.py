"""The rights of the roles in a PostgreSQL ledger: its owner, writers, readers.

The owner makes and migrates the tables. A writer may insert events, but never change, delete or
truncate them. A reader may read the views, but not the ledger itself; one without names sees no
names of people, addresses and files in them. A writer may read the views too;
`projections/stores/postgres/rights.py` says what it may write there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

from psycopg import Connection, Cursor, errors
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
NAMES: Final = "views_names"
"""The schema of the views with names of people, addresses and files. Its views have the names of
views in the other schema, and come first: a role without rights in it sees the other ones, in which
every name is NULL."""

_OWNERS: Final = (
    "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN (%s, %s, %s)"
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
_OF_NAMES: Final = tuple(each.replace("{views}", "{names}") for each in _READER)
_WITHOUT_NAMES: Final = (
    "REVOKE USAGE ON SCHEMA {names} FROM {role}",
    "REVOKE SELECT ON ALL TABLES IN SCHEMA {names} FROM {role}",
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {names} "
        "REVOKE SELECT ON TABLES FROM {role}"
    ),
)
_READERS: Final = (
    "SELECT pg_get_userbyid(grantee) FROM pg_namespace, aclexplode(nspacl) "
    "WHERE nspname = %s AND privilege_type = 'USAGE' AND grantee NOT IN (0, nspowner)"
)


class Granted(NamedTuple):
    """The roles that get rights. A reader without names sees all views, but no name of a person,
    an address or a file.
    """

    writers: Sequence[str] = ()
    readers: Sequence[str] = ()
    readers_without_names: Sequence[str] = ()


def grant(database: PostgresDatabase, granted: Granted) -> None:
    """Grant existing roles the rights that they need, and no others.

    Raises NotFound if there is no ledger, InvalidInput if there is no such role, StoreUnavailable.
    """
    name = str(database)
    with as_store_errors(name), closing(Datastore(database.url)) as datastore:
        datastore.retried(lambda connection: _grant(connection, name, granted))


def _grant(connection: Connection[Any], name: str, granted: Granted) -> None:
    with connection.cursor(row_factory=tuple_row) as c:
        if not format_of(c, name):
            raise NotFound(f"There is no ledger in {name}.", remedy=REMEDY)
    make(connection, name)
    with connection.transaction():
        owner = Identifier(make_views_schema(connection))
        places = {"views": Identifier(VIEWS), "names": Identifier(NAMES), "owner": owner}
        for role, statement in _statements(granted):
            if not role:
                raise InvalidInput(
                    "The role name is empty. No rights were granted.",
                    remedy="Give the name of an existing role.",
                )
            try:
                connection.execute(SQL(statement).format(role=Identifier(role), **places))
            except errors.UndefinedObject:
                raise InvalidInput(
                    f"There is no role {role!r} in {name}.",
                    remedy=f'Create it first: CREATE ROLE "{role}" LOGIN',
                ) from None


def make_views_schema(connection: Connection[Any]) -> str:
    """Make the schemas of the views for the ledger's owner, if there are none; return their owner.

    All tables in it must belong to that role, because default privileges for future tables are
    granted for the tables of one role.
    """
    with connection.cursor(row_factory=tuple_row) as c:
        found: dict[str, str] = dict(c.execute(_OWNERS, ("ledger", VIEWS, NAMES)).fetchall())
        owner = found.get(VIEWS, found["ledger"])
        for schema in (VIEWS, NAMES):
            if schema not in found:
                c.execute(
                    SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(
                        Identifier(schema), Identifier(owner)
                    )
                )
        if NAMES not in found:
            _let_readers_keep_names(c, owner)
    return owner


def _let_readers_keep_names(c: Cursor[Any], owner: str) -> None:
    """Give the rights on the schema of names to those who could read all views before it."""
    for (role,) in c.execute(_READERS, (VIEWS,)).fetchall():
        for statement in _OF_NAMES:
            c.execute(
                SQL(statement).format(
                    role=Identifier(role), names=Identifier(NAMES), owner=Identifier(owner)
                )
            )


def _statements(granted: Granted) -> Iterator[tuple[str, Any]]:
    for roles, statements in (
        (granted.writers, _WRITER + _READER + _OF_NAMES),
        (granted.readers, _READER + _OF_NAMES),
        (granted.readers_without_names, _READER + _WITHOUT_NAMES),
    ):
        for role in roles:
            for statement in statements:
                yield role, statement
