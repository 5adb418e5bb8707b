"""Keeps the views: catches up with new events, rebuilds, follows, reports their positions."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from ledger.application import system_clock
from ledger.catalogue import Catalogue
from ledger.errors import NotFound, StoreUnavailable
from ledger.near_words import did_you_mean
from ledger.values import instant_text
from projections.definitions.declared import PROJECTIONS, declared_name
from projections.maintenance.comparison import compare_all
from projections.maintenance.histories import continue_history, write_history
from projections.maintenance.live_facts import LiveFacts
from projections.maintenance.rebuild import OnProgress, Rebuilt, rebuild_all
from projections.maintenance.trail_rebuild import TRAIL, rebuild_trail
from projections.projection import Stored
from projections.stores import name_index, time_index, trail
from projections.stores.store import Store

ANALYZED_FROM: Final = 1_024
"""From so many positions on, and each time when there are about twice as many, the database learns
how rare the values of the tables are."""
CHUNK: Final = 250_000
"""How many positions one transaction of a catch-up takes. Progress is reported after each."""


Basis = Literal["the entries", "the trail as it stands", "the export"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A report: what was rebuilt, by which program, from which positions, with which digests.

    `swapped`: the rebuilt views are live now; otherwise they were only compared with the live ones.
    `basis`: what they were built from. If it is the entries, the trail is the first projection, and
    was built before the others.
    """

    engine: str
    code_version: str
    first_position: int
    last_position: int
    rebuilt_at: str
    projections: tuple[Rebuilt, ...]
    swapped: bool = True
    basis: Basis = "the entries"

    @property
    def equal(self) -> bool:
        return all(projection.equal for projection in self.projections)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "equal": self.equal}


@dataclass(frozen=True, slots=True)
class Status:
    """How far one projection has come: the position reached, how many are missing, its rows."""

    name: str
    position: int
    behind: int
    rows: int
    history_rows: int
    rebuilt_at: str | None


