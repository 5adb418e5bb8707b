"""Keeps the views: catch up with new events, rebuild beside and swap, tell where they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from ledger.application import system_clock
from ledger.catalogue import Catalogue
from ledger.errors import NotFound, StoreUnavailable
from ledger.near_words import did_you_mean
from ledger.values import instant_text
from projections.definitions.declared import PROJECTIONS, declared_name
from projections.maintenance.comparison import compare_all
from projections.maintenance.fold import Fold
from projections.maintenance.rebuild import OnProgress, Rebuilt, rebuild_all
from projections.projection import Projection
from projections.stores import time_index
from projections.stores.store import Store

CHUNK: Final = 250_000
"""How many new positions are taken between two signs of progress."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was rebuilt, by what, from which range of history, and that it came out the same.

    `swapped`: the new ones are the live ones now; otherwise they were only compared with them.
    """

    engine: str
    code_version: str
    first_position: int
    last_position: int
    rebuilt_at: str
    projections: tuple[Rebuilt, ...]
    swapped: bool = True

    @property
    def equal(self) -> bool:
        return all(projection.equal for projection in self.projections)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "equal": self.equal}


@dataclass(frozen=True, slots=True)
class Status:
    """Where one projection stands: the position reached, how many are missing, its rows."""

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

    def catch_up(self, on_progress: OnProgress | None = None) -> int:
        """Bring every projection to the ledger's last position, all in one transaction each chunk.

        Returns the position reached; where this connection may not keep the views, the one that
        they stand at. Raises StoreLocked when another process keeps the views.
        """
        store = self._store
        with store.store_errors():
            if not store.keeps:
                store.check_fits()
                return store.reached()
            self._declare()
            last = store.last_position()
            reached = store.reached()
            while reached < last:
                reached = min(reached + CHUNK, last) if reached else last
                with store.transaction():
                    self._advance(reached)
                if on_progress:
                    on_progress("all", reached, last)
        return last

    def rebuild(
        self, names: Iterable[str] | None = None, on_progress: OnProgress | None = None
    ) -> Certificate:
        """Build projections again beside the live ones, compare digests, and swap.

        A crash leaves the live one; readers read it, and others catch it up, until the swap. Where
        this connection may not make the views, they are compared with the events, and left.
        Raises NotFound for a name that is no projection.
        """
        wanted = projections_named(names)
        self.catch_up()
        store = self._store
        with store.store_errors():
            if store.makes:
                rebuilt = rebuild_all(store, wanted, instant_text(self._clock()), on_progress)
            else:
                rebuilt = compare_all(store, wanted, on_progress)
        return Certificate(
            engine=store.engine,
            code_version=code_version(),
            first_position=1,
            last_position=max(projection.last_position for projection in rebuilt),
            rebuilt_at=instant_text(self._clock()),
            projections=rebuilt,
            swapped=store.makes,
        )

    def status(self) -> list[Status]:
        """Where each projection stands, without catching up."""
        store = self._store
        with store.store_errors():
            self._declare()
            last = store.last_position()
            return [
                Status(
                    name=name,
                    position=position,
                    behind=last - position,
                    rows=store.value(f"SELECT count(*) FROM {name}"),
                    history_rows=store.value(f"SELECT count(*) FROM {name}_history"),
                    rebuilt_at=rebuilt_at,
                )
                for name, position, rebuilt_at in store.execute(
                    "SELECT name, position, rebuilt_at FROM tracking ORDER BY name"
                ).fetchall()
            ]

    def follow(
        self, interval_s: float = 0.5, on_lost: Callable[[StoreUnavailable], None] = lambda _: None
    ) -> Iterator[int]:
        """Catch up again and again; yields each new position reached. Ends when closed.

        A lost connection is replaced, by one to whichever server is there then. Raises
        StoreUnavailable if there is none for long.
        """
        reached = -1
        while True:
            try:
                position = self.catch_up()
                if position == reached:
                    self._store.wait(interval_s)
            except StoreUnavailable as error:
                if not self._store.is_passing(error):
                    raise
                on_lost(error)
                self._store.reconnect()
                continue
            if position != reached:
                reached = position
                yield position

    def _declare(self) -> None:
        store = self._store
        if store.keeps and store.needs_declaring(self._catalogue):
            if not store.makes:
                store.check_fits()  # Then it is the catalogue, and its owner's is as good.
                return
            with store.transaction():
                store.declare(self._catalogue)

    def _advance(self, until: int) -> None:
        """Take the changes from the tracking to a position into the live tables."""
        for known in self._store.tracked().values():
            projection = PROJECTIONS[known.name]
            if known.position == 0:
                self._store.fill(projection, known.table, until)
            elif known.position < until:
                fold = Fold(self._store, projection, known.table)
                fold.take(known.position + 1, until)
                fold.flush()
        time_index.take(self._store, until)
        self._store.track(until)


def projections_named(names: Iterable[str] | None) -> list[Projection]:
    """Those projections, or all. Raises NotFound for a name that is no projection."""
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
