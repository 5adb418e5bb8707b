"""Compares what the server's catalogs say of the schema `ledger` with what this program makes.

A role that may only read, on a standby, cannot make a second ledger to compare with. So `declared`
has what the catalogs say of a new ledger, in words that are the same in all versions of the server;
a test compares it with one that was freshly made. Everything in the schema `ledger` is ours: what
users add belongs into schemas of their own (docs/decisions/0043-the-schema-is-verified.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from psycopg import Cursor

from ledger.persistence.columns import TABLES_FORMAT
from ledger.persistence.postgres import catalogs, declared
from ledger.persistence.postgres.schema import DERIVED
from ledger.persistence.schema_difference import Difference, refuse_misleading

SCHEMA: Final = "ledger"
_PUBLIC: Final = "PUBLIC"


def refuse_altered(c: Cursor[Any], name: str, version: int) -> None:
    """Raises SchemaAltered if a difference may mislead a reader. `c` returns tuples.

    Without any, it only reads a digest of the relations.
    """
    if c.execute(catalogs.BRIEF.encode(), (SCHEMA,)).fetchone() != (declared.BRIEF,):
        refuse_misleading(name, schema_differences(c, version))


def schema_differences(c: Cursor[Any], version: int) -> list[Difference]:
    """The differences of a ledger's schema from the one of its format. `c` returns tuples."""
    former = [] if version >= TABLES_FORMAT else [*DERIVED]
    stored = objects(c, SCHEMA, former)
    made = declared.MADE
    if version < TABLES_FORMAT and "table documents" not in stored:
        made = {what: how for what, how in made.items() if "documents" not in what}
    return [*compared(stored, made), *_owners(c), *_grants(c)]


def objects(c: Cursor[Any], schema: str, former: Iterable[str] = ()) -> dict[str, str]:
    """All objects in a schema: by kind and name, what the catalogs say of each.

    `former`: columns that are passed over, with indexes of nothing else.
    """
    return dict(
        c.execute(catalogs.OBJECTS.encode(), {"schema": schema, "former": [*former]}).fetchall()
    )


def compared(stored: Mapping[str, str], made: Mapping[str, str]) -> Iterator[Difference]:
    """The differences of the stored objects from those that this program makes."""
    for what, how in stored.items():
        if what not in made:
            yield Difference(
                what,
                "authledger did not make it. If it is yours: drop it, and make it in a schema of "
                "your own",
            )
        elif how != made[what]:
            is_off = what.startswith("trigger ") and _enabled(made[what]) == _enabled(how)
            yield Difference(
                what,
                f"it is not as authledger makes it: {how}; expected: {made[what]}",
                misleads=not is_off,
            )
    for what in made:
        if what not in stored:
            yield Difference(
                what,
                "it is missing; restore the database from a backup, or copy the ledger",
                misleads=not what.startswith("trigger "),
            )


def _enabled(trigger: str) -> str:
    """The description of a trigger, without whether it is enabled."""
    return trigger.rpartition(", enabled ")[0]


def _owners(c: Cursor[Any]) -> Iterator[Difference]:
    """The objects that do not belong to the owner of the events."""
    for what, owner, expected in c.execute(catalogs.OWNERS.encode(), (SCHEMA,)).fetchall():
        yield Difference(
            what, f"it belongs to {owner}, but the events belong to {expected}", misleads=False
        )


def _grants(c: Cursor[Any]) -> Iterator[Difference]:
    """The rights to change something that `authledger database grant` gives to nobody."""
    for what, name, role, right in c.execute(catalogs.GRANTS.encode(), (SCHEMA,)).fetchall():
        if role == _PUBLIC or right not in declared.WRITERS_MAY.get(name, ()):
            yield Difference(
                what,
                f"{role} has the right {right}, which `authledger database grant` gives to nobody; "
                "revoke it",
                misleads=False,
            )
