"""Decides one command on what the process knows, and envelops its events."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from ledger.account.account import decide
from ledger.account.decision import Circumstances, Decision
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
from ledger.execution.batch import Batch
from ledger.execution.cache import Cache
from ledger.execution.outcome import Outcome
from ledger.execution.repetition import command_digest
from ledger.execution.request import Request, names_of
from ledger.messages import Command, DomainEvent, Recorded
from ledger.streams import stream_of


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and the batch with its events."""

    request: Request
    decision: Decision
    batch: Batch

    def outcome(self, entries: tuple[Recorded, ...], checkpoint: str | None) -> Outcome:
        """The outcome, once the batch is appended as these entries. Raises Refused."""
        decision, dry_run = self.decision, self.request.dry_run
        if decision.refusal is not None:
            raise Refused(
                decision.refusal, remedy=decision.remedy, entries=entries, dry_run=dry_run
            )
        return Outcome(entries, checkpoint, note=decision.note, dry_run=dry_run)


def state_of(command: Command, cache: Cache) -> State:
    """The state of a command's account, as the process knows it."""
    return cache.accounts.cached(State(command.provider, command.account))


def decided(
    request: Request, state: State, now: datetime, catalogue: Catalogue, cache: Cache
) -> Decided:
    """Decide a command on the state of its account. Raises InvalidInput, NotFound."""
    command = request.command
    # A command takes effect now, even if a fact is known whose clock was ahead of this one.
    uses = _uses(state, command, catalogue, cache)
    account = Account(state, state.next_instant(now, inform(state, uses)))
    circumstances = Circumstances(account.at, catalogue, request.reason)
    decision = decide(account, command, circumstances)
    key = (command.provider, command.account)
    known = cache.known(
        {stream_of(event, key) for event in decision.events},
        names_of(request.actor) if decision.events else (),
        {state.stream: state.version} | {each.stream: each.version for each in uses},
    )
    return Decided(
        request, decision, _batch(Batch(known, now), request, decision.events, circumstances)
    )


def _uses(state: State, command: Command, catalogue: Catalogue, cache: Cache) -> list[Uses]:
    """The uses of the agencies that the command names; of all, if it counts them."""

    def read(handle: str) -> Uses:
        return cache.uses.cached(Uses(state.provider, state.account, handle))

    named = agencies_named(command, catalogue)
    if command.COUNTS_AGENCIES:
        prefix = streams_of(state.provider, state.account)
        used = [stream.removeprefix(prefix) for stream in cache.streams(prefix)]
        named += tuple(used) if may_reach_quota(state, command, used, catalogue) else ()
    found = [uses for agency in named for uses in uses_of(state, agency, read)]
    return list({uses.stream: uses for uses in found}.values())


def _batch(
    batch: Batch, request: Request, events: tuple[DomainEvent, ...], circumstances: Circumstances
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
