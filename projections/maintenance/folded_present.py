"""The digests of folded projections directly from facts, without a table, as engines compute them.

`present` is the same for projections that are one SELECT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ledger.folding import Fact, derive, rules_of
from projections.maintenance.digest import Digest, Hashes, Lines, folded_lines
from projections.maintenance.facts import Account
from projections.maintenance.spans import Shown, cells_of
from projections.projection import FoldedProjection


class Part(NamedTuple):
    """Some lines for the digests of the projection of that name: a process can send them."""

    name: str
    lines: Lines


def folded_digests(
    wanted: Sequence[FoldedProjection], facts: Iterable[tuple[Account, Sequence[Fact]]]
) -> dict[str, Digest]:
    """The digest of each projection by name, from one fold of all facts of each account.

    The accounts come sorted, each once.
    """
    parts = (folded_parts(wanted, account, known) for account, known in facts)
    return digests_of_parts(wanted, chain.from_iterable(parts))


def folded_parts(
    wanted: Sequence[FoldedProjection], account: Account, facts: Iterable[Fact]
) -> Iterator[Part]:
    """The lines of one account, for all projections from one fold of all its facts."""
    spans = derive(facts, rules_of(account.provider))
    for projection in wanted:
        shown = Shown(projection)
        rows = (
            shown.digested(cells_of(account, span))
            for span in spans
            if span.subject == projection.subject
        )
        for lines in folded_lines(projection, rows):
            yield Part(projection.name, lines)


def digests_of_parts(
    wanted: Sequence[FoldedProjection], parts: Iterable[Part]
) -> dict[str, Digest]:
    """The digest of each projection by name; the parts come in the order of the accounts."""
    hashes = {projection.name: Hashes() for projection in wanted}
    for part in parts:
        hashes[part.name].add(part.lines)
    return {name: each.digest() for name, each in hashes.items()}
