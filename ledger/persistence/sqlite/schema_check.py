"""Compares the schema of a SQLite file with one that this engine has just made in memory.

An object of somebody else passes if its name is not one of ours and it is not on a table of ours:
nothing of ours can answer from it (docs/decisions/0043-the-schema-is-verified.md).
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Final, NamedTuple

from eventsourcing.sqlite import SQLiteCursor

from ledger.persistence.columns import TABLES_FORMAT
from ledger.persistence.schema_difference import Difference
from ledger.persistence.sqlite.erasable import DOCUMENTS
from ledger.persistence.sqlite.former_schema import WITH_COLUMNS
from ledger.persistence.sqlite.schema import EVENTS_OF_ANY_TYPE, SCHEMA

_SELECT: Final = "SELECT type, name, tbl_name, sql FROM {}.sqlite_schema"
_TOKEN: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\S")
_QUOTED_NAME: Final = re.compile(r'^CREATE TABLE "(\w+)"')
_OF_THE_ENGINE: Final = ("sqlite_stat1", "sqlite_stat4", "sqlite_sequence")
"""Tables that SQLite itself makes, of statistics and counters."""


class Object(NamedTuple):
    """A row of the schema: `sql` as its tokens, so that only what SQLite reads is compared."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def what(self) -> str:
        return f"{self.kind} {self.name}"


def schema_differences(c: SQLiteCursor | sqlite3.Cursor, schema: str = "main") -> list[Difference]:
    """The differences of a ledger's schema from the one of its format."""
    c.execute(f"PRAGMA {schema}.user_version")
    (version,) = c.fetchone()
    made = _made_in(version)
    stored = stored_objects(c, schema)
    optional = () if version >= TABLES_FORMAT else made_by((DOCUMENTS,))
    missing_too = [each for each in optional if each.name not in {one.name for one in stored}]
    found = compared(stored, [each for each in made if each not in missing_too])
    return [_of_an_altered_ledger(each, stored) for each in found]


def stored_objects(c: SQLiteCursor | sqlite3.Cursor, schema: str = "main") -> list[Object]:
    """The objects in the schema of a file, other than those that the engine makes by itself."""
    c.execute(_SELECT.format(schema))
    return [
        _object(*row)
        for row in c.fetchall()
        if not (row[0] == "table" and row[1] in _OF_THE_ENGINE)
    ]


def made_by(statements: Iterable[str]) -> list[Object]:
    """The objects that this engine makes by some statements."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        return stored_objects(connection.cursor())


def compared(stored: Sequence[Object], made: Sequence[Object]) -> list[Difference]:
    """The differences of the stored objects from those that this program makes."""
    if Counter(stored) == Counter(made):
        return []
    return [*_others(stored, made), *_missing(stored, made)]


def _others(stored: Sequence[Object], made: Sequence[Object]) -> Iterator[Difference]:
    """The stored objects that are not as they were made, or hang on those that were."""
    left, by_name = Counter(made), {each.name: each for each in made}
    for each in stored:
        ours = by_name.get(each.name)
        if left[each] > 0:
            left[each] -= 1
        elif ours is not None:
            yield Difference(each.what, _how(each, ours))
        elif each.table in by_name:
            yield Difference(
                each.what,
                f"authledger did not make it, and it is on the table {each.table}. If it is yours: "
                f'DROP {each.kind.upper()} "{each.name}", and make it in a copy of the file',
            )


def _missing(stored: Sequence[Object], made: Sequence[Object]) -> Iterator[Difference]:
    names = {each.name for each in stored}
    for each in made:
        if each.name not in names:
            how = (
                "it is missing; restore the file from a backup, or copy the ledger into a new file"
            )
            yield Difference(each.what, how, misleads=each.kind != "trigger")


def _how(each: Object, ours: Object) -> str:
    if each == ours:
        return "it is in the schema twice; restore the file from a backup"
    if each.kind != ours.kind:
        return f"authledger makes a {ours.kind} of that name; restore the file from a backup"
    return "its definition is not the one that authledger makes; restore the file from a backup"


def _object(kind: str, name: str, table: str, sql: str | None) -> Object:
    return Object(str(kind), str(name).lower(), str(table).lower(), _tokens(sql or ""))


def _tokens(sql: str) -> str:
    """A statement as its tokens, in lower case outside of quotes. SQLite quotes the name of a table
    that was renamed; no other quotes are removed, since a keyword in quotes is a name.
    """
    return " ".join(
        token if token[0] in "'\"" else token.lower()
        for token in _TOKEN.findall(_QUOTED_NAME.sub(r"CREATE TABLE \1", sql))
    )


@lru_cache
def _made_in(version: int) -> list[Object]:
    if version >= TABLES_FORMAT:
        return made_by(SCHEMA)
    return made_by((*WITH_COLUMNS, *SCHEMA))


@lru_cache
def _of_any_type() -> Object:
    return made_by((EVENTS_OF_ANY_TYPE.format("events"),))[0]


def _of_an_altered_ledger(found: Difference, stored: Sequence[Object]) -> Difference:
    """The migration keeps altered rows as they are, in a table that takes values of any type."""
    if found.what == "table events" and _of_any_type() in stored:
        return Difference(
            found.what,
            "it takes values of any type: an older ledger was migrated whose rows had been altered",
            misleads=False,
        )
    return found
