"""The accounts that a process knows: each is read once, from its snapshot on, then caught up."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from eventsourcing.persistence import Mapper, StoredEvent

from ledger.account.account import evolve
from ledger.account.snapshot import from_text, to_text
from ledger.account.state import State, account_stream
from ledger.messages import Recorded
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SnapshotRow

CACHED_MAX: Final = 10_000
"""How many accounts, streams and names are held in memory."""
SNAPSHOT_AFTER: Final = 32
"""An account that is read from so many entries, and a sixty-fourth of its version more, gets a
snapshot: writing one costs as much as reading some entries."""


class Bounded(OrderedDict[Any, Any]):
    """A dictionary of at most CACHED_MAX items; the one that was set first goes first."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > CACHED_MAX:
            self.popitem(last=False)


class Accounts:
    """Reads accounts from the database, and chooses which snapshots to write."""

    def __init__(self, recorder: Recorder, mapper: Mapper[str]) -> None:
        self._recorder, self._mapper = recorder, mapper
        self._cached = Bounded()
        self._snapshots: dict[str, SnapshotRow] = {}

    def current(self, provider: str, account: str) -> State:
        """The account as it is in the database now: the cached one, caught up."""
        stream = account_stream(provider, account)
        was_cached = stream in self._cached
        found = self.cached(provider, account)
        if was_cached:
            self._evolve(found, self._recorder.select_events(stream, gt=found.version))
        return found

    def cached(self, provider: str, account: str) -> State:
        """The account as this process knows it. If it is behind, the append finds a conflict."""
        stream = account_stream(provider, account)
        found: State | None = self._cached.pop(stream, None)
        if found is None:
            found = self._read(provider, account, stream)
        self._cached[stream] = found
        return found

    def add(self, entries: Iterable[Recorded]) -> None:
        """Apply entries that were appended to the accounts that are known."""
        for entry in entries:
            found: State | None = self._cached.get(entry.stream)
            if found is not None and found.version == entry.version - 1:
                evolve(found, entry)

    def snapshots(self) -> Sequence[SnapshotRow]:
        """The snapshots to write with the next append: states as they were read."""
        return tuple(self._snapshots.values())

    def snapshots_written(self) -> None:
        """Note that an append wrote the snapshots."""
        self._snapshots.clear()

    def clear(self) -> None:
        """Forget all accounts."""
        self._cached.clear()
        self._snapshots.clear()

    def _read(self, provider: str, account: str, stream: str) -> State:
        found, entries = self._from_snapshot(stream)
        if found is None:
            found, entries = State(provider, account), self._recorder.select_events(stream)
        self._evolve(found, entries)
        if len(entries) >= SNAPSHOT_AFTER + found.version // 64:
            self._snapshots[stream] = SnapshotRow(
                stream, found.version, _anchor(entries[-1]), to_text(found)
            )
        return found

    def _from_snapshot(self, stream: str) -> tuple[State | None, Sequence[StoredEvent]]:
        """The account as its snapshot has it, and the entries after that.

        None if it has no snapshot, or one of another history or of another version of the program.
        """
        row = self._recorder.select_snapshot(stream)
        if row is None:
            return None, ()
        entries = self._recorder.select_events(stream, gt=row.version - 1)
        if not entries or _anchor(entries[0]) != row.anchor:
            return None, ()
        try:
            found = from_text(row.state)
        except ValueError:
            return None, ()
        is_of = account_stream(found.provider, found.account)
        fits = (found.version, is_of) == (row.version, stream)
        return (found, entries[1:]) if fits else (None, ())

    def _evolve(self, state: State, entries: Sequence[StoredEvent]) -> None:
        for entry in entries:
            evolve(state, cast(Recorded, self._mapper.to_domain_event(entry)))


def _anchor(entry: StoredEvent) -> str:
    """A digest of an entry, by which a snapshot recognises its history."""
    return hashlib.sha256(entry.state).hexdigest()[:16]
