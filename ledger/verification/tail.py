"""Verifies entries that nobody signed, before the key of the log signs them.

Each row must be as a ledger writes it: the next position, canonical, an event of its stream, a leaf
of the log, listed by its command. Nobody but the holder of the log's key announces another key, so
such an entry is a finding too: signed, it would let the old key vouch for a thief's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ledger.log.key_events import KeyRetired, KeyRotated
from ledger.merkle.tiles import TILE_WIDTH, Tile
from ledger.persistence.entry import text_in, type_of
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import Location
from ledger.persistence.merkle_log import Tail
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import PAGE, Row, StoredRows
from ledger.verification.findings import Findings
from ledger.verification.row_check import faults
from ledger.verification.segment import SegmentReader, SegmentRequest, compare_tile, stored_bytes
from ledger.verification.table_check import find_unlisted

_KEYS: Final = frozenset({KeyRotated.TOPIC, KeyRetired.TOPIC})


@dataclass(slots=True)
class TailFindings:
    """The findings, and how many entries of each type there are."""

    found: Findings = field(default_factory=Findings)
    types: Counter[str] = field(default_factory=Counter)


def verify_tail(location: Location, tail: Tail) -> TailFindings:
    """Verify the entries of a tail, and those before it in its first tile. Raises
    StoreUnavailable.
    """
    done = TailFindings()
    with as_store_errors(str(location)), stored_rows(location) as rows:
        first = (tail.first - 1) // TILE_WIDTH * TILE_WIDTH
        read = SegmentReader(rows, faults).read(SegmentRequest(first, tail.last, first, first))
        done.found.extend(read.found)
        if read.edge:
            edge = Tile(0, (first + read.size) // TILE_WIDTH, bytes.fromhex(read.edge))
            _compare_edge(rows, edge, done.found)
        if first + read.size != tail.last:
            done.found.add(f"position {tail.last}", "it is missing")
        find_unlisted(rows, tail.first, tail.last, done.found)
        for row in _rows(rows, tail):
            done.types[type_of(str(row[3]))] += 1
            if row[3] in _KEYS and text_in(stored_bytes(row[4]), "log") == tail.origin:
                done.found.add(f"position {row[0]}", f"{_NOT_THE_HOLDER} {tail.origin}")
    return done


_NOT_THE_HOLDER: Final = (
    "it announces or retires a key, but was not appended by `authledger log key` with the key of "
    "the log"
)


def _compare_edge(rows: StoredRows, edge: Tile, found: Findings) -> None:
    """Compare the last tile, which may have grown since the tail was seen."""
    stored = rows.tile(0, edge.index)
    if not isinstance(stored, bytes) or not stored.startswith(edge.data):
        compare_tile(rows, edge, found)


def _rows(rows: StoredRows, tail: Tail) -> Iterator[Row]:
    after = tail.first - 1
    while page := rows.page(after, min(PAGE, tail.last - after)):
        yield from page
        after = page[-1][0]
        if after >= tail.last:
            return
