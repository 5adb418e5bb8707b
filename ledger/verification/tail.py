"""Verifies entries that nobody signed, before the key of the log signs them.

Each row must be as a ledger writes it: the next position, canonical, an event of its stream, a leaf
of the log, listed by its command. Nobody but the holder of the log's key announces another key, so
such an entry is a finding too: signed, it would let the old key vouch for a thief's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ledger.log.key_events import KeyRetired, KeyRotated
from ledger.merkle.tiles import TILE_WIDTH
from ledger.merkle.tree import HASH_BYTES, leaf_hash
from ledger.persistence.entry import command_id_of, text_in, type_of
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import Location
from ledger.persistence.merkle_log import Tail
from ledger.persistence.numbering import recorded_in
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import PAGE, Row, StoredRows
from ledger.verification.findings import Findings
from ledger.verification.row_check import faults
from ledger.verification.segment import stored_bytes

_KEYS = frozenset({KeyRotated.TOPIC, KeyRetired.TOPIC})


@dataclass(slots=True)
class TailFindings:
    """The findings, and how many entries of each type there are."""

    found: Findings = field(default_factory=Findings)
    types: Counter[str] = field(default_factory=Counter)


def verify_tail(location: Location, tail: Tail) -> TailFindings:
    """Verify the entries of a tail. Raises StoreUnavailable."""
    done = TailFindings()
    with as_store_errors(str(location)), stored_rows(location) as rows:
        extent_of = lru_cache(1)(rows.extent_of)
        before, recorded_at = tail.first - 1, rows.recorded_before(tail.first - 1)
        for row in _rows(rows, tail):
            entry = stored_bytes(row[4])
            for what in faults(row, entry, before, recorded_at):
                done.found.add(f"position {row[0]}", what)
            for what in _odd(rows, row, entry, extent_of(command_id_of(entry) or ""), tail):
                done.found.add(f"position {row[0]}", what)
            done.types[type_of(str(row[3]))] += 1
            before, recorded_at = row[0], recorded_in(entry) or recorded_at
        if before != tail.last:
            done.found.add(f"position {tail.last}", "it is missing")
    return done


def _rows(rows: StoredRows, tail: Tail) -> Iterator[Row]:
    after = tail.first - 1
    while page := rows.page(after, min(PAGE, tail.last - after)):
        yield from page
        after = page[-1][0]
        if after >= tail.last:
            return


def _odd(
    rows: StoredRows, row: Row, entry: bytes, extent: tuple[object, object] | None, tail: Tail
) -> Iterator[str]:
    tile, place = divmod(row[0] - 1, TILE_WIDTH)
    leaves = rows.tile(0, tile)
    at = place * HASH_BYTES
    if not isinstance(leaves, bytes) or leaves[at : at + HASH_BYTES] != leaf_hash(entry):
        yield "the entry does not match its leaf in the log"
    first, last = extent or (0, 0)
    if not (type(first) is int and type(last) is int and first <= row[0] <= last):
        yield "its command does not list this position"
    if row[3] in _KEYS and text_in(entry, "log") == tail.origin:
        yield (
            f"it says that another key signs the log {tail.origin}, or that one is retired, but the "
            "holder of the log's key did not append it (`authledger log key` does that)"
        )
