"""The states of streams that a process knows: each is read once, from its snapshot on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from eventsourcing.persistence import StoredEvent

from ledger.account.snapshot import from_text, to_text
from ledger.execution.seal import Seal
from ledger.messages import Recorded
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SnapshotRow

CACHED_MAX: Final = 10_000
"""How many states, streams and names are held in memory."""
SNAPSHOT_AFTER: Final = 32
"""A state that is read from so many entries, and a sixty-fourth of its version more, gets a
snapshot: writing one costs as much as reading some entries."""


class Bounded(OrderedDict[Any, Any]):
    """A dictionary of at most CACHED_MAX items; the one that was set first goes first."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > CACHED_MAX:
            self.popitem(last=False)


class Evolving(Protocol):
    """The state of a stream. A new one is empty, and says which stream it is of."""

    version: int

    @property
    def stream(self) -> str: ...


S = TypeVar("S", bound=Evolving)


class States(Generic[S]):
    """Reads states of one kind from the database, and chooses which snapshots to write.

    `read` applies a stored entry to a state, and `take` one that was just appended. Only snapshots
    with this `seal` are believed.
    """

    def __init__(
        self,
        recorder: Recorder,
        seal: Seal,
        read: Callable[[S, StoredEvent], None],
        take: Callable[[S, Recorded], None],
    ) -> None:
        self._recorder, self._seal = recorder, seal
        self._read_entry, self._take = read, take
        self._cached = Bounded()
        self._snapshots: dict[str, SnapshotRow] = {}

    def current(self, empty: S) -> S:
        """The state of a stream as it is in the database now: the cached one, caught up."""
        was_cached = empty.stream in self._cached
        found = self.cached(empty)
        if was_cached:
            self._evolve(found, self._recorder.select_events(found.stream, gt=found.version))
        return found

    def cached(self, empty: S) -> S:
        """The state as this process knows it. If it is behind, the append finds a conflict.

        `empty` is a new state of the stream, which is returned if nothing is known of it.
        """
        stream = empty.stream
        found: S | None = self._cached.get(stream)
        if found is None:
            found = self._cached[stream] = self._read(empty)
        else:
            self._cached.move_to_end(stream)
        return found

    def add(self, entries: Iterable[Recorded]) -> None:
        """Apply entries that were appended to the states that are known."""
        for entry in entries:
            found: S | None = self._cached.get(entry.stream)
            if found is not None and found.version == entry.version - 1:
                self._take(found, entry)

    def snapshots(self) -> Sequence[SnapshotRow]:
        """The snapshots to write with the next append: states as they were read."""
        return tuple(self._snapshots.values())

    def snapshots_written(self) -> None:
        """Note that an append wrote the snapshots."""
        self._snapshots.clear()

    def clear(self) -> None:
        """Forget all states."""
        self._cached.clear()
        self._snapshots.clear()

    def _read(self, empty: S) -> S:
        stream = empty.stream
        found, entries = self._from_snapshot(stream, type(empty))
        if found is None:
            found, entries = empty, self._recorder.select_events(stream)
        self._evolve(found, entries)
        if len(entries) >= SNAPSHOT_AFTER + found.version // 64:
            self._keep(stream, found.version, entries[-1].state, to_text(found))
        return found

    def _keep(self, stream: str, version: int, entry: bytes, state: str) -> None:
        """Have the next append write a snapshot, unless it cannot be sealed."""
        seal = self._seal.of(stream, version, entry, state)
        if seal is not None:
            self._snapshots[stream] = SnapshotRow(stream, version, seal, state)

    def _from_snapshot(self, stream: str, kind: type[S]) -> tuple[S | None, Sequence[StoredEvent]]:
        """The state as its snapshot has it, and the entries after that.

        None if it has no snapshot, or one that another user wrote, of another history or of another
        version of the program.
        """
        row = self._recorder.select_snapshot(stream)
        if row is None:
            return None, ()
        entries = self._recorder.select_events(stream, gt=row.version - 1)
        if not entries or not self._seal.fits(
            row.anchor, stream, row.version, entries[0].state, row.state
        ):
            return None, ()
        try:
            found = from_text(row.state, kind)
        except ValueError:
            return None, ()
        fits = (found.version, found.stream) == (row.version, stream)
        return (found, entries[1:]) if fits else (None, ())

    def _evolve(self, state: S, entries: Sequence[StoredEvent]) -> None:
        for entry in entries:
            self._read_entry(state, entry)
