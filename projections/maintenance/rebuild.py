"""Rebuilds projections beside the live ones, several in parallel, and swaps them.

A connection of its own builds each one into a table that nobody else sees, while others read the
live one and catch it up; the folded ones are built together, and swapped together. Then, under the
views' write lock, the events that were appended in the meantime are added, and the views are
redefined over the new tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Final, Self

from ledger.errors import StoreLocked
from projections.maintenance.digest import Digest, digest_of_table
from projections.maintenance.histories import Tables, continue_history, write_history
from projections.maintenance.live_facts import ReadFacts
from projections.projection import FoldedProjection, Projection, Stored
from projections.stores.store import Store
from projections.stores.tracking import Tracked

PARALLEL_MAX: Final = 4
"""How many are built in parallel, at most: each sorts in 64 MB of memory, then on the disk."""

OnProgress = Callable[[str, int, int], None]
"""Called with the projection's name, the position reached and the last one."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One projection's part of the certificate; `projections.maintenance.digest` says of what the
    digests are. `facts_digest` is comparable between two ledgers of the same facts; the trail has
    none, because it says when each fact was learned.
    """

    name: str
    last_position: int
    rows: int
    digest_before: str
    digest_after: str
    facts_digest: str = ""

    @classmethod
    def of(cls, projection: Stored, position: int, before: Digest, after: Digest) -> Self:
        return cls(projection.name, position, after.rows, before.full, after.full, after.facts)

    @property
    def equal(self) -> bool:
        return self.digest_before == self.digest_after


def rebuild_all(
    store: Store, wanted: Sequence[Stored], at: str, on_progress: OnProgress | None
) -> tuple[Rebuilt, ...]:
    """Rebuild projections that are caught up; `at` is stored as the time of the rebuild.

    Raises StoreLocked if another process rebuilt one, or replaced the ledger, in the meantime.
    """
    swapping = Lock()

    def build(together: Sequence[Stored]) -> list[Rebuilt]:
        with store.another() as own:
            rebuilt = _Rebuild(own, together, at).run(swapping)
        if on_progress:
            for each in rebuilt:
                on_progress(each.name, each.last_position, each.last_position)
        return rebuilt

    jobs = _jobs(wanted)
    # The database's C code runs in parallel, because Python releases its own lock for it.
    with ThreadPoolExecutor(min(len(jobs), os.cpu_count() or 1, PARALLEL_MAX)) as pool:
        rebuilt = {each.name: each for done in pool.map(build, jobs) for each in done}
    return tuple(rebuilt[projection.name] for projection in wanted)


def _jobs(wanted: Sequence[Stored]) -> list[Sequence[Stored]]:
    """The projections that are built together, those first that take longest.

    All folded ones come from one fold. Of counters, each event is an interval.
    """
    folded = [projection for projection in wanted if isinstance(projection, FoldedProjection)]
    others = [projection for projection in wanted if isinstance(projection, Projection)]
    others.sort(key=lambda projection: not projection.counters)
    return [*([folded] if folded else []), *([projection] for projection in others)]


class _Rebuild:
    """Builds some projections by one connection, and swaps them together."""

    def __init__(self, store: Store, together: Sequence[Stored], at: str) -> None:
        self._store, self._together, self._at = store, together, at
        self._upkeep = store.upkeep

    def run(self, swapping: Lock) -> list[Rebuilt]:
        with self._upkeep.building(*self._together):
            begun = self._store.tracking.tracked()
            position = min(begun[projection.name].position for projection in self._together)
            before = self._digests({p: begun[p.name].table for p in self._together}, position)
            beside = {p: self._upkeep.make_beside(p, begun[p.name]) for p in self._together}
            write_history(self._store, beside, position, ReadFacts(self._store.connection))
            for projection, table in beside.items():
                self._upkeep.complete(projection, table)
            built = self._rebuilt(position, before, self._digests(beside, position))

            def swap() -> list[Rebuilt]:
                done = built
                with swapping, self._upkeep.swapping():
                    known = self._store.tracking.tracked()
                    for projection in self._together:
                        _check_unchanged(known[projection.name], begun[projection.name])
                    now = min(known[projection.name].position for projection in self._together)
                    if now > position:
                        done = self._caught_up(beside, position, known, now)
                    for projection, table in beside.items():
                        self._upkeep.adopt(projection, known[projection.name], table, self._at)
                return done

            return self._upkeep.retry_swap(self._together[0], swap)

    def _caught_up(
        self, beside: Tables, position: int, known: Mapping[str, Tracked], now: int
    ) -> list[Rebuilt]:
        """Add what the live tables have got since a position to the new ones; digest both again."""
        continue_history(self._store, beside, position + 1, now, ReadFacts(self._store.connection))
        before = self._digests({p: known[p.name].table for p in self._together}, now)
        return self._rebuilt(now, before, self._digests(beside, now))

    def _digests(self, tables: Tables, position: int) -> list[Digest]:
        connection = self._store.connection
        return [digest_of_table(connection, p, table, position) for p, table in tables.items()]

    def _rebuilt(
        self, position: int, before: Sequence[Digest], after: Sequence[Digest]
    ) -> list[Rebuilt]:
        return [
            Rebuilt.of(projection, position, old, new)
            for projection, old, new in zip(self._together, before, after, strict=True)
        ]


def _check_unchanged(known: Tracked, begun: Tracked) -> None:
    """Raises StoreLocked if the live table is not the one with which the rebuild began."""
    is_same = (known.generation, known.fingerprint) == (begun.generation, begun.fingerprint)
    if not is_same or known.position < begun.position:
        raise StoreLocked(
            f"Another process rebuilt {known.name} in the meantime. That one is live now; this one "
            "was discarded.",
            remedy=f"If you still need it, run `authledger projection rebuild {known.name}` again.",
        )
