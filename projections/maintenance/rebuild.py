"""Builds projections again beside the live ones, several at once, and swaps them.

Each is built by a connection of its own into a table that nobody sees, from one moment of the
ledger, while others read the live one and catch it up. Only then is the views' write lock taken:
what came meanwhile is folded in, and the names are turned to the new one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from threading import Lock
from typing import Final

from ledger.errors import StoreLocked
from projections import history
from projections.maintenance.digest import digest_of
from projections.maintenance.fold import Fold
from projections.projection import Projection
from projections.stores.store import Store, Tracked

AT_ONCE_MAX: Final = 4
"""How many are built at once, at most: each sorts in 64 MB of memory, and beyond on the disk."""
BATCH: Final = 1_000

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
    """Rebuild projections that are caught up; `at` is the time that is kept with them.

    Raises StoreLocked if the views became those of another history meanwhile.
    """
    swapping = Lock()

    def build(projection: Projection) -> Rebuilt:
        with store.another() as own:
            rebuilt = _rebuild(own, projection, at, swapping)
        if on_progress:
            on_progress(projection.name, rebuilt.last_position, rebuilt.last_position)
        return rebuilt

    # Counters first: each of their events is an interval, and who takes longest begins.
    in_turn = sorted(wanted, key=lambda projection: not projection.counters)
    # What the database does in C goes on in parallel: Python lets go of its own lock for that.
    with ThreadPoolExecutor(min(len(wanted), os.cpu_count() or 1, AT_ONCE_MAX)) as pool:
        rebuilt = {each.name: each for each in pool.map(build, in_turn)}
    return tuple(rebuilt[projection.name] for projection in wanted)


def _rebuild(store: Store, projection: Projection, at: str, swapping: Lock) -> Rebuilt:
    with store.building(projection):
        begun = store.tracked()[projection.name]
        _, before = digest(store, projection, begun.table)
        beside = store.build_beside(projection, begun, begun.position)
        rows, after = digest(store, projection, beside)
        built = Rebuilt(projection.name, begun.position, rows, before, after)

        def swap() -> Rebuilt:
            done = built
            with swapping, store.swapping():
                known = store.tracked()[projection.name]
                _must_go_on(known, begun)
                if known.position > begun.position:  # Else both were digested as they are now.
                    fold = Fold(store, projection, beside)
                    fold.take(begun.position + 1, known.position)
                    fold.flush()
                    _, before = digest(store, projection, known.table)
                    rows, after = digest(store, projection, beside)
                    done = Rebuilt(projection.name, known.position, rows, before, after)
                store.adopt(projection, known, beside, at)
            return done

        return store.swapped(projection, swap)


def _must_go_on(known: Tracked, begun: Tracked) -> None:
    is_same = (known.generation, known.fingerprint) == (begun.generation, begun.fingerprint)
    if not is_same or known.position < begun.position:
        raise StoreLocked(
            f"Another process built {known.name} anew meanwhile.",
            remedy="Nothing was lost; rebuild once more if it is still wanted.",
        )


def digest(store: Store, projection: Projection, table: str) -> tuple[int, str]:
    """How many rows the present has, and the SHA-256 over them: a line of JSON each, sorted."""
    return digest_of_rows(store, history.sorted_current(projection, table))


def digest_of_rows(store: Store, statement: str) -> tuple[int, str]:
    """The same of what a SELECT yields, in its order. Within a transaction only."""
    with store.streamed(statement) as rows:
        return digest_of(chain.from_iterable(iter(partial(rows.fetchmany, BATCH), [])))
