"""Executes commands: decides and appends, each command id once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from ledger.account.account import decide
from ledger.account.decision import Circumstances
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.account.uses import (
    Uses,
    agencies_named,
    inform,
    may_reach_quota,
    streams_of,
    uses_of,
)
from ledger.catalogue import Catalogue
from ledger.errors import Refused
from ledger.execution.batch import Batch, Name
from ledger.execution.outcome import Outcome
from ledger.execution.repetition import check_actor, command_digest, first_outcome
from ledger.execution.request import Actor, Request
from ledger.execution.streams import stream_of
from ledger.execution.transactions import Transactions
from ledger.messages import Command, DomainEvent, Recorded

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
            known = self._transactions.cache.known([stream_of(event, None)], _names(actor))
            batch = Batch(known, now)
            command_id = str(uuid.uuid4())
            batch.add_command(
                None, (event,), now, command_id=command_id, actor=actor, reason=reason
            )
            batch.erased += erased
            batch.erased_documents += erased_documents
            return Outcome(*self._transactions.append_and_release(batch))

        return self._transactions.retried(attempt, "the same stream")

    def _attempt(self, request: Request, catalogue: Catalogue) -> Outcome:
        """Decide and append once. Raises IntegrityError on a conflict."""
        command = request.command
        cache = self._transactions.cache
        state = cache.accounts.cached(State(command.provider, command.account))
        # After the account was read: if that shows the effect of this command, its id is used too.
        if first := self._first_outcome(request):
            return first
        # A command takes effect now, even if a fact is known whose clock was ahead of this one.
        now, uses = self._now(), self._uses(state, command, catalogue)
        account = Account(state, state.next_instant(now, inform(state, uses)))
        circumstances = Circumstances(account.at, catalogue, request.reason)
        decision = decide(account, command, circumstances)
        relied = {state.stream: state.version} | {each.stream: each.version for each in uses}
        known = cache.known(*_used(request, decision.events), relied)
        batch = self._batch(Batch(known, now), request, decision.events, circumstances)
        entries, checkpoint = self._appended(request, batch)
        if decision.refusal is not None:
            raise Refused(
                decision.refusal,
                remedy=decision.remedy,
                entries=entries,
                dry_run=request.dry_run,
            )
        return Outcome(entries, checkpoint, note=decision.note, dry_run=request.dry_run)

    def _uses(self, state: State, command: Command, catalogue: Catalogue) -> list[Uses]:
        """The uses of the agencies that the command names; of all, if it counts them."""

        def read(handle: str) -> Uses:
            known = self._transactions.cache.uses
            return known.cached(Uses(state.provider, state.account, handle))

        named = agencies_named(command, catalogue)
        if command.COUNTS_AGENCIES:
            prefix = streams_of(state.provider, state.account)
            streams = self._transactions.recorder.select_streams(prefix)
            used = [stream.removeprefix(prefix) for stream in streams]
            named += tuple(used) if may_reach_quota(state, command, used, catalogue) else ()
        found = [uses for agency in named for uses in uses_of(state, agency, read)]
        return list({uses.stream: uses for uses in found}.values())

    def _batch(
        self,
        batch: Batch,
        request: Request,
        events: Sequence[DomainEvent],
        circumstances: Circumstances,
    ) -> Batch:
        """The batch with a decision's events."""
        batch.add_command(
            (request.command.provider, request.command.account),
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


def _used(request: Request, events: Sequence[DomainEvent]) -> tuple[set[str], tuple[Name, ...]]:
    """The streams that a decision's events belong to, and the names that they use."""
    account = (request.command.provider, request.command.account)
    return {stream_of(event, account) for event in events}, _names(request.actor) if events else ()


def _names(actor: Actor | None) -> tuple[Name, ...]:
    return () if actor is None else (("person", actor.name),)
