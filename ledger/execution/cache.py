"""A process's cache of its ledger: accounts, versions of streams, surrogate ids of names.

The cache may be behind the database, because other processes append too. An append checks what it
relied on, and after a conflict the cache is cleared.
"""

from __future__ import annotations

from collections.abc import Iterable

from eventsourcing.persistence import Mapper

from ledger.account.state import Account
from ledger.execution.account_cache import Accounts, Bounded
from ledger.execution.batch import Batch, Known, Name
from ledger.execution.streams import is_of_account, stream_of
from ledger.messages import DomainEvent
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SubjectRow


class Cache:
    """Looks up the state on which a batch builds. Not for several threads at once."""

    def __init__(self, recorder: Recorder, mapper: Mapper[str]) -> None:
        self._recorder = recorder
        self.accounts = Accounts(recorder, mapper)
        self._versions, self._subjects = Bounded(), Bounded()

    def known(
        self,
        accounts: Iterable[Account],
        facts: Iterable[tuple[DomainEvent, Account | None]],
        names: Iterable[Name],
    ) -> Known:
        """The state on which a batch of these facts, accounts and names builds."""
        streams = {stream_of(*fact) for fact in facts if not is_of_account(fact[0])}
        return Known(
            accounts={(account.provider, account.account): account for account in accounts},
            versions={stream: self._version(stream) for stream in streams},
            subjects=self._registered(names),
        )

    def add(self, batch: Batch) -> None:
        """Note what a batch appended."""
        self.accounts.snapshots_written()
        for stream, version in batch.versions.items():
            self._versions[stream] = version
        for name, row in batch.subjects.items():
            self._subjects[name] = row

    def clear(self) -> None:
        """Forget everything: a failed append leaves accounts with facts that were not appended."""
        self.accounts.clear()
        self._versions.clear()
        self._subjects.clear()

    def _version(self, stream: str) -> int:
        if stream not in self._versions:
            self._versions[stream] = self._recorder.max_version(stream)
        return int(self._versions[stream])

    def _registered(self, names: Iterable[Name]) -> dict[Name, SubjectRow]:
        wanted = set(names)
        found = {name: self._subjects[name] for name in wanted if name in self._subjects}
        for kind in sorted({kind for kind, _ in wanted - found.keys()}):
            unknown = [text for each, text in wanted - found.keys() if each == kind]
            for text, row in self._recorder.select_subjects(kind, unknown).items():
                found[kind, text] = self._subjects[kind, text] = row
        return found
