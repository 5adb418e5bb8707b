"""A batch: facts settled, enveloped and numbered, ready to be appended in one transaction."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, Protocol

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ledger.account.account import settle
from ledger.account.permissions import PermissionGranted
from ledger.account.state import Account, account_stream
from ledger.errors import InvalidInput
from ledger.messages import TRACE_PREFIX, Command, DomainEvent, Established, Observation, Recorded
from ledger.persistence.entry import encode
from ledger.persistence.side_tables import Beside, SnapshotRow, SubjectRow
from ledger.subjects import SubjectKind, SubjectRegistered, commitment, new_salt, new_subject
from ledger.values import CommandId, Line

NAME_CHARACTERS_MAX: Final = 1_024
_UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"  # Control, line ends, half characters.
    r"\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"  # Direction, zero width.
)
"""What makes a name look like another. The joiners U+200C and U+200D are part of Persian names."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and how that is known: claimed by a flag, or the operating system's user."""

    name: str
    established: Established = "claimed"

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_CHARACTERS_MAX or _UNSEEN.search(self.name):
            raise InvalidInput(
                f"{self.name!r} is no name for an actor: it is empty, holds characters that "
                f"cannot be seen, or is longer than {NAME_CHARACTERS_MAX}."
            )


_LATER: Final = ConfigDict(defer_build=True)
_WORDS: Final[Mapping[str, tuple[TypeAdapter[str], int]]] = {
    "command_id": (TypeAdapter(CommandId, config=_LATER), 128),
    "correlation_id": (TypeAdapter(Line, config=_LATER), 1024),
    "reason": (TypeAdapter(Line, config=_LATER), 1024),
}


def check_words(**words: str | None) -> None:
    """Hold the words of the envelope against their kinds. Raises InvalidInput."""
    for name, text in words.items():
        adapter, longest = _WORDS[name]
        try:
            if text is not None:
                adapter.validate_python(text)
        except ValidationError:
            raise InvalidInput(
                f"{text!r} is no {name.replace('_', ' ')}.",
                remedy=f"Write one line of 1 to {longest} characters.",
            ) from None
        if name == "command_id" and text is not None and text.startswith(TRACE_PREFIX):
            raise InvalidInput(
                f"Command ids that begin with {TRACE_PREFIX!r} are those of traces.",
                remedy="Choose another.",
            )


class Known(Protocol):
    """What a batch asks of the ledger that it will be appended to."""

    def account_to_settle(self, provider: str, account: str) -> Account: ...
    def version(self, stream: str) -> int: ...
    def subject(self, kind: SubjectKind, name: str) -> SubjectRow | None: ...


