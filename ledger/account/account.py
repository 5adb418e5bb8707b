"""The aggregate: decide a command, evolve by an event, replay a history."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.account.decision import Circumstances, Decision
from ledger.account.facts import fact_of
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.account.topics import DECIDE, EVENTS
from ledger.messages import Command, Recorded


def decide(account: Account, command: Command, now: Circumstances) -> Decision:
    """Choose the facts that a command causes. Pure: no clock, no database, no randomness."""
    return DECIDE[type(command)](account, command, now)


def evolve(state: State, recorded: Recorded) -> None:
    """Apply one event of the account's stream, with its envelope. Never refuses."""
    state.happened(recorded.version, recorded.effective_at, recorded.origin)
    fact = fact_of(recorded, recorded.version)
    if fact is not None:
        state.learn((fact,))
    change = EVENTS[type(recorded.event)].evolve
    if change is not None:
        change(state, recorded.event, recorded.effective_at)


def replay(state: State, history: Iterable[Recorded]) -> State:
    """Apply many events of the account's stream. Returns the state."""
    for recorded in history:
        evolve(state, recorded)
    return state
