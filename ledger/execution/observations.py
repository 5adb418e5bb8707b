"""Appends what a cloud's traces report, in transactions of many traces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from ledger.account.state import account_stream
from ledger.documents import digests_of
from ledger.execution.batch import Batch, Known, Name, names_in, texts_of
from ledger.execution.completion import COMPLETED, lacking
from ledger.execution.outcome import Observed
from ledger.execution.streams import is_of_account, stream_of
from ledger.execution.transactions import Transactions
from ledger.messages import Observation
from ledger.persistence.side_tables import CommandRow, DocumentRow

TRACES_MAX: Final = 5_000
"""How many traces one transaction appends. With more, fewer pages are written twice."""


class Observations:
    """Appends observations to a ledger. `now` reads the clock."""

    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions, self._now = transactions, now

    def observe(self, observations: Iterable[Observation], *, complete: bool = False) -> Observed:
        """Append observations; a trace that was appended before appends nothing.

        `complete`: such a trace appends, once, the documents and ids that its entries lack.
        """
        counts = Observed()
        stream = iter(observations)
        while part := list(islice(stream, TRACES_MAX)):
            # By time: a fact that is later than all before it takes the shortest step of the fold.
            part.sort(key=lambda observation: observation.effective_at)
            attempt = partial(self._attempt, part, counts)
            known = self._transactions.retried(attempt, "these accounts")
            if complete and known:
                completing = partial(self._complete, part, known, counts)
                self._transactions.retried(completing, "these accounts")
        return counts

    def _attempt(self, part: Sequence[Observation], counts: Observed) -> Mapping[str, CommandRow]:
        """Append traces once; return the commands of the known ones. Raises IntegrityError on a
        conflict.
        """
        given: dict[str, Observation] = {}
        for observation in part:
            given.setdefault(observation.command_id, observation)
        seen = self._transactions.recorder.select_commands(given)
        new = {one: given[one] for one in given if one not in seen} if seen else given
        batch = Batch(self._known(new.values()), self._now())
        for command_id, observation in new.items():
            batch.add_observation(command_id, observation)
        appended = self._transactions.append(batch)
        appended.released()
        counts.new_traces += len(new)
        counts.known_traces += len(part) - len(new)
        counts.entries += len(appended.positions)
        counts.by_type.update(batch.types)
        return seen

    def _complete(
        self, part: Sequence[Observation], known: Mapping[str, CommandRow], counts: Observed
    ) -> None:
        """Append what known traces' entries lack. Raises IntegrityError on a conflict."""
        recorder = self._transactions.recorder
        again = {each.command_id: each for each in part if each.command_id in known}
        done = recorder.select_commands(one + COMPLETED for one in again)
        streams = {account_stream(each.provider, each.account) for each in again.values()}
        batch = Batch(Known({each: recorder.max_version(each) for each in streams}), self._now())
        texts: dict[str, DocumentRow] = {}
        completed = 0
        for command_id, observation in again.items():
            commands = [known[command_id], *filter(None, [done.get(command_id + COMPLETED)])]
            entries = [entry for one in commands for entry in self._transactions.entries(one)]
            digests = {digest for entry in entries for digest in digests_of(entry.event)}
            texts |= {row.digest: row for row in texts_of(observation) if row.digest in digests}
            events = () if len(commands) > 1 else (*lacking(observation.events, entries),)
            if events:
                actor = next((entry.actor for entry in entries if entry.actor), None)
                batch.add_completion(command_id + COMPLETED, observation, events, actor)
                completed += 1
        appended = self._transactions.append(batch)
        appended.released()
        counts.completed_traces += completed
        counts.entries += len(appended.positions)
        counts.by_type.update(batch.types)
        counts.texts_kept_again += self._keep(texts)

    def _keep(self, texts: Mapping[str, DocumentRow]) -> int:
        """Keep texts that events refer to and that are not kept; return how many."""
        recorder = self._transactions.recorder
        kept = recorder.select_documents(texts) if texts else {}
        missing = [texts[digest] for digest in texts if digest not in kept]
        return recorder.keep(missing) if missing else 0

    def _known(self, new: Collection[Observation]) -> Known:
        """The versions of the traces' streams, and the subjects behind their names.

        The accounts' versions are read anew: after a conflict, all this would be done again.
        """
        streams = {
            (stream_of(event, (each.provider, each.account)), is_of_account(event))
            for each in new
            for event in each.events
        }
        return self._transactions.cache.known(
            {stream for stream, is_account in streams if not is_account},
            _names(new),
            {
                stream: self._transactions.recorder.max_version(stream)
                for stream, is_account in streams
                if is_account
            },
        )


def _names(observations: Iterable[Observation]) -> Iterator[Name]:
    """The names in observations: who acted, and the others for which an event has a field."""
    for each in observations:
        if each.actor is not None:
            yield "person", each.actor
        for field, name in names_in(each):
            if any(field in type(event).model_fields for event in each.events):
                yield name