class Batch:
    """Entries to append in one transaction, numbered on from what the ledger knows.

    `versions` and `subjects` are what the ledger knows in addition once they are appended.
    `versions_before` are the versions of the same streams before this batch settled anything.
    """

    def __init__(self, ledger: Known, recorded_at: datetime) -> None:
        self._ledger = ledger
        self._recorded_at = recorded_at
        self.entries: list[Recorded] = []
        self._commands: list[tuple[str, str | None, int]] = []
        self.subjects: dict[tuple[SubjectKind, str], SubjectRow] = {}
        self._named: dict[tuple[SubjectKind, str], str] = {}
        """Every name that the batch has met, new or known, and its surrogate id."""
        self._accounts: dict[tuple[str, str], Account] = {}
        self.versions: dict[str, int] = {}
        self.versions_before: dict[str, int] = {}
        self._relied: set[str] = set()
        self.erased: list[str] = []

    def command(
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
        if account is not None:
            self._accounts[account.provider, account.account] = account
            stream = account_stream(account.provider, account.account)
            self.versions_before[stream] = account.version
        if not events:
            return
        envelope |= {
            "origin": "commanded",
            "command_id": command_id,
            "actor_established": actor.established if actor else "ledger",
        }
        before = len(self.entries)
        if actor is not None:
            envelope["actor"] = self._subject("person", actor.name, envelope)
        for event in events:
            self._settle(account, event, at, envelope)
        self._commands.append((command_id, digest, len(self.entries) - before))

    def observe(self, command_id: str, observation: Observation) -> None:
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
            envelope["actor"] = self._subject("person", observation.actor, envelope)
        account = self._account(observation.provider, observation.account)
        for event in observation.events:
            placed = self._with_address(event, observation.address, envelope)
            self._settle(account, placed, observation.effective_at, envelope)
        self._commands.append((command_id, None, len(self.entries) - before))

    def beside(self, snapshots: Sequence[SnapshotRow] = ()) -> Beside:
        """What is written in the same transaction: command ids, names, and names to forget."""
        return Beside(
            commands=self._commands,
            subjects=tuple(self.subjects.values()),
            relied=self._relied,
            versions={account_stream(*key): known.version for key, known in self._accounts.items()},
            erased=self.erased,
            snapshots=snapshots,
        )

    def preview(self) -> tuple[Recorded, ...]:
        """The entries as they would be appended."""
        for entry in self.entries:
            encode(entry)
        return tuple(self.entries)

    def stored(self, positions: Sequence[int], at: datetime) -> tuple[Recorded, ...]:
        """The entries as they were appended: numbered, and not recorded before what was appended
        earlier, by whatever clock.
        """
        return tuple(
            replace(entry, position=position, recorded_at=at)
            for position, entry in zip(positions, self.entries, strict=True)
        )

    @property
    def types(self) -> Iterator[str]:
        return (entry.type for entry in self.entries)

    def _settle(
        self, account: Account | None, event: DomainEvent, at: datetime, envelope: dict[str, Any]
    ) -> None:
        if account is None or event.STREAM != "account":  # It changes no account's state.
            stream = _stream(event, account)
            self._envelop(account, event, at, (stream, self._next(stream)), envelope)
            return
        stream = account_stream(account.provider, account.account)
        for settled, settled_at in settle(account, event, at):
            told_by = envelope
            if settled is not event and isinstance(event, PermissionGranted):
                # News of the grant came late; its end is the ledger's doing, not the granter's.
                told_by = envelope | {"actor": None, "actor_established": "ledger"}
            self._envelop(account, settled, settled_at, (stream, account.version), told_by)

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

    def _with_address(
        self, event: DomainEvent, address: str | None, envelope: dict[str, Any]
    ) -> DomainEvent:
        """The event with the surrogate id of where it came from, if it tells that at all."""
        if address is None or not _tells_address(type(event)):
            return event
        subject = self._subject("address", address, envelope)
        return event.model_copy(update={"address": subject})

    def _account(self, provider: str, account: str) -> Account:
        key = (provider, account)
        known = self._accounts.get(key)
        if known is None:
            known = self._accounts[key] = self._ledger.account_to_settle(provider, account)
        return known

    def _next(self, stream: str) -> int:
        if stream not in self.versions:
            self.versions[stream] = self.versions_before[stream] = self._ledger.version(stream)
        self.versions[stream] += 1
        return self.versions[stream]

    def _subject(self, kind: SubjectKind, name: str, envelope: dict[str, Any]) -> str:
        """The surrogate id of a name; registers it in this batch when it is new."""
        named = self._named.get((kind, name))
        if named is not None:
            return named
        known = self._ledger.subject(kind, name)
        if known is not None:
            self._relied.add(known.subject)
            self._named[kind, name] = known.subject
            return known.subject
        row = SubjectRow(new_subject(kind), kind, name, new_salt())
        self.subjects[kind, name] = row
        self._named[kind, name] = row.subject
        registered = SubjectRegistered(
            subject=row.subject, kind=kind, commitment=commitment(row.salt, kind, name)
        )
        self._settle(None, registered, self._recorded_at, envelope)
        return row.subject


@cache
def _tells_address(event_type: type[DomainEvent]) -> bool:
    return "address" in event_type.model_fields


def _stream(event: Any, account: Account | None) -> str:
    """In which stream an event lives; its last word may hold anything, so it stands last."""
    if event.STREAM == "subject":
        return f"subject:{event.subject}"
    if event.STREAM == "log":
        return f"log:{event.log}"
    assert account is not None
    if event.STREAM == "account":
        return account_stream(account.provider, account.account)
    where = f"{event.STREAM}:{account.provider}:{account.account}"
    return f"{where}:{event.service if event.STREAM == 'console' else event.agency}"


def digest_of_command(command: Command) -> str:
    """What tells one command from another: SHA-256 over its name and its fields."""
    content = json.dumps([type(command).__name__, command.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
