"""A batch: events in their envelopes, numbered, ready to be appended in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ledger.account.conflicting import ConflictingTrace
from ledger.documents import digests_of
from ledger.execution.comparison import digest_of
from ledger.execution.request import Actor
from ledger.messages import DomainEvent, Observation, Provenance, Recorded
from ledger.persistence.entry import encode
from ledger.persistence.side_tables import Clock, DocumentRow, SideRows, SnapshotRow, SubjectRow
from ledger.runner import Runner
from ledger.streams import AccountKey, stream_of
from ledger.subjects import (
    RUNNER,
    RegisteredKind,
    SubjectKind,
    SubjectRegistered,
    commitment,
    new_salt,
    new_subject,
    runner_id,
)

Name = tuple[SubjectKind, str]
"""The name of a person, an address, a file or a runner, with its kind."""
Registered = tuple[RegisteredKind, str]
"""The same, of which an event registers the name: not a runner's."""


@dataclass(frozen=True, slots=True)
class Known:
    """The state of the ledger on which a batch builds, looked up before the batch is made.

    `versions`: the last version of each stream that the events belong to, and of those in `relied`,
    which a decision relied on. `subjects`: the registered ones among the names, and the runner's.
    `runner`: who runs this process; None in a batch that is only looked at.
    """

    versions: Mapping[str, int] = field(default_factory=dict)
    subjects: Mapping[Name, SubjectRow] = field(default_factory=dict)
    relied: Collection[str] = ()
    runner: Runner | None = None


