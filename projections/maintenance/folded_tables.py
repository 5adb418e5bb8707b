"""The rows that folded projections have of facts, without a database.

One account after the other: its earlier facts are learned at once, its new ones commit by commit.
Each difference that a commit makes ends a row, retracts one, or adds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from ledger import collector
from ledger.folding import Cells, Change, Span, rules_of
from projections.definitions.declared import FOLDED
from projections.history import rows
from projections.maintenance.facts import Account, Learned, Said, commits, learned_from
from projections.maintenance.spans import Shown, cells_of
from projections.projection import FoldedProjection
from projections.stores import fact_index

Identity = tuple[Any, ...]
Run = list[tuple[Account, list[Said]]]
"""Some accounts, with the entries that say all of their facts."""


@dataclass(slots=True)
class Row:
    """A row that is not in the table yet."""

    span: Span
    from_position: int
    until_position: int | None
    gone_position: int | None = None


@dataclass(slots=True)
class FoldedTable:
    """The table of one projection, and what new facts change in it."""

    projection: FoldedProjection
    name: str
    shown: Shown = field(init=False)
    new: list[Row] = field(default_factory=list)
    """The rows of one account that are to be inserted."""
    open: dict[Identity, Row] = field(default_factory=dict)
    """Those of them that were not retracted."""
    ended: list[tuple[Any, ...]] = field(default_factory=list)
    gone: list[tuple[Any, ...]] = field(default_factory=list)
    """The changes of rows that are in the table already: parameters of the statements."""
    inserted: list[tuple[Any, ...]] = field(default_factory=list)
    """The new rows of the accounts before."""

    def __post_init__(self) -> None:
        self.shown = Shown(self.projection)

    def take(self, account: Account, change: Change, position: int) -> None:
        before, after = change
        span = after or before
        assert span is not None, "a change has a span before it or after it"
        identity = (*span.key, span.valid_from)
        row = self.open.get(identity)
        if before and after and before == after._replace(until_at=None, expires=False):
            self._end(account, row, after, position)
            return
        if before:
            self._retract(account, row, before, position)
            self.open.pop(identity, None)
        if after:
            until = None if after.until_at is None else position
            self.open[identity] = added = Row(after, position, until)
            self.new.append(added)

    def _end(self, account: Account, row: Row | None, span: Span, position: int) -> None:
        if row is not None:
            row.span, row.until_position = span, position
            return
        cells = cells_of(account, span)
        self.ended.append(
            (cells["until_at"], position, cells["ends_alone"], *self.shown.identity(cells))
        )

    def _retract(self, account: Account, row: Row | None, span: Span, position: int) -> None:
        if row is not None:
            row.gone_position = position
        else:
            self.gone.append((position, *self.shown.identity(cells_of(account, span))))

    def end_account(self, account: Account) -> None:
        """Make the new rows of an account ready to be inserted."""
        for row in self.new:
            cells = cells_of(account, row.span)
            cells["from_position"] = row.from_position
            cells["until_position"] = row.until_position
            cells["gone_position"] = row.gone_position
            self.inserted.append(self.shown.stored(cells))
        self.new.clear()
        self.open.clear()

    @property
    def columns(self) -> list[str]:
        """The columns of a row in `inserted`."""
        return [column.name for column in rows.stored(self.projection)]

    def sorted_rows(self) -> list[tuple[Any, ...]]:
        """The new rows, in the order in which the table grows from left to right."""
        return sorted(self.inserted, key=_by_key(self.projection))


def _by_key(projection: FoldedProjection) -> Callable[[Sequence[Any]], Any]:
    columns = [column.name for column in rows.stored(projection)]
    return itemgetter(*(columns.index(name) for name in rows.table_key(projection)))


def fold(
    tables: Sequence[FoldedTable], account: Account, cells: Cells, new: Iterable[Learned]
) -> None:
    """Take in new facts of an account, whose cells know the ones before."""
    by_subject: dict[str, FoldedTable] = {table.projection.subject: table for table in tables}
    with collector.paused():
        for commit in commits(new):
            cells.learn(commit.facts)
            for change in cells.changes():
                span = change.after or change.before
                assert span is not None, "a change has a span before it or after it"
                table = by_subject.get(span.subject)
                if table is not None:
                    table.take(account, change, commit.position)
        for table in tables:
            table.end_account(account)


@dataclass(frozen=True, slots=True)
class FoldedRun:
    """The rows of each projection, by its name, and those of the index of facts."""

    rows: dict[str, list[tuple[Any, ...]]]
    handles: list[tuple[int, int]]


def fold_run(names: Sequence[str], indexed: int | None, run: Run) -> FoldedRun:
    """The rows of whole accounts. Facts after the position `indexed` are indexed; None: none."""
    tables = [FoldedTable(FOLDED[name], name) for name in names]
    handles: list[tuple[int, int]] = []
    with collector.paused():
        for account, entries in run:
            facts = learned_from(entries)
            fold(tables, account, Cells(rules_of(account.provider)), facts)
            if indexed is not None:
                some = (each.fact for each in facts if each.fact.position > indexed)
                handles += fact_index.of_facts(account, some)
    return FoldedRun({each.name: each.inserted for each in tables}, handles)
