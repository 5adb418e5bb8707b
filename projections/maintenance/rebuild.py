"""Rebuilds projections beside the live ones, several in parallel, and swaps them.

A connection of its own builds each one into a table that nobody else sees, while others read the
live one and catch it up. Then, under the views' write lock, the events that were appended in the
meantime are added, and the views are redefined over the new table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ledger.errors import StoreLocked
from projections.maintenance.digest import digest_of_table
from projections.maintenance.intervals import IntervalWriter
from projections.projection import Projection
from projections.stores.store import Store
from projections.stores.tracking import Tracked

PARALLEL_MAX: Final = 4
"""How many are built in parallel, at most: each sorts in 64 MB of memory, then on the disk."""

OnProgress = Callable[[str, int, int], None]
"""Called with the projection's name, the position reached and the last one."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One projection's part of the certificate; digests are SHA-256 over the sorted present."""

    name: str
    last_position: int
    rows: int
    digest_before: str
    digest_after: str

    @property
    def equal(self) -> bool:
        return self.digest_before == self.digest_after


def rebuild_all(
    store: Store, wanted: Sequence[Projection], at: str, on_progress: OnProgress | None
) -> tuple[Rebuilt, ...]:
    """Rebuild projections that are caught up; `at` is stored as the time of the rebuild.

    Raises StoreLocked if another process rebuilt one, or replaced the ledger, in the meantime.
    """
    swapping = Lock()

    def build(projection: Projection) -> Rebuilt:
        with store.another() as own:
            rebuilt = _rebuild(own, projection, at, swapping)
        if on_progress:
            on_progress(projection.name, rebuilt.last_position, rebuilt.last_position)
        return rebuilt

    # Counters first: each of their events is an interval, so they take longest.
    in_turn = sorted(wanted, key=lambda projection: not projection.counters)
    # The database's C code runs in parallel, because Python releases its own lock for it.
    with ThreadPoolExecutor(min(len(wanted), os.cpu_count() or 1, PARALLEL_MAX)) as pool:
        rebuilt = {each.name: each for each in pool.map(build, in_turn)}
    return tuple(rebuilt[projection.name] for projection in wanted)


def _rebuild(store: Store, projection: Projection, at: str, swapping: Lock) -> Rebuilt:
    connection, upkeep = store.connection, store.upkeep
    with upkeep.building(projection):
        begun = store.tracking.tracked()[projection.name]
        _, before = digest_of_table(connection, projection, begun.table)
        beside = upkeep.build_beside(projection, begun, begun.position)
        rows, after = digest_of_table(connection, projection, beside)
        built = Rebuilt(projection.name, begun.position, rows, before, after)

        def swap() -> Rebuilt:
            done = built
            with swapping, upkeep.swapping():
                known = store.tracking.tracked()[projection.name]
                _check_unchanged(known, begun)
                if known.position > begun.position:
                    done = _caught_up(store, projection, begun.position, known, beside)
                upkeep.adopt(projection, known, beside, at)
            return done

        return upkeep.retry_swap(projection, swap)


def _caught_up(
    store: Store, projection: Projection, position: int, known: Tracked, beside: str
) -> Rebuilt:
    """Add what the live table has got since a position to the new one; digest both again."""
    writer = IntervalWriter(store.connection, store.upkeep, projection, beside)
    writer.add_changes(position + 1, known.position)
    writer.write()
    _, before = digest_of_table(store.connection, projection, known.table)
    rows, after = digest_of_table(store.connection, projection, beside)
    return Rebuilt(projection.name, known.position, rows, before, after)


def _check_unchanged(known: Tracked, begun: Tracked) -> None:
    """Raises StoreLocked if the live table is not the one with which the rebuild began."""
    is_same = (known.generation, known.fingerprint) == (begun.generation, begun.fingerprint)
    if not is_same or known.position < begun.position:
        raise StoreLocked(
            f"Another process rebuilt {known.name} in the meantime. That one is live now; this one "
            "was discarded.",
            remedy=f"If you still need it, run `authledger projection rebuild {known.name}` again.",
        )