class Batch:
    """Entries to append in one transaction.

    `versions` and `subjects` become known to the process once they are appended.
    """

    def __init__(self, known: Known, recorded_at: datetime) -> None:
        self._known = known
        self.recorded_at = recorded_at
        self.clock: Clock | None = None
        """It stands in for the writer's clock, which is held against the last recorded time."""
        self.entries: list[Recorded] = []
        self.versions: dict[str, int] = {}
        self.subjects: dict[Name, SubjectRow] = {}
        self.erased: list[str] = []
        self.erased_documents: list[str] = []
        self.documents: dict[str, DocumentRow] = {}
        """The texts that come with the observations, each once."""
        self._commands: list[tuple[str, str | None, int]] = []
        self._run: dict[str, Any] | None = None
        """The fields of the envelope that say who runs this process, once an entry has them."""
        self._relied: set[str] = set()
        """Surrogate ids of known subjects: the append fails if one is erased in the meantime."""

    @classmethod
    def joined(cls, batches: Sequence[Batch], recorded_at: datetime) -> Batch:
        """One batch of several commands' batches, each of which builds on those before it.

        It relies on what the first of them knew of a stream, and what they append to it.
        """
        versions: dict[str, int] = {}
        relied: set[str] = set()
        for each in reversed(batches):
            versions |= each._known.versions
            relied.update(each._known.relied)
        whole = cls(Known(versions, relied=relied), recorded_at)
        for each in batches:
            whole.entries += each.entries
            whole.versions |= each.versions
            whole.subjects |= each.subjects
            whole._commands += each._commands
            whole._relied |= each._relied
        whole._relied -= {row.subject for row in whole.subjects.values()}
        return whole

    def add_command(
        self,
        account: AccountKey | None,
        events: Sequence[DomainEvent],
        at: datetime,
        *,
        command_id: str,
        digest: str | None = None,
        actor: Actor | None = None,
        **envelope: Any,
    ) -> None:
        """Envelop a command's events."""
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
            self._envelop(account, event, at, envelope)
        self._commands.append((command_id, digest, len(self.entries) - before))

    def add_observation(self, command_id: str, observation: Observation) -> None:
        """Envelop one trace's facts. Nothing is concluded from them: the fold does that."""
        before = len(self.entries)
        envelope = self._of_trace(command_id, observation)
        if observation.actor is not None:
            envelope["actor"] = self._subject(("person", observation.actor), envelope)
        names = (*names_in(observation),)
        events = [self._with_names(each, names, envelope) for each in observation.events]
        account = observation.provider, observation.account
        for event in events:
            self._envelop(account, event, observation.effective_at, envelope)
        self._keep(observation, observation.events)
        digest = digest_of(observation, envelope.get("actor"), events)
        self._commands.append((command_id, digest, len(self.entries) - before))

    def add_completion(
        self,
        command_id: str,
        observation: Observation,
        events: Sequence[DomainEvent],
        actor: str | None,
    ) -> None:
        """Envelop what a known trace's entries lack. `actor` is the surrogate id that they have: an
        erased name is not registered again.
        """
        before = len(self.entries)
        envelope = self._of_trace(command_id, observation) | {"actor": actor}
        for event in events:
            account = observation.provider, observation.account
            self._envelop(account, event, observation.effective_at, envelope)
        self._keep(observation, events)
        self._commands.append((command_id, None, len(self.entries) - before))

    def add_conflict(
        self, command_id: str, observation: Observation, event: ConflictingTrace
    ) -> None:
        """Envelop what another copy of a known trace says."""
        before = len(self.entries)
        envelope = self._of_trace(command_id, observation)
        if observation.actor is not None:
            envelope["actor"] = self._subject(("person", observation.actor), envelope)
        account = observation.provider, observation.account
        self._envelop(account, event, observation.effective_at, envelope)
        self._commands.append((command_id, None, len(self.entries) - before))

    def _keep(self, observation: Observation, events: Iterable[DomainEvent]) -> None:
        """Keep the observation's documents to which these events refer."""
        if observation.documents:
            wanted = {digest for event in events for digest in digests_of(event)}
            self.documents |= {
                row.digest: row for row in texts_of(observation) if row.digest in wanted
            }

    def side_rows(self, snapshots: Sequence[SnapshotRow] = ()) -> SideRows:
        """The rows for the side tables, and the conditions under which the batch may be appended.

        The versions are those of the streams after the batch.
        """
        known = {stream: self._known.versions[stream] for stream in self._known.relied}
        return SideRows(
            commands=self._commands,
            subjects=tuple(self.subjects.values()),
            relied=self._relied,
            versions={stream: self.versions.get(stream, known[stream]) for stream in known},
            erased=self.erased,
            documents=tuple(self.documents.values()),
            erased_documents=self.erased_documents,
            snapshots=snapshots,
        )

    def conditions(self) -> SideRows:
        """The same conditions before the batch is appended: the versions are those of now."""
        return replace(self.side_rows(), versions=self._known.versions)

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

    def _envelop(
        self,
        account: AccountKey | None,
        event: DomainEvent,
        at: datetime,
        envelope: Mapping[str, Any],
    ) -> None:
        stream = stream_of(event, account)
        if self._run is None:
            self._run = self._run_fields()
        self.entries.append(
            Recorded(
                stream=stream,
                version=self._next_version(stream),
                event=event,
                recorded_at=self.recorded_at,
                effective_at=at,
                provider=account[0] if account else None,
                account=account[1] if account else None,
                **self._run,
                **envelope,
            )
        )

    def _next_version(self, stream: str) -> int:
        known = self.versions.get(stream)
        version = (self._known.versions[stream] if known is None else known) + 1
        self.versions[stream] = version
        return version

    def _of_trace(self, command_id: str, observation: Observation) -> dict[str, Any]:
        """The envelope of a trace's entries. It has the surrogate id of the file's name."""
        source = observation.source
        envelope: dict[str, Any] = {
            "origin": "observed",
            "command_id": command_id,
            "actor_established": "trace",
            "source": source,
            "correlation_id": observation.correlation_id,
        }
        if source.file is not None:
            trace_id, verified = source.trace_id, source.verified
            name: Registered = "file", source.file
            file = self._known_subject(name)
            if file is None:
                envelope["source"] = Provenance(trace_id=trace_id, verified=verified)
                file = self._register(name, envelope)
            envelope["source"] = Provenance(trace_id=trace_id, file=file, verified=verified)
        return envelope

    def _with_names(
        self, event: DomainEvent, names: Iterable[tuple[str, Registered]], envelope: dict[str, Any]
    ) -> DomainEvent:
        """The event with the surrogate ids of the trace's names, in those fields that it has."""
        its = {
            field: self._subject(name, envelope) for field, name in names if field in event.__dict__
        }
        return event.model_copy(update=its) if its else event

    def _run_fields(self) -> dict[str, Any]:
        runner = self._known.runner
        if runner is None:
            return {}
        name: Name = RUNNER, runner.name
        subject = self._known_subject(name)
        if subject is None:
            salt = new_salt()
            subject = runner_id(salt, runner.name)
            self.subjects[name] = SubjectRow(subject, RUNNER, runner.name, salt)
        return {"run_by": subject, "database_user": runner.database_user}

    def _subject(self, name: Registered, envelope: dict[str, Any]) -> str:
        """The surrogate id of a name; registers it in this batch if it is new."""
        return self._known_subject(name) or self._register(name, envelope)

    def _known_subject(self, name: Name) -> str | None:
        known = self._known.subjects.get(name)
        if known is not None:
            self._relied.add(known.subject)
            return known.subject
        new = self.subjects.get(name)
        return None if new is None else new.subject

    def _register(self, name: Registered, envelope: dict[str, Any]) -> str:
        kind, text = name
        row = SubjectRow(new_subject(kind), kind, text, new_salt())
        self.subjects[name] = row
        registered = SubjectRegistered(
            subject=row.subject, kind=kind, commitment=commitment(row.salt, kind, text)
        )
        self.versions[stream_of(registered, None)] = 0
        self._envelop(None, registered, self.recorded_at, envelope)
        return row.subject


def texts_of(observation: Observation) -> Iterator[DocumentRow]:
    """The documents in a trace whose texts can be kept."""
    return (
        DocumentRow(document.digest, document.size, document.text)
        for document in observation.documents
        if document.text is not None
    )


def named(event: DomainEvent, subjects: Mapping[str, str | None]) -> DomainEvent:
    """The event with the surrogate ids of names, in those fields that it has."""
    its = {field: each for field, each in subjects.items() if field in event.__dict__}
    return event.model_copy(update=its) if its else event


def names_in(observation: Observation) -> Iterator[tuple[str, Registered]]:
    """The names in a trace beside its actor's: the field that each is for, its kind and text."""
    if observation.address is not None:
        yield "address", ("address", observation.address)
    for place, name in observation.names.items():
        yield place, ("person", name)


def subject_names(observations: Iterable[Observation]) -> Iterator[Name]:
    """The names in observations: the files', who acted, and the others for which an event has a
    field.
    """
    for each in observations:
        if each.source.file is not None:
            yield "file", each.source.file
        if each.actor is not None:
            yield "person", each.actor
        for place, name in names_in(each):
            if any(place in event.__dict__ for event in each.events):
                yield name
