"""The facts behind the live tables: their index, and the cells that catch-ups used last.

Cells know the earlier facts that bear on the new ones: they recall them from the index, or, of an
account with many new facts, learn all of them. A process that catches up again and again keeps
them, so that it reads no fact twice.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ledger.folding import Cells, Fact, Handle, rules_of
from projections.maintenance.facts import Account, Learned, learned, recalled
from projections.stores import fact_index
from projections.stores.connection import Connection

RECALLED_MAX: Final = 50
"""Of an account with more new facts at once, all earlier ones are read: that costs less."""
KEPT_MAX: Final = 100_000
"""How many facts the cells have that are kept, at most: about 1 kB each. Those of the account that
had new facts last are always kept."""


INDEXED_MAX: Final = 100_000
"""How many rows of the index are held in memory before they are written."""


class KnownCells:
    """The cells of one account."""

    def __init__(self, account: Account, before: Sequence[Fact] = ()) -> None:
        """They know the account's facts before the new ones: all of them."""
        self.cells, self._learned = Cells(rules_of(account.provider)), 0
        if before:
            self.learn(before)
            self.cells.changes()

    @property
    def facts(self) -> int:
        """How many facts they have."""
        return self._learned

    def learn(self, facts: Sequence[Fact]) -> None:
        """Learn facts at once."""
        self.cells.learn(facts)
        self.count(len(facts))

    def count(self, facts: int) -> None:
        """Note that so many facts were learned by the cells."""
        self._learned += facts


class RecallingCells(KnownCells):
    """The cells of one account that recall those of its facts that bear on new ones."""

    def __init__(self, connection: Connection, account: Account) -> None:
        super().__init__(account)
        self._connection, self._account = connection, account
        self._recalled: dict[int, Fact] = {}
        self.cells = Cells(rules_of(account.provider), self._recall)

    @property
    def facts(self) -> int:
        return self._learned + len(self._recalled)

    def _recall(self, handles: Collection[Handle]) -> list[Fact]:
        return recalled(self._connection, self._account, handles, self._recalled)


class ReadFacts:
    """The facts of accounts, as a table beside the live ones needs them: nothing is kept."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, first: int, /) -> None:
        """New facts follow, of positions from `first` on."""

    def cells(self, account: Account, new: Sequence[Learned]) -> KnownCells:
        """The cells of an account before its new facts."""
        if len(new) <= RECALLED_MAX:
            return RecallingCells(self._connection, account)
        before = learned(self._connection, account, new[0].fact.position - 1)
        return KnownCells(account, [each.fact for each in before])

    @property
    def indexed(self) -> int | None:
        """The last position whose fact is in the index; None if no index is kept."""
        return None

    def keep(self, account: Account, known: KnownCells, new: Sequence[Learned], /) -> None:
        """Note that the cells of an account know its new facts."""

    def index(self, handles: Iterable[tuple[int, int]], /) -> None:
        """Add rows to the index of facts."""

    def end(self, last: int, /) -> None:
        """Note that the facts of all accounts up to a position were folded."""


class LiveFacts(ReadFacts):
    """The facts behind the live tables: indexes them, and keeps the cells that were used last."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._kept: OrderedDict[Account, KnownCells] = OrderedDict()
        self._until, self._indexed = 0, 0
        self._new: list[tuple[int, int]] = []

    @contextmanager
    def advancing(self, until: int) -> Iterator[None]:
        """Encloses a catch-up to a position, within its transaction."""
        self._indexed = fact_index.indexed_until(self._connection)
        try:
            yield
            fact_index.advance(self._connection, self._indexed)
            self._until = until
        except BaseException:
            self._kept.clear()
            self._new.clear()
            raise

    def begin(self, first: int, /) -> None:
        """Forget all cells, unless they know everything before that position."""
        if first != self._until + 1:
            self._kept.clear()

    def cells(self, account: Account, new: Sequence[Learned]) -> KnownCells:
        return self._kept.pop(account, None) or super().cells(account, new)

    @property
    def indexed(self) -> int | None:
        return self._indexed

    def keep(self, account: Account, known: KnownCells, new: Sequence[Learned], /) -> None:
        """Keep the cells for the next catch-up; the oldest ones are dropped."""
        facts_new = (each.fact for each in new if each.fact.position > self._indexed)
        self.index(fact_index.of_facts(account, facts_new))
        known.count(len(new))
        self._kept[account] = known
        facts = sum(each.facts for each in self._kept.values())
        while facts > KEPT_MAX and len(self._kept) > 1:
            facts -= self._kept.popitem(last=False)[1].facts

    def index(self, handles: Iterable[tuple[int, int]], /) -> None:
        """Add rows to the index of facts."""
        self._new += handles
        if len(self._new) > INDEXED_MAX:
            self._write()

    def end(self, last: int, /) -> None:
        self._write()
        self._indexed = max(last, self._indexed)

    def _write(self) -> None:
        fact_index.insert(self._connection, self._new)
        self._new.clear()
