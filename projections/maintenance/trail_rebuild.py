"""Builds the trail from the entries anew, and compares it with the one that stands.

Both digests are over one line of JSON for each entry, in the order of the positions. The one before
is also over rows of the trail that are of no entry, and over posting lists that differ from the
trail. Where the digests are equal, the trail stays as it is; otherwise it is written anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic_core import to_json

from ledger import collector
from projections.maintenance.rebuild import Rebuilt
from projections.stores import postings, trail
from projections.stores.store import Store

TRAIL: Final = "trail"
"""The name of the trail among the projections."""
_PAGE: Final = 5_000


def rebuild_trail(store: Store, *, writes: bool) -> Rebuilt:
    """Compare the trail with the entries; if it differs, and `writes`, write it anew."""
    connection = store.connection
    with connection.snapshot():
        built = _compared(connection, _reached(store))
    if writes and not built.equal:
        with connection.transaction():
            trail.clear(connection)
            trail.extend(connection, _reached(store))
    return built


def _reached(store: Store) -> int:
    """The position that the trail should reach. Its own last row may have been added by hand."""
    return max(known.position for known in store.tracking.tracked().values())


def _compared(connection: trail.Statements, last: int) -> Rebuilt:
    before, after, count = hashlib.sha256(), hashlib.sha256(), 0
    with collector.paused():
        for first in range(1, last + 1, _PAGE):
            until = min(first + _PAGE - 1, last)
            made = list(trail.rows(connection, first, until))
            stored = trail.stored(connection, first, until)
            lines = _lines(made)
            after.update(lines)
            before.update(lines if stored == made else _lines(stored))
            count += len(made)
        before.update(_lines(trail.outside(connection, last)))
        for listed, should_be in postings.compared(connection, last):
            if listed != should_be:
                before.update(_lines(listed))
    return Rebuilt(TRAIL, last, count, before.hexdigest(), after.hexdigest())


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """A line of JSON for each row."""
    return b"".join([to_json(row, bytes_mode="base64") + b"\n" for row in rows])
