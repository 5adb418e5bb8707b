"""Appends what a cloud's traces report, in transactions of many traces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Final

from ledger import collector
from ledger.execution.batch import Batch, Known, subject_names
from ledger.execution.outcome import CONFLICTS_MAX, Observed
from ledger.execution.revisit import Revisit
from ledger.execution.transactions import Transactions
from ledger.messages import Observation
from ledger.persistence.side_tables import DocumentRow
from ledger.streams import is_of_account, stream_of

TRACES_MAX: Final = 5_000
"""How many traces one transaction appends. With more, fewer pages are written twice."""


class Observations:
    """Appends observations to a ledger. `now` reads the clock."""

    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions, self._now = transactions, now

    def observe(self, observations: Iterable[Observation], *, complete: bool = False) -> Observed:
        """Append observations; a trace that was appended before appends nothing.

        If such a trace contradicts its entries, what it says is kept beside them, and counted. If
        it tells more than they do, the documents and ids that they lack are appended, once;
        of traces that an older version appended, only if `complete` says so.
        """
        counts = Observed()
        stream = iter(observations)
        while self._observe_some(stream, counts, complete=complete):
            pass
        return counts

    def _observe_some(
        self, stream: Iterator[Observation], counts: Observed, *, complete: bool
    ) -> bool:
        """Append the next traces of a stream; return whether there were any."""
        with collector.paused():
            part = list(islice(stream, TRACES_MAX))
            # By time: a fact that is later than all before it takes the shortest step of the fold.
            part.sort(key=attrgetter("effective_at"))
            attempt = partial(self._attempt, part, counts)
            again = self._transactions.retried(attempt, "these accounts") if part else ()
            if again:
                revisit = partial(self._revisit, again, counts, complete=complete)
                self._transactions.retried(revisit, "these accounts")
            return bool(part)

    def _attempt(self, part: Sequence[Observation], counts: Observed) -> Sequence[Observation]:
        """Append traces once; return those that were known, and copies that are not alike.

        Raises IntegrityError on a conflict.
        """
        given: dict[str, Observation] = {}
        copies: list[Observation] = []
        for observation in part:
            first = given.setdefault(observation.command_id, observation)
            if first is not observation and not _are_alike(first, observation):
                copies.append(observation)
        seen = self._transactions.recorder.select_commands(given)
        new = self._without_former({one: given[one] for one in given if one not in seen})
        now = self._now()
        for observation in new.values():
            clock = self._transactions.clock(now)
            clock.check_trace(observation.source.trace_id, observation.effective_at)
        batch = Batch(self._known(new.values()), now)
        for command_id, observation in new.items():
            batch.add_observation(command_id, observation)
        appended = self._transactions.append(batch)
        self._transactions.released(appended)
        new_traces = sum(not each.sums_up for each in new.values())
        counts.new_traces += new_traces
        counts.known_traces += sum(not each.sums_up for each in part) - new_traces
        counts.entries += len(appended.positions)
        counts.by_type.update(batch.types)
        return [*(given[one] for one in seen), *copies]

    def _without_former(self, new: dict[str, Observation]) -> dict[str, Observation]:
        """Without those whose facts an older version appended under another id."""
        former = {each.former_command_id for each in new.values() if each.former_command_id}
        known = self._transactions.recorder.select_commands(former) if former else {}
        return {one: each for one, each in new.items() if each.former_command_id not in known}

    def _revisit(self, again: Sequence[Observation], counts: Observed, *, complete: bool) -> None:
        """Append what known traces' entries lack, and what contradicts them, each once.

        Raises IntegrityError on a conflict with another writer.
        """
        visit = Revisit(self._transactions, again)
        batch = Batch(visit.known(), self._now())
        for observation in again:
            visit.take(batch, observation, complete=complete)
        appended = self._transactions.append(batch)
        self._transactions.released(appended)
        counts.completed_traces += visit.completed
        counts.conflicts += len(visit.conflicting)
        room = CONFLICTS_MAX - len(counts.conflicting)
        counts.conflicting += visit.conflicting[:room]
        counts.entries += len(appended.positions)
        counts.by_type.update(batch.types)
        counts.texts_kept_again += self._keep(visit.texts)

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
            subject_names(new),
            self._transactions.recorder.max_versions(
                stream for stream, is_account in streams if is_account
            ),
        )


def _are_alike(first: Observation, other: Observation) -> bool:
    """Whether two copies of a trace say the same."""
    return replace(other, source=first.source, correlation_id=first.correlation_id) == first
