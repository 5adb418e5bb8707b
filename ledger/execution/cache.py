"""A process's cache of its ledger: accounts, versions of streams, surrogate ids of names.

The cache may be behind the database, because other processes append too. An append checks what it
relied on, and after a conflict the cache is cleared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import cast

from eventsourcing.persistence import Mapper, StoredEvent

from ledger.account.account import evolve
from ledger.account.facts import fact_of
from ledger.account.state import State
from ledger.account.uses import Uses
from ledger.execution.batch import Batch, Known, Name
from ledger.execution.seal import Seal
from ledger.execution.state_cache import Bounded, States
from ledger.messages import Recorded
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SnapshotRow, SubjectRow
from ledger.runner import Runner
from ledger.stream_states import read_use
from ledger.subjects import RUNNER


class Cache:
    """Looks up the state on which a batch builds. Not for several threads at once."""

    def __init__(self, recorder: Recorder, mapper: Mapper[str], seal: Seal) -> None:
        self._recorder, self._mapper = recorder, mapper
        self.runner: Runner | None = None
        """The runner of this process, which the entries name."""
        self.accounts = States[State](recorder, seal, self._read_account, evolve)
        self.uses = States[Uses](recorder, seal, self._read_use, _take_use)
        self._versions, self._subjects = Bounded(), Bounded()

    def known(
        self,
        streams: Collection[str],
        names: Iterable[Name],
        relied: Mapping[str, int] | None = None,
    ) -> Known:
        """The state on which a batch builds that appends to these streams and uses these names.

        `relied`: the streams that a decision relied on, with the versions that it knows.
        """
        relied = relied or {}
        versions = self._last_versions(set(streams) - relied.keys())
        subjects = self._registered(names)
        return Known({**versions, **relied}, subjects, relied.keys(), self.runner)

    def snapshots(self) -> Sequence[SnapshotRow]:
        """The snapshots to write with the next append."""
        return (*self.accounts.snapshots(), *self.uses.snapshots())

    def add(self, batch: Batch) -> None:
        """Note what a batch appended."""
        for states in (self.accounts, self.uses):
            states.snapshots_written()
        self.take(batch)

    def take(self, batch: Batch) -> None:
        """Know what a batch says, as if it was appended. If it never is, the cache is cleared."""
        for states in (self.accounts, self.uses):
            states.add(batch.entries)
        for stream, version in batch.versions.items():
            self._versions[stream] = version
        for name, row in batch.subjects.items():
            self._subjects[name] = row

    def streams(self, prefix: str) -> list[str]:
        """The streams of the database whose names begin so, sorted."""
        return self._recorder.select_streams(prefix)

    def clear(self) -> None:
        """Forget everything: after a conflict, or a failure, it may be behind the database."""
        self.accounts.clear()
        self.uses.clear()
        self._versions.clear()
        self._subjects.clear()

    def _read_account(self, state: State, entry: StoredEvent) -> None:
        evolve(state, self._recorded(entry))

    def _read_use(self, uses: Uses, entry: StoredEvent) -> None:
        read_use(uses, entry, self._recorded)

    def _recorded(self, entry: StoredEvent) -> Recorded:
        return cast(Recorded, self._mapper.to_domain_event(entry))

    def _last_versions(self, streams: Collection[str]) -> dict[str, int]:
        found = {stream: self._versions[stream] for stream in streams if stream in self._versions}
        unknown = [stream for stream in streams if stream not in found]
        if unknown:
            read = self._recorder.max_versions(unknown)
            self._versions.update(read)
            found |= read
        return found

    def _registered(self, names: Iterable[Name]) -> dict[Name, SubjectRow]:
        """The subjects of the names, and the runner's."""
        wanted = set(names)
        if self.runner is not None:
            wanted.add((RUNNER, self.runner.name))
        found = {name: self._subjects[name] for name in wanted if name in self._subjects}
        for kind in sorted({kind for kind, _ in wanted - found.keys()}):
            unknown = [text for each, text in wanted - found.keys() if each == kind]
            for text, row in self._recorder.select_subjects(kind, unknown).items():
                found[kind, text] = self._subjects[kind, text] = row
        return found


def _take_use(uses: Uses, entry: Recorded) -> None:
    uses.learn(entry.version, fact_of(entry, entry.version))
