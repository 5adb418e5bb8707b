"""The facts of accounts, in the order in which the ledger learned them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from ledger.errors import CorruptEntry
from ledger.folding import FACT_TYPES, Fact, Handle, fact_of_entry, handles_of, rules_of
from projections.stores import fact_index
from projections.stores.connection import Connection

TYPES: Final = ", ".join(f"'{name}'" for name in FACT_TYPES)
"""The types of the events that say facts, as a list in SQL."""
_OF_TYPES: Final = f"type || '' IN ({TYPES})"
"""Most events are of these types, so their index would only cost: an expression does not use it."""


class Account(NamedTuple):
    """The account whose facts are folded."""

    provider: str
    account: str


class Learned(NamedTuple):
    """One fact, and the command or trace that brought it."""

    fact: Fact
    command_id: str | None


Said = tuple[int, str | None, str]
"""The position of an entry that says a fact, its command or trace, and the entry."""


class Commit(NamedTuple):
    """The facts of one command or trace, learned together, and the position of the last one."""

    facts: tuple[Fact, ...]
    position: int


def accounts(connection: Connection, last: int) -> list[Account]:
    """The accounts that have facts up to a position, sorted."""
    found = connection.execute(
        f"SELECT DISTINCT provider, account FROM events WHERE position <= ? AND {_OF_TYPES}",
        (last,),
    ).fetchall()
    return sorted(Account(*row) for row in found)


def all_said(connection: Connection, last: int) -> Iterator[tuple[Account, list[Said]]]:
    """The entries that say the facts of each account up to a position; the accounts sorted."""
    if not connection.dialect.sorts_rows_well:
        for account in accounts(connection, last):
            yield account, said(connection, account, last)
        return
    wanted = (
        "SELECT provider, account, position, command_id, entry FROM events "
        f"WHERE position <= ? AND {_OF_TYPES} ORDER BY provider, account, position"
    )
    with connection.streamed(wanted, (last,)) as rows:
        for key, of_account in groupby(rows, itemgetter(0, 1)):
            yield Account(*key), [row[2:] for row in of_account]


def learned(connection: Connection, account: Account, last: int) -> list[Learned]:
    """All facts of an account up to a position."""
    return learned_from(said(connection, account, last))


def said(connection: Connection, account: Account, last: int) -> list[Said]:
    """The entries that say all facts of an account up to a position."""
    rows = connection.execute(
        "SELECT position, command_id, entry FROM events "
        f"WHERE account = ? AND provider = ? AND position <= ? AND {_OF_TYPES} ORDER BY position",
        (account.account, account.provider, last),
    )
    return list(rows.fetchall())


def learned_from(entries: Iterable[Said]) -> list[Learned]:
    """The facts that entries say. Raises CorruptEntry."""
    return [
        Learned(fact, command_id)
        for position, command_id, entry in entries
        if (fact := fact_at(entry, position)) is not None
    ]


def new_facts(connection: Connection, first: int, last: int) -> dict[Account, list[Learned]]:
    """The facts between two positions, both included, of each account; the accounts sorted."""
    rows = connection.execute(
        "SELECT position, provider, account, command_id, entry FROM events "
        f"WHERE position BETWEEN ? AND ? AND {_OF_TYPES} ORDER BY position",
        (first, last),
    )
    found: dict[Account, list[Learned]] = defaultdict(list)
    for position, provider, account, command_id, entry in rows:
        if (fact := fact_at(entry, position)) is not None:
            found[Account(provider, account)].append(Learned(fact, command_id))
    return dict(sorted(found.items()))


def recalled(
    connection: Connection, account: Account, handles: Collection[Handle], known: dict[int, Fact]
) -> list[Fact]:
    """The facts of an account that have one of these handles, from the index.

    `known` has the facts by position that were recalled before; those found now are added.
    """
    wanted, rules = frozenset(handles), rules_of(account.provider)
    found = []
    for position, entry in fact_index.entries(connection, account, handles):
        fact = known.get(position) or fact_at(entry, position)
        if fact is not None and not wanted.isdisjoint(handles_of(fact, rules)):
            known[position] = fact
            found.append(fact)
    return found


def fact_at(entry: str, position: int) -> Fact | None:
    """The fact of an entry. Raises CorruptEntry."""
    try:
        return fact_of_entry(entry, position)
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptEntry(
            f"The entry at position {position} cannot be read: {error}.",
            remedy="`authledger log verify` finds out which entries were altered.",
        ) from error


def commits(facts: Iterable[Learned]) -> Iterator[Commit]:
    """Facts by command. Those of one command follow one another."""
    for command_id, together in groupby(facts, itemgetter(1)):
        some = [each.fact for each in together]
        if command_id is None:
            yield from (Commit((fact,), fact.position) for fact in some)
        else:
            yield Commit(tuple(some), some[-1].position)
