"""The trail: the typed columns of every entry, in the views' store. All other views read it.

The ledger stores entries as bytes. A catch-up first writes their typed columns here; the relation
`events` is this table with the entries beside it. The table has each position once, from 1 to the
one that the views have reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, Protocol

from projections.dialect import Dialect
from projections.entry_columns import TYPED_COLUMNS, typed
from projections.stores import postings

COLUMNS: Final = ("position", *TYPED_COLUMNS)
INDEXED: Final = ("type", "account")
"""The columns by which projections and the fold read. The filters of the trail have posting lists,
which cost less than an index each, and intersect."""
CHUNK: Final = 10_000


class Statements(Protocol):
    """The statements that the trail needs of a connection to the views."""

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any: ...
    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None: ...
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The trail's tables, and the indexes by which projections and the fold read."""
    text = ((name, "TEXT") for name in TYPED_COLUMNS)
    return (
        dialect.rows("trail", [("position", "INTEGER"), *text], "position"),
        *(f"CREATE INDEX trail_by_{name} ON trail ({name})" for name in INDEXED),
        *postings.tables(dialect),
    )


def events(entries: str) -> str:
    """The SELECT of the relation `events`; `entries` is the ledger's table of entries.

    A database that needs nothing of an entry's own row does not look it up.
    """
    own = ", ".join(f"e.{name}" for name in ("stream", "version", "topic", "entry"))
    derived = ", ".join(f"t.{name}" for name in TYPED_COLUMNS)
    return (
        f"SELECT t.position, {own}, {derived} "
        f"FROM trail t LEFT JOIN {entries} e ON e.position = t.position"
    )


def reached(connection: Statements) -> int:
    """The last position that the trail has."""
    return int(connection.execute("SELECT coalesce(max(position), 0) FROM trail").fetchone()[0])


def clear(connection: Statements) -> None:
    """Empty the trail: the history is another one."""
    connection.execute("DELETE FROM trail")
    postings.clear(connection)


def extend(connection: Statements, last: int) -> None:
    """Add the entries up to a position. Within a transaction only. Raises CorruptEntry."""
    for first in range(reached(connection) + 1, last + 1, CHUNK):
        until = min(first + CHUNK - 1, last)
        connection.insert("trail", COLUMNS, rows(connection, first, until))
    postings.extend(connection, last)


def stored(connection: Statements, first: int, last: int) -> list[tuple[Any, ...]]:
    """COLUMNS of the trail as it stands, between two positions, both included."""
    found = connection.execute(
        f"SELECT {', '.join(COLUMNS)} FROM trail WHERE position BETWEEN ? AND ? ORDER BY position",
        (first, last),
    )
    return list(found.fetchall())


def outside(connection: Statements, last: int) -> list[tuple[Any, ...]]:
    """COLUMNS of the rows of the trail that are of no entry up to a position."""
    found = connection.execute(
        f"SELECT {', '.join(COLUMNS)} FROM trail WHERE position < 1 OR position > ? "
        "ORDER BY position",
        (last,),
    )
    return list(found.fetchall())


def rows(connection: Statements, first: int, last: int) -> Iterator[tuple[Any, ...]]:
    """COLUMNS of the entries between two positions, both included, from the entries themselves."""
    found = connection.execute(
        "SELECT position, topic, entry FROM entries WHERE position BETWEEN ? AND ? "
        "ORDER BY position",
        (first, last),
    )
    for position, topic, entry in chain.from_iterable(iter(partial(found.fetchmany, 1_000), [])):
        yield (position, *typed(position, topic, entry))
