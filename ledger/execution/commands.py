"""Executes commands: decides and appends, each command id once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from ledger.account.account import decide
from ledger.account.decision import Circumstances
from ledger.account.questions import Account
from ledger.account.state import account_stream
from ledger.catalogue import Catalogue
from ledger.errors import Refused
from ledger.execution.batch import Batch, Name
from ledger.execution.outcome import Outcome
from ledger.execution.repetition import check_actor, command_digest, first_outcome
from ledger.execution.request import Actor, Request
from ledger.execution.streams import stream_of
from ledger.execution.transactions import Transactions
from ledger.messages import DomainEvent, Recorded

History = Callable[[int, int], Iterable[Recorded]]
"""The entries between two positions, both included."""


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
        self, event: DomainEvent, actor: Actor | None, reason: str | None, erased: Sequence[str]
    ) -> Outcome:
        """Append an event that is about no account; forget `erased` in the same transaction."""

        def attempt() -> Outcome:
            now = self._now()
            known = self._transactions.cache.known([stream_of(event, None)], _names(actor))
            batch = Batch(known, now)
            command_id = str(uuid.uuid4())
            batch.add_command(
                None, (event,), now, command_id=command_id, actor=actor, reason=reason
            )
            batch.erased += erased
            return Outcome(*self._transactions.append_and_release(batch))

        return self._transactions.retried(attempt, "the same stream")

    def _attempt(self, request: Request, catalogue: Catalogue) -> Outcome:
        """Decide and append once. Raises IntegrityError on a conflict."""
        command = request.command
        state = self._transactions.cache.accounts.cached(command.provider, command.account)
        # After the account was read: if that shows the effect of this command, its id is used too.
        if first := self._first_outcome(request):
            return first
        # A command takes effect now, even if a fact is known whose clock was ahead of this one.
        now = self._now()
        account = Account(state, state.next_instant(now))
        circumstances = Circumstances(account.at, catalogue, request.reason)
        decision = decide(account, command, circumstances)
        batch = self._batch(request, account, decision.events, circumstances, now)
        entries, checkpoint = self._appended(request, batch)
        if decision.refusal is not None:
            raise Refused(
                decision.refusal,
                remedy=decision.remedy,
                entries=entries,
                dry_run=request.dry_run,
            )
        return Outcome(entries, checkpoint, note=decision.note, dry_run=request.dry_run)

    def _batch(
        self,
        request: Request,
        account: Account,
        events: Sequence[DomainEvent],
        circumstances: Circumstances,
        now: datetime,
    ) -> Batch:
        """The batch of a decision's events. The decision relied on the account."""
        key = (account.provider, account.account)
        known = self._transactions.cache.known(
            {stream_of(event, key) for event in events},
            _names(request.actor) if events else (),
            {account_stream(*key): account.version},
        )
        batch = Batch(known, now)
        batch.add_command(
            key,
            events,
            circumstances.at,
            command_id=request.command_id or str(uuid.uuid4()),
            digest=command_digest(request.command),
            actor=request.actor,
            catalogue=circumstances.catalogue.version,
            reason=request.reason,
            correlation_id=request.correlation_id,
        )
        return batch

    def _appended(self, request: Request, batch: Batch) -> tuple[tuple[Recorded, ...], str | None]:
        if request.dry_run:
            return self._transactions.preview(batch), None
        return self._transactions.append_and_release(batch)

    def _first_outcome(self, request: Request) -> Outcome | None:
        """The first outcome of a used command id; None if the id was not used before."""
        recorder, command_id = self._transactions.recorder, request.command_id
        if command_id is None:
            return None
        used = recorder.select_commands([command_id]).get(command_id)
        if used is None:
            return None
        entries = tuple(self._history(used.first_position, used.last_position))
        check_actor(recorder, used, entries, request.actor)
        return first_outcome(used, entries, command_digest(request.command))


def _names(actor: Actor | None) -> tuple[Name, ...]:
    return () if actor is None else (("person", actor.name),)
