"""Rows: spans with two times: when something was so, and when the ledger knew it.

    valid_from ──── until_at           when it was so, in the cloud
    from_position ─ gone_position      when the ledger said so; at `until_position` it knew the end

At an instant T, known at position K, a row holds if

    valid_from <= T AND from_position <= K AND gone_position > K
    AND NOT (until_at <= T AND until_position <= K)

Later news that only ends a row sets `until_at` and `until_position`. Other news retracts it: sets
`gone_position`, and another row is inserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span


@dataclass(slots=True)
class Row:
    """A span, from which position it was known, and since when its end or its retraction is."""

    span: Span
    from_position: int
    until_position: int | None = None
    gone_position: int | None = None

    def holds(self, at: datetime, known_at: int) -> bool:
        """Whether the row is the answer at an instant, as it was known at a position."""
        if self.gone_position is not None and self.gone_position <= known_at:
            return False
        span, until = self.span, self.until_position
        if span.valid_from > at or self.from_position > known_at:
            return False
        ended = until is not None and until <= known_at
        return not (ended and span.until_at is not None and span.until_at <= at)


def update(rows: list[Row], spans: Iterable[Span], position: int) -> None:
    """Bring rows to new spans, learned at a position: end, retract and insert."""
    opened = {(row.span.key, row.span.valid_from): row for row in rows if row.gone_position is None}
    for span in spans:
        row = opened.pop((span.key, span.valid_from), None)
        if row is not None and row.span == span:
            continue
        if row is not None and row.span == span._replace(until_at=None):
            row.span, row.until_position = span, position
            continue
        if row is not None:
            row.gone_position = position
        until = position if span.until_at is not None else None
        rows.append(Row(span, position, until))
    for row in opened.values():
        row.gone_position = position


def history(commits: Iterable[Sequence[Fact]], rules: Rules) -> list[Row]:
    """All rows of an account, from its facts commit by commit. The last position names a commit.

    This is the definition, by one fold for each commit; a rebuild needs a faster way.
    """
    facts: list[Fact] = []
    rows: list[Row] = []
    for commit in commits:
        facts += commit
        update(rows, derive(facts, rules), max(fact.position for fact in commit))
    return rows


def answer(rows: Iterable[Row], at: datetime, known_at: int) -> Iterator[Span]:
    """The spans that hold at an instant, as they were known at a position.

    The present is the answer at the present time and the last position.
    """
    return (row.span for row in rows if row.holds(at, known_at))