class Runner:
    """Keeps all projections of one store."""

    def __init__(
        self, store: Store, catalogue: Catalogue, clock: Callable[[], datetime] = system_clock
    ) -> None:
        self._clock = clock
        self._store = store
        self._catalogue = catalogue
        self._live = LiveFacts(store.connection)

    def catch_up(self, on_progress: OnProgress | None = None) -> int:
        """Bring every projection to the ledger's last position; return the position reached.

        All projections of a chunk advance in one transaction. Where this connection may not write
        to the views, they stay where they are. Raises StoreLocked if another process catches up.
        """
        store = self._store
        with store.connection.store_errors():
            if not store.connection.can_catch_up:
                store.declarations.check()
                return store.tracking.reached()
            self._declare()
            last = store.tracking.last_position()
            reached = store.tracking.reached()
            while reached < last:
                chunk = min(reached + CHUNK, last) if reached else last
                reached = store.tracking.end_of_command(chunk)
                with store.connection.transaction():
                    self._advance(reached)
                if on_progress:
                    on_progress("all", reached, last)
        return last

    def rebuild(
        self, names: Iterable[str] | None = None, on_progress: OnProgress | None = None
    ) -> Certificate:
        """Build projections beside the live ones, compare digests, and swap.

        All of them: the audit trail (`trail`) from the entries first, and the others from it. Only
        some, without the trail: from the trail as it stands.
        Until the swap, others read the live one and catch it up; a crash leaves it as it is. Where
        this connection may not rebuild the views, they are only compared with the events.
        Raises NotFound for a name that is not a projection.
        """
        chosen = list(names or ())
        with_trail = not chosen or TRAIL in chosen
        others = [name for name in chosen if name != TRAIL]
        wanted = [] if chosen and not others else projections_named(others)
        with self._store.connection.store_errors():
            self._declare(thoroughly=True)
        self.catch_up()
        store = self._store
        swapped = store.connection.can_rebuild
        with store.connection.store_errors():
            rebuilt = [rebuild_trail(store, writes=swapped)] if with_trail else []
            if swapped and wanted:
                rebuilt += rebuild_all(store, wanted, instant_text(self._clock()), on_progress)
            elif wanted:
                rebuilt += compare_all(store.connection, wanted, on_progress)
        return Certificate(
            engine=store.connection.engine,
            code_version=code_version(),
            first_position=1,
            last_position=max(projection.last_position for projection in rebuilt),
            rebuilt_at=instant_text(self._clock()),
            projections=tuple(rebuilt),
            swapped=swapped,
            basis="the entries" if with_trail else "the trail as it stands",
        )

    def status(self) -> list[Status]:
        """How far each projection has come, without catching up."""
        connection = self._store.connection
        with connection.store_errors():
            self._declare(thoroughly=True)
            last = self._store.tracking.last_position()
            reached = trail.reached(connection)
            rows = connection.value("SELECT count(*) FROM trail")
            found = [Status(TRAIL, reached, last - reached, rows, rows, None)]
            for name, position, rebuilt_at in connection.execute(
                "SELECT name, position, rebuilt_at FROM tracking ORDER BY name"
            ).fetchall():
                shown, kept = (
                    connection.value(f"SELECT count(*) FROM {each}")
                    for each in (name, f"{name}_history")
                )
                found.append(Status(name, position, last - position, shown, kept, rebuilt_at))
            return found

    def follow(
        self, interval_s: float = 0.5, on_lost: Callable[[StoreUnavailable], None] = lambda _: None
    ) -> Iterator[int]:
        """Catch up again and again, and yield each new position reached, until closed.

        A lost connection is reported to `on_lost` and replaced, perhaps by one to another server.
        Raises StoreUnavailable if there is none for several minutes.
        """
        connection = self._store.connection
        reached = -1
        while True:
            try:
                position = self.catch_up()
                if position == reached:
                    connection.wait(interval_s)
            except StoreUnavailable as error:
                if not connection.is_transient(error):
                    raise
                on_lost(error)
                connection.reconnect()
                continue
            if position != reached:
                reached = position
                yield position

    def _declare(self, *, thoroughly: bool = False) -> None:
        connection, declarations = self._store.connection, self._store.declarations
        if not connection.can_catch_up:
            return
        if declarations.is_current(self._catalogue, thoroughly=thoroughly):
            return
        if not connection.can_rebuild:
            declarations.check()  # If only the catalogue differs, the owner's serves as well.
            return
        with connection.transaction():
            declarations.apply(self._catalogue)
            self._store.upkeep.admit_writers()

    def _advance(self, until: int) -> None:
        """Bring the live tables to a position. Within a transaction only."""
        tables: dict[int, dict[Stored, str]] = defaultdict(dict)
        for known in self._store.tracking.tracked().values():
            tables[known.position][PROJECTIONS[known.name]] = known.table
        trail.extend(self._store.connection, until)
        with self._live.advancing(until):
            for reached, behind in tables.items():
                if reached == 0:
                    with self._store.upkeep.filling(behind):
                        write_history(self._store, behind, until, self._live)
                elif reached < until:
                    continue_history(self._store, behind, reached + 1, until, self._live)
        time_index.extend(self._store.connection, until)
        name_index.extend(self._store.connection, until)
        for reached, behind in tables.items():
            if until >= ANALYZED_FROM and until.bit_length() > reached.bit_length():
                self._store.upkeep.analyze(behind)
        self._store.tracking.advance(until)


def projections_named(names: Iterable[str] | None) -> list[Stored]:
    """The projections of these names, or all. Raises NotFound for any other name."""
    wanted = [declared_name(name) for name in names or PROJECTIONS]
    for name in wanted:
        if name not in PROJECTIONS:
            raise NotFound(
                f"There is no projection {name!r}.", remedy=did_you_mean(name, PROJECTIONS)
            )
    return [PROJECTIONS[name] for name in wanted]


def code_version() -> str:
    """The program's version and a digest of all declarations."""
    try:
        release = version("authledger")
    except PackageNotFoundError:
        release = "source"
    declared = "".join(projection.fingerprint for projection in PROJECTIONS.values())
    return f"{release}+{hashlib.sha256(declared.encode()).hexdigest()[:12]}"
