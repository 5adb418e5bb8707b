"""Executes commands: decides and appends, each command id once; several in one commit if asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from eventsourcing.persistence import IntegrityError

from ledger.catalogue import Catalogue
from ledger.clock_set_back import ClockSetBack
from ledger.errors import Conflict, InvalidInput, LedgerError, NotFound, Refused
from ledger.execution.batch import Batch
from ledger.execution.deciding import Decided, decided, state_of
from ledger.execution.outcome import Outcome
from ledger.execution.repetition import check_actor, command_digest, first_outcome
from ledger.execution.request import Actor, Request, names_of
from ledger.execution.transactions import Transactions
from ledger.messages import DomainEvent, Recorded
from ledger.persistence.side_tables import CommandRow
from ledger.streams import stream_of
from ledger.values import instant, instant_text

COMMANDS_MAX: Final = 1_000
"""How many commands one commit takes: so many accounts fit into the cache together, and other
writers wait no longer than for a batch of traces."""
OF_ONE_COMMAND: Final = (InvalidInput, NotFound, Refused, Conflict)
"""Errors of one command of several: they are its outcome, and the others go on."""

History = Callable[[int, int], Iterable[Recorded]]
"""The entries between two positions, both included."""


Result = Outcome | LedgerError
"""The outcome of one command of several."""


class Commands:
    """Executes commands in a ledger. `now` reads the clock."""

    def __init__(
        self, transactions: Transactions, history: History, now: Callable[[], datetime]
    ) -> None:
        self._transactions, self._history, self._now = transactions, history, now

    def execute(self, request: Request, catalogue: Catalogue) -> Outcome:
        """Decide a command and append its events. Raises as `Ledger.execute`."""
        attempt = partial(self._attempt, request, catalogue)
        return self._transactions.retried(attempt, f"the account {request.command.account}")

    def append_event(
        self,
        event: DomainEvent,
        actor: Actor | None,
        reason: str | None,
        *,
        erased: Sequence[str] = (),
        erased_documents: Sequence[str] = (),
    ) -> Outcome:
        """Append an event that is about no account; forget the names of the subjects `erased` and
        the texts of `erased_documents` in the same transaction.
        """

        def attempt() -> Outcome:
            now = self._now()
            known = self._transactions.cache.known([stream_of(event, None)], names_of(actor))
            batch = Batch(known, now)
            command_id = str(uuid.uuid4())
            batch.add_command(
                None, (event,), now, command_id=command_id, actor=actor, reason=reason
            )
            batch.erased += erased
            batch.erased_documents += erased_documents
            return Outcome(*self._transactions.append_and_release(batch))

        return self._transactions.retried(attempt, "the same stream")

    def set_clock_back(self, actor: Actor | None, reason: str) -> Outcome:
        """Append that recorded times begin anew, now. Raises InvalidInput if they need not."""
        transactions = self._transactions

        def attempt() -> Outcome:
            now, last = self._now(), transactions.last_recorded_at()
            if last is None or instant(last) <= now:
                raise InvalidInput(
                    f"The last entry was recorded at {last or 'no time'}, which is not later than "
                    f"now ({instant_text(now)}). Nothing was appended.",
                    remedy="The clock of the ledger needs no correction.",
                )
            event = ClockSetBack(recorded_until=instant(last))
            known = transactions.cache.known([stream_of(event, None)], names_of(actor))
            batch = Batch(known, now)
            batch.clock = _After(last)
            command_id = str(uuid.uuid4())
            batch.add_command(
                None, (event,), now, command_id=command_id, actor=actor, reason=reason
            )
            return Outcome(*transactions.append_and_release(batch))

        return transactions.retried(attempt, "the ledger")

    def execute_many(self, requests: Sequence[Request], catalogue: Catalogue) -> list[Result]:
        """Decide commands one after another, and append all their events in one transaction.

        Raises as `Ledger.execute_many`.
        """
        if len(requests) > COMMANDS_MAX or any(each.dry_run for each in requests):
            raise InvalidInput(
                f"One commit takes at most {COMMANDS_MAX} commands, and no dry run: these are "
                f"{len(requests)}. Nothing was appended.",
                remedy="Execute them in several parts, and a dry run by itself.",
            )
        attempt = partial(self._attempt_many, requests, catalogue)
        return self._transactions.retried(attempt, "the accounts of these commands")

    def _attempt(self, request: Request, catalogue: Catalogue) -> Outcome:
        """Decide and append once. Raises IntegrityError on a conflict."""
        cache = self._transactions.cache
        state = state_of(request.command, cache)
        # After the account was read: if that shows the effect of this command, its id is used too.
        if used := self._used([request]):
            return self._first_outcome(request, used)
        one = decided(request, state, self._now(), catalogue, cache)
        if request.dry_run:
            return one.outcome(self._transactions.preview(one.batch), None)
        return one.outcome(*self._transactions.append_and_release(one.batch))

    def _attempt_many(self, requests: Sequence[Request], catalogue: Catalogue) -> list[Result]:
        """Decide all and append once. Raises IntegrityError on a conflict."""
        with self._transactions.known_again_after_failure():
            now = self._now()  # The entries of one append have one recorded time.
            found = self._decide_all(requests, now, catalogue)
            batches = [each.batch for each in found if isinstance(each, Decided)]
            whole = Batch.joined(batches, now)
            entries, checkpoint = self._transactions.append_and_release(whole)
        appended = iter(entries)
        return [
            _result(partial(self._conclude, request, each, appended, checkpoint))
            for request, each in zip(requests, found, strict=True)
        ]

    def _conclude(
        self,
        request: Request,
        found: Decided | LedgerError | None,
        appended: Iterator[Recorded],
        checkpoint: str | None,
    ) -> Outcome:
        """The outcome of one of several commands after their commit. Raises OF_ONE_COMMAND.

        `appended`: the entries of this command and of those after it.
        """
        if found is None:
            return self._first_outcome(request, self._used([request]))
        if isinstance(found, LedgerError):
            raise found
        entries = tuple(islice(appended, len(found.batch.entries)))
        return found.outcome(entries, checkpoint if entries else None)

    def _decide_all(
        self, requests: Sequence[Request], now: datetime, catalogue: Catalogue
    ) -> list[Decided | LedgerError | None]:
        """The decision of each, or its error, knowing those before it. None: its id is used."""
        cache = self._transactions.cache
        for request in requests:
            state_of(request.command, cache)
        ids, found = set(self._used(requests)), list[Decided | LedgerError | None]()
        for request in requests:
            if request.command_id in ids:
                found.append(None)
                continue
            try:
                state = state_of(request.command, cache)
                one = decided(request, state, now, catalogue, cache)
                one.batch.preview()  # An entry may be too long.
            except OF_ONE_COMMAND as error:
                found.append(error)
                continue
            cache.take(one.batch)
            if request.command_id is not None and one.batch.entries:
                ids.add(request.command_id)
            found.append(one)
        return found

    def _used(self, requests: Sequence[Request]) -> dict[str, CommandRow]:
        """Those of the requests' command ids that were used before."""
        ids = [each.command_id for each in requests if each.command_id is not None]
        return self._transactions.recorder.select_commands(ids) if ids else {}

    def _first_outcome(self, request: Request, used: dict[str, CommandRow]) -> Outcome:
        """The first outcome of a used command id."""
        assert request.command_id is not None
        row = used[request.command_id]
        entries = tuple(self._history(row.first_position, row.last_position))
        check_actor(self._transactions.recorder, row, entries, request.actor)
        return first_outcome(row, entries, command_digest(request.command))


@dataclass(frozen=True, slots=True)
class _After:
    """Stands in for the clock: the entry must follow one that was recorded at that time."""

    recorded_at: str

    def check(self, recorded_at: str | None) -> None:
        if recorded_at != self.recorded_at:
            raise IntegrityError("another writer appended")


def _result(outcome: Callable[[], Outcome]) -> Result:
    """The outcome of a command, or the error that is it."""
    try:
        return outcome()
    except OF_ONE_COMMAND as error:
        return error
