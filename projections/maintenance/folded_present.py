"""The digests of folded projections directly from facts, without a table, as engines compute them.

`present` is the same for projections that are one SELECT.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.folding import Fact, Span, derive, rules_of
from projections.maintenance.digest import Digest, FoldedDigest
from projections.maintenance.facts import Account
from projections.maintenance.spans import Shown, cells_of
from projections.projection import FoldedProjection


def folded_digests(
    wanted: Sequence[FoldedProjection], facts: Iterable[tuple[Account, Sequence[Fact]]]
) -> dict[str, Digest]:
    """The digest of each projection by name, from one fold of all facts of each account.

    The accounts come sorted, each once.
    """
    parts = [_Part(projection) for projection in wanted]
    for account, known in facts:
        spans = derive(known, rules_of(account.provider))
        for part in parts:
            part.add(account, spans)
    return {part.projection.name: part.digest.digest() for part in parts}


class _Part:
    """One projection's share of the spans."""

    def __init__(self, projection: FoldedProjection) -> None:
        self.projection, self._shown = projection, Shown(projection)
        self.digest = FoldedDigest(projection)

    def add(self, account: Account, spans: Iterable[Span]) -> None:
        self.digest.add(
            self._shown.digested(cells_of(account, span))
            for span in spans
            if span.subject == self.projection.subject
        )
