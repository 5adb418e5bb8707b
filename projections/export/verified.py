"""Pages of a ledger's events that were compared with its Merkle log before they are exported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.errors import VerificationFailed
from ledger.merkle.invalid import EvidenceInvalid
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tree import Frontier, frontier_of, leaf_hash
from projections.export.events import COLUMNS, EventSource, Row

_POSITION: Final = COLUMNS.index("position")
_ENTRY: Final = COLUMNS.index("entry")


def frontier_at(source: EventSource, size: int) -> Frontier | None:
    """The log's frontier when it had that size; None if it never had."""
    try:
        return frontier_of(size, TileHashes(size, source.read_tile))
    except EvidenceInvalid:
        return None


def verified_pages(source: EventSource, frontier: Frontier, last: int) -> Iterator[list[Row]]:
    """The events behind the frontier, up to position `last`; it grows by each page.

    Events that are appended meanwhile are left to the next export. Raises VerificationFailed before
    it yields a page whose entries are not the log's.
    """
    for page in _pages(source, frontier.size + 1, last):
        frontier.extend(leaf_hash(row[_ENTRY].encode()) for row in page)
        _check_root(source, frontier, page[-1][_POSITION])
        yield page


def _pages(source: EventSource, first: int, last: int) -> Iterator[list[Row]]:
    if first > last:
        return
    for whole in source.pages(first):
        page = [row for row in whole if row[_POSITION] <= last]
        if page:
            yield page
        if not page or page[-1][_POSITION] >= last:
            return


def _check_root(source: EventSource, exported: Frontier, last: int) -> None:
    logged = frontier_at(source, last)
    if logged is None or (logged.size, logged.root()) != (exported.size, exported.root()):
        raise VerificationFailed(
            f"The first {last} entries are not those of the Merkle log. The export stopped; what it "
            "exported before is sound.",
            remedy="`authledger log verify` names the entries that were altered.",
        )
