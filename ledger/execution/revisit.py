"""Known traces that are delivered again: what they tell more than their entries, or otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.account.state import account_stream
from ledger.documents import digests_of
from ledger.execution.batch import Batch, Known, named, names_in, subject_names, texts_of
from ledger.execution.comparison import (
    CONFLICT,
    KIND,
    conflict_of,
    differences,
    digest_of,
    is_vague,
)
from ledger.execution.completion import COMPLETED, lacking
from ledger.execution.transactions import Transactions
from ledger.messages import DomainEvent, Observation, Recorded
from ledger.persistence.side_tables import CommandRow, DocumentRow
from ledger.subjects import SubjectRegistered
from ledger.trace_digest import is_comparable


class Revisit:
    """Compares known traces with their entries, once. Its numbers are those of this comparison."""

    def __init__(self, transactions: Transactions, again: Sequence[Observation]) -> None:
        self._transactions = transactions
        recorder = transactions.recorder
        ids = {each.command_id for each in again}
        self._commands = recorder.select_commands([*ids, *(one + COMPLETED for one in ids)])
        names = transactions.cache.known((), subject_names(again)).subjects
        self._subjects = {name: row.subject for name, row in names.items()}
        self._again = again
        self._seen: set[str] = set()
        """The commands that the batch appends."""
        self.completed = 0
        self.conflicting: list[str] = []
        """The file and the id of each trace that contradicts its entries."""
        self.texts: dict[str, DocumentRow] = {}
        """Texts to keep to which entries refer already."""

    def known(self) -> Known:
        """The versions of the streams that may grow, and the names' subjects."""
        recorder = self._transactions.recorder
        accounts = {(each.provider, each.account) for each in self._again}
        streams = {account_stream(*each) for each in accounts}
        streams |= {f"other:{provider}:{account}" for provider, account in accounts}
        names = self._transactions.cache.known((), subject_names(self._again))
        return replace(names, versions=recorder.max_versions(streams))

    def take(self, batch: Batch, observation: Observation, *, complete: bool) -> None:
        """Add what one trace has more than its entries, or otherwise."""
        row = self._commands[observation.command_id]
        is_new = is_comparable(row.digest) and row.digest != self._digest(observation)
        if not is_new and not complete:
            return
        entries = self._transactions.entries(row)
        differs = self._differences(observation, entries) if is_new else []
        if differs == [KIND] and self._tells_other_than_vague(observation, entries):
            self._clarify(batch, observation, entries)
        elif differs:
            self._contradict(batch, observation, differs)
        else:
            self._complete(batch, observation, entries)

    def _names(self, observation: Observation) -> dict[str, str | None]:
        return {field: self._subjects.get(name) for field, name in names_in(observation)}

    def _actor(self, observation: Observation) -> str | None:
        actor = observation.actor
        return None if actor is None else self._subjects.get(("person", actor))

    def _digest(self, observation: Observation) -> str:
        names = self._names(observation)
        events = [named(event, names) for event in observation.events]
        return digest_of(observation, self._actor(observation), events)

    def _differences(self, observation: Observation, entries: Sequence[Recorded]) -> list[str]:
        names = self._names(observation)
        if observation.actor is not None:
            names["actor"] = self._actor(observation)
        return differences(observation, names, entries, self._is_erased)

    def _is_erased(self, subject: str) -> bool:
        return subject not in self._transactions.recorder.subject_names([subject])

    def _tells_other_than_vague(
        self, observation: Observation, entries: Sequence[Recorded]
    ) -> bool:
        """Whether one of two copies of a trace says only that something changed, then."""
        is_then = all(
            entry.effective_at == observation.effective_at
            for entry in entries
            if not isinstance(entry.event, SubjectRegistered)
        )
        stored = is_vague([entry.event for entry in entries])
        return is_then and stored != is_vague(observation.events)

    def _clarify(self, batch: Batch, observation: Observation, entries: Sequence[Recorded]) -> None:
        """Add the facts of a copy that tells what changed, if the entries do not; once."""
        command_id = observation.command_id + COMPLETED
        is_done = command_id in self._commands or command_id in self._seen
        if not is_done and is_vague([entry.event for entry in entries]):
            self._append(batch, observation, observation.events, entries)

    def _contradict(self, batch: Batch, observation: Observation, differs: Sequence[str]) -> None:
        event = conflict_of(observation, differs)
        command_id = f"{observation.command_id}{CONFLICT}{event.digest[:16]}"
        if command_id in self._seen:
            return
        self._seen.add(command_id)
        source = observation.source
        self.conflicting.append(f"{source.file}: {source.trace_id}: {', '.join(differs)}")
        if not self._transactions.recorder.select_commands([command_id]):
            batch.add_conflict(command_id, observation, event)

    def _complete(
        self, batch: Batch, observation: Observation, entries: Sequence[Recorded]
    ) -> None:
        command_id = observation.command_id + COMPLETED
        done: CommandRow | None = self._commands.get(command_id)
        entries = [*entries, *(self._transactions.entries(done) if done else ())]
        digests = {digest for entry in entries for digest in digests_of(entry.event)}
        texts = texts_of(observation)
        self.texts |= {row.digest: row for row in texts if row.digest in digests}
        events = (
            () if done or command_id in self._seen else (*lacking(observation.events, entries),)
        )
        if events:
            self._append(batch, observation, events, entries)

    def _append(
        self,
        batch: Batch,
        observation: Observation,
        events: Sequence[DomainEvent],
        entries: Sequence[Recorded],
    ) -> None:
        """Complete a trace, once, by the actor whom its entries have."""
        command_id = observation.command_id + COMPLETED
        actor = next((entry.actor for entry in entries if entry.actor), None)
        batch.add_completion(command_id, observation, events, actor)
        self._seen.add(command_id)
        self.completed += 1
