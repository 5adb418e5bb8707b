"""A batch: facts settled, enveloped and numbered, ready to be appended in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from ledger.account.account import settle
from ledger.account.permissions import PermissionGranted
from ledger.account.state import Account, account_stream
from ledger.execution.request import Actor
from ledger.execution.streams import is_of_account, stream_of
from ledger.messages import DomainEvent, Observation, Recorded
from ledger.persistence.entry import encode
from ledger.persistence.side_tables import SideRows, SnapshotRow, SubjectRow
from ledger.subjects import SubjectKind, SubjectRegistered, commitment, new_salt, new_subject

AccountKey = tuple[str, str]
"""The provider, and the account's id there."""
Name = tuple[SubjectKind, str]
"""A person's or an address's name, with its kind."""


@dataclass(frozen=True, slots=True)
class Known:
    """The state of the ledger on which a batch builds, looked up before the batch is made.

    `accounts` are changed as facts are settled. `versions`: the last version of each stream that
    the events belong to, except the accounts' own. `subjects`: the registered ones among the names.
    """

    accounts: Mapping[AccountKey, Account] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    subjects: Mapping[Name, SubjectRow] = field(default_factory=dict)


class Batch:
    """Entries to append in one transaction.

    `versions` and `subjects` become known to the process once they are appended.
    """

    def __init__(self, known: Known, recorded_at: datetime) -> None:
        self._known = known
        self._recorded_at = recorded_at
        self.entries: list[Recorded] = []
        self.versions: dict[str, int] = {}
        self.subjects: dict[Name, SubjectRow] = {}
        self.erased: list[str] = []
        self._commands: list[tuple[str, str | None, int]] = []
        self._relied: set[str] = set()
        """Surrogate ids of known subjects: the append fails if one is erased in the meantime."""
        self._account_versions = {key: known.version for key, known in known.accounts.items()}

    def add_command(
        self,
        account: Account | None,
        events: Sequence[DomainEvent],
        at: datetime,
        *,
        command_id: str,
        digest: str | None = None,
        actor: Actor | None = None,
        **envelope: Any,
    ) -> None:
        """Settle a command's events against the account and envelop them."""
        if not events:
            return
        envelope |= {
            "origin": "commanded",
            "command_id": command_id,
            "actor_established": actor.established if actor else "ledger",
        }
        before = len(self.entries)
        if actor is not None:
            envelope["actor"] = self._subject(("person", actor.name), envelope)
        for event in events:
            self._settle(account, event, at, envelope)
        self._commands.append((command_id, digest, len(self.entries) - before))

    def add_observation(self, command_id: str, observation: Observation) -> None:
        """Settle one trace's facts against its account and envelop them."""
        envelope: dict[str, Any] = {
            "origin": "observed",
            "command_id": command_id,
            "actor_established": "trace",
            "source": observation.source,
            "correlation_id": observation.correlation_id,
        }
        before = len(self.entries)
        if observation.actor is not None:
            envelope["actor"] = self._subject(("person", observation.actor), envelope)
        account = self._known.accounts[observation.provider, observation.account]
        for event in observation.events:
            with_address = self._with_address(event, observation.address, envelope)
            self._settle(account, with_address, observation.effective_at, envelope)
        self._commands.append((command_id, None, len(self.entries) - before))

    def side_rows(self, snapshots: Sequence[SnapshotRow] = ()) -> SideRows:
        """The rows for the side tables, and the conditions under which the batch may be appended.

        The versions are those of the accounts after the batch.
        """
        return SideRows(
            commands=self._commands,
            subjects=tuple(self.subjects.values()),
            relied=self._relied,
            versions={
                account_stream(*key): account.version
                for key, account in self._known.accounts.items()
            },
            erased=self.erased,
            snapshots=snapshots,
        )

    def conditions(self) -> SideRows:
        """The same conditions before the batch is appended: the versions are those of now."""
        accounts = {account_stream(*key): now for key, now in self._account_versions.items()}
        return replace(self.side_rows(), versions={**self._known.versions, **accounts})

    def preview(self) -> tuple[Recorded, ...]:
        """The entries as they would be appended. Raises InvalidInput if one is too long."""
        for entry in self.entries:
            encode(entry)
        return tuple(self.entries)

    def stored(self, positions: Sequence[int], at: datetime) -> tuple[Recorded, ...]:
        """The entries as they were appended: with their positions and their recorded time.

        `at` may be later than this process's clock: recorded times never decrease.
        """
        return tuple(
            replace(entry, position=position, recorded_at=at)
            for position, entry in zip(positions, self.entries, strict=True)
        )

    @property
    def types(self) -> Iterator[str]:
        """The type of each entry."""
        return (entry.type for entry in self.entries)

    def _settle(
        self, account: Account | None, event: DomainEvent, at: datetime, envelope: dict[str, Any]
    ) -> None:
        if account is None or not is_of_account(event):
            stream = stream_of(event, account)
            self._envelop(account, event, at, (stream, self._next_version(stream)), envelope)
            return
        stream = account_stream(account.provider, account.account)
        for settled, settled_at in settle(account, event, at):
            by_whom = envelope
            if settled is not event and isinstance(event, PermissionGranted):
                # News of the grant came late; the ledger concludes its end, not the granter.
                by_whom = envelope | {"actor": None, "actor_established": "ledger"}
            self._envelop(account, settled, settled_at, (stream, account.version), by_whom)

    def _envelop(
        self,
        account: Account | None,
        event: DomainEvent,
        at: datetime,
        place: tuple[str, int],
        envelope: Mapping[str, Any],
    ) -> None:
        stream, version = place
        self.entries.append(
            Recorded(
                stream=stream,
                version=version,
                event=event,
                recorded_at=self._recorded_at,
                effective_at=at,
                provider=account.provider if account else None,
                account=account.account if account else None,
                **envelope,
            )
        )

    def _next_version(self, stream: str) -> int:
        known = self.versions.get(stream)
        version = (self._known.versions[stream] if known is None else known) + 1
        self.versions[stream] = version
        return version

    def _with_address(
        self, event: DomainEvent, address: str | None, envelope: dict[str, Any]
    ) -> DomainEvent:
        """The event with the surrogate id of the caller's address, if it has such a field."""
        if address is None or not has_address(type(event)):
            return event
        subject = self._subject(("address", address), envelope)
        return event.model_copy(update={"address": subject})

    def _subject(self, name: Name, envelope: dict[str, Any]) -> str:
        """The surrogate id of a name; registers it in this batch if it is new."""
        known = self._known.subjects.get(name)
        if known is not None:
            self._relied.add(known.subject)
            return known.subject
        if name not in self.subjects:
            self._register(name, envelope)
        return self.subjects[name].subject

    def _register(self, name: Name, envelope: dict[str, Any]) -> None:
        kind, text = name
        row = SubjectRow(new_subject(kind), kind, text, new_salt())
        self.subjects[name] = row
        registered = SubjectRegistered(
            subject=row.subject, kind=kind, commitment=commitment(row.salt, kind, text)
        )
        self.versions[stream_of(registered, None)] = 0
        self._settle(None, registered, self._recorded_at, envelope)


@cache
def has_address(event_type: type[DomainEvent]) -> bool:
    """Whether events of a type hold the surrogate id of the caller's address."""
    return "address" in event_type.model_fields
