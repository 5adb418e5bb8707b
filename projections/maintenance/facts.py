"""The facts of accounts, in the order in which the ledger learned them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from ledger.folding import FACT_TYPES, Fact, fact_of_entry
from projections.stores.connection import Connection

_TYPES: Final = ", ".join(f"'{name}'" for name in FACT_TYPES)
_OF_TYPES: Final = f"type IN ({_TYPES})"


class Account(NamedTuple):
    """The account whose facts are folded."""

    provider: str
    account: str


class Learned(NamedTuple):
    """One fact, and the command or trace that brought it."""

    fact: Fact
    command_id: str | None


class Commit(NamedTuple):
    """The facts of one command or trace, learned together, and the position of the last one."""

    facts: tuple[Fact, ...]
    position: int


def accounts(connection: Connection, first: int, last: int) -> list[Account]:
    """The accounts that have facts between two positions, both included; sorted."""
    found = connection.execute(
        "SELECT DISTINCT provider, account FROM events "
        f"WHERE position BETWEEN ? AND ? AND {_OF_TYPES}",
        (first, last),
    ).fetchall()
    return sorted(Account(*row) for row in found)


def learned(connection: Connection, account: Account, last: int) -> list[Learned]:
    """All facts of an account up to a position."""
    rows = connection.execute(
        "SELECT position, command_id, entry FROM events "
        f"WHERE account = ? AND provider = ? AND position <= ? AND {_OF_TYPES} ORDER BY position",
        (account.account, account.provider, last),
    )
    return [
        Learned(fact, command_id)
        for position, command_id, entry in rows
        if (fact := fact_of_entry(entry, position)) is not None
    ]


def commits(facts: list[Learned]) -> Iterator[Commit]:
    """Facts by command. Those of one command follow one another."""
    for command_id, together in groupby(facts, lambda each: each.command_id):
        some = [each.fact for each in together]
        if command_id is None:
            yield from (Commit((fact,), fact.position) for fact in some)
        else:
            yield Commit(tuple(some), some[-1].position)
