"""Compares the definitions of the views on PostgreSQL with those that this server makes.

They are made once more in two schemas that no one else sees, and rolled back. The server itself
writes both definitions as texts, so its version does not matter. That costs some tenths of a
second, and needs the right to make schemas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from ledger.persistence.postgres.roles import NAMES, VIEWS
from ledger.persistence.postgres.schema_check import compared, objects
from ledger.persistence.schema_difference import Difference

_MADE: Final = {VIEWS: "authledger_made_views", NAMES: "authledger_made_names"}
_SCHEMA: Final = re.compile(rf"\b(?:{NAMES}|{VIEWS})\b")
_RELATED: Final = ("function ", "operator ", "type ", "conversion ", "collation ")
"""Objects that are not of a table or a view; dropping those does not remove them."""


def differences(connection: Connection[Any], statements: Sequence[str]) -> list[Difference]:
    """The differences of the schemas of the views from those that the statements make.

    Raises InsufficientPrivilege.
    """
    found: list[Difference] = []
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as c:
        for name in _MADE.values():
            c.execute(f"CREATE SCHEMA {name}".encode())
        c.execute(f"SET LOCAL search_path = {_MADE[VIEWS]}, pg_temp".encode())
        for statement in statements:
            c.execute(_SCHEMA.sub(lambda found: _MADE[found[0]], statement).encode())
        c.execute("SET LOCAL search_path = pg_catalog, pg_temp")  # All names have their schema.
        made = {schema: _described(c, other) for schema, other in _MADE.items()}
        ours = {_relation(*each) for objects in made.values() for each in objects.items()}
        for schema, expected in made.items():
            stored = _described(c, schema).items()
            of_ours = {what: how for what, how in stored if _relation(what, how) in ours}
            found += compared(of_ours, expected)
    return found


def _described(c: Cursor[Any], schema: str) -> dict[str, str]:
    """The objects of a schema, by the names that the schemas of the views have."""
    return {
        what: _renamed(how)
        for what, how in objects(c, schema).items()
        if not what.startswith(_RELATED)
    }


def _relation(what: str, how: str) -> str:
    """The name of the table or the view that an object is, or is on."""
    if what.startswith("index "):
        return how.removeprefix("on ").partition(";")[0]
    return what.rpartition(" ")[2]


def _renamed(text: str) -> str:
    for ours, made in _MADE.items():
        text = text.replace(f"{made}.", f"{ours}.")
    return text
