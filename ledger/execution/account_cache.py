"""The accounts that a process knows: each read once, from its snapshot on, then caught up."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, cast

from eventsourcing.persistence import Mapper, StoredEvent

from ledger.account.account import evolve
from ledger.account.snapshot import from_text, to_text
from ledger.account.state import Account, account_stream
from ledger.messages import Recorded
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SnapshotRow

CACHED_MAX: Final = 10_000
"""How many accounts, streams and names are held in memory."""
SNAPSHOT_AFTER: Final = 32
"""How many entries an account is read from at least before a snapshot of it is kept. Its state
takes as long to write as some entries take to read, and a sixty-fourth of its version more."""


class Bounded(OrderedDict[Any, Any]):
    """A dictionary that forgets its oldest items beyond CACHED_MAX."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > CACHED_MAX:
            self.popitem(last=False)


class Accounts:
    """Reads accounts from a ledger's file, and says which snapshots are worth keeping."""

    def __init__(self, recorder: Recorder, mapper: Mapper[str]) -> None:
        self._recorder, self._mapper = recorder, mapper
        self._known = Bounded()
        self._worth_keeping: dict[str, SnapshotRow] = {}

    def get(self, provider: str, account: str) -> Account:
        """The account as it is in the file now: the cached one, which only `settle` may change."""
        stream = account_stream(provider, account)
        is_known = stream in self._known
        known = self.known(provider, account)
        if is_known:
            self._evolve(known, self._recorder.select_events(stream, gt=known.version))
        return known

    def known(self, provider: str, account: str) -> Account:
        """The account as this process knows it: a lost race shows when it appends."""
        stream = account_stream(provider, account)
        known: Account | None = self._known.pop(stream, None)
        if known is None:
            known = self._read(provider, account, stream)
        self._known[stream] = known
        return known

    def snapshots(self) -> Sequence[SnapshotRow]:
        """What is worth keeping with the next append: states as they were read from the file."""
        return tuple(self._worth_keeping.values())

    def kept(self) -> None:
        """The snapshots are in the file."""
        self._worth_keeping.clear()

    def forget(self) -> None:
        self._known.clear()
        self._worth_keeping.clear()

    def _read(self, provider: str, account: str, stream: str) -> Account:
        known, entries = self._from_snapshot(stream)
        if known is None:
            known, entries = Account(provider, account), self._recorder.select_events(stream)
        self._evolve(known, entries)
        if len(entries) >= SNAPSHOT_AFTER + known.version // 64:
            self._worth_keeping[stream] = SnapshotRow(
                stream, known.version, _anchor(entries[-1]), to_text(known)
            )
        return known

    def _from_snapshot(self, stream: str) -> tuple[Account | None, Sequence[StoredEvent]]:
        """The account as its snapshot has it, and the entries after that; None if it has none, or
        one of another history or of another program.
        """
        row = self._recorder.select_snapshot(stream)
        if row is None:
            return None, ()
        entries = self._recorder.select_events(stream, gt=row.version - 1)
        if not entries or _anchor(entries[0]) != row.anchor:
            return None, ()
        try:
            known = from_text(row.state)
        except ValueError:
            return None, ()
        is_of = account_stream(known.provider, known.account)
        fits = (known.version, is_of) == (row.version, stream)
        return (known, entries[1:]) if fits else (None, ())

    def _evolve(self, known: Account, entries: Sequence[StoredEvent]) -> None:
        for entry in entries:
            recorded = cast(Recorded, self._mapper.to_domain_event(entry))
            evolve(known, recorded.event, recorded.effective_at)


def _anchor(entry: StoredEvent) -> str:
    return hashlib.sha256(entry.state).hexdigest()[:16]
