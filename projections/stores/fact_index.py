"""An index of facts by their handles, so that a catch-up reads only the facts that matter.

A handle is an id or a name by which a fact speaks of something (`ledger.folding.handles_of`). The
index has a number for each, not the text:

    handle    32 bits of the account's checksum, 32 bits of the handle's: an account's rows are
              neighbours, and are written together
    position  of the fact

Several handles may have one number, so a reader compares the handles of the facts that it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol
from zlib import crc32

from ledger.folding import Fact, handles_of, rules_of
from projections.dialect import Dialect

ASKED_MAX: Final = 500
"""How many handles one statement asks for: an older SQLite takes 999 parameters."""


class Statements(Protocol):
    """The statements that the index needs of a connection to the views."""

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any: ...
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The index's tables. `until` is the last position that is indexed."""
    number = ("INTEGER NOT NULL",)
    return (
        dialect.table(
            "fact_handles", [("handle", *number), ("position", *number)], ["handle", "position"]
        ),
        dialect.table("facts_indexed", [("until", *number)], ["until"]),
    )


def clear(connection: Statements) -> None:
    """Empty the index: the history is another one."""
    connection.execute("DELETE FROM fact_handles")
    connection.execute("DELETE FROM facts_indexed")


def indexed_until(connection: Statements) -> int:
    """The last position that is indexed."""
    row = connection.execute("SELECT max(until) FROM facts_indexed").fetchone()
    return int(row[0] or 0)


def advance(connection: Statements, until: int) -> None:
    """Note that all facts up to a position are indexed."""
    if connection.execute("SELECT 1 FROM facts_indexed").fetchone() is None:
        connection.insert("facts_indexed", ("until",), [(until,)])
    else:
        connection.execute("UPDATE facts_indexed SET until = ?", (until,))


def of_facts(account: tuple[str, str], facts: Iterable[Fact]) -> set[tuple[int, int]]:
    """The rows of an account's facts."""
    mine, rules = _of_account(account), rules_of(account[0])
    return {
        (mine | _of_handle(handle), fact.position)
        for fact in facts
        for handle in handles_of(fact, rules)
    }


def insert(connection: Statements, rows: Iterable[tuple[int, int]]) -> None:
    """Insert rows that are not in the index yet."""
    connection.insert("fact_handles", ("handle", "position"), sorted(rows))


def entries(
    connection: Statements, account: tuple[str, str], handles: Iterable[tuple[str, str]]
) -> list[tuple[int, str]]:
    """Positions and entries of the account's facts that may have one of these handles."""
    mine = _of_account(account)
    numbers = sorted({mine | _of_handle(handle) for handle in handles})
    found: dict[int, str] = {}
    for first in range(0, len(numbers), ASKED_MAX):
        some = numbers[first : first + ASKED_MAX]
        rows = connection.execute(
            "SELECT position, entry FROM events WHERE position IN (SELECT position "
            f"FROM fact_handles WHERE handle IN ({', '.join('?' * len(some))})) "
            "AND provider = ? AND account = ?",
            (*some, *account),
        )
        found.update(rows.fetchall())
    return sorted(found.items())


def _of_account(account: tuple[str, str]) -> int:
    """The upper 32 bits of a number, which has a sign."""
    return (crc32("\0".join(account).encode()) - (1 << 31)) << 32


def _of_handle(handle: tuple[str, str]) -> int:
    return crc32("\0".join(handle).encode())
