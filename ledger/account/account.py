"""The aggregate composed of its topics: decide a command, evolve by an event, settle what it ends.

A new event or command is added in its topic's file alone; the tables DECIDE and EVENTS of all
topics are merged here. A new topic is listed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from ledger.account import agency, authorization, console, permissions, policy, project, usage
from ledger.account.decision import Circumstances, Decision, Decisions
from ledger.account.meaning import Change, Meanings
from ledger.account.state import Account
from ledger.messages import Command, DomainEvent

DECIDE: Decisions = {
    **console.DECIDE,
    **authorization.DECIDE,
    **agency.DECIDE,
    **policy.DECIDE,
    **usage.DECIDE,
}
EVENTS: Meanings = {
    **console.EVENTS,
    **authorization.EVENTS,
    **agency.EVENTS,
    **policy.EVENTS,
    **permissions.EVENTS,
    **project.EVENTS,
    **usage.EVENTS,
}
CHANGES: Final[dict[type[DomainEvent], Change]] = {
    event: meaning.effect for event, meaning in EVENTS.items() if isinstance(meaning.effect, Change)
}
"""The events that change an account's state; any other leaves it as it is."""


def decide(account: Account, command: Command, now: Circumstances) -> Decision:
    """Choose the facts that a command causes. Pure: no clock, no database, no randomness."""
    return DECIDE[type(command)](account, command, now)


def evolve(account: Account, event: DomainEvent, at: datetime) -> None:
    """Apply one event of the account's stream, effective at that time. Never refuses."""
    account.version += 1
    if account.latest_effective_at is None or at > account.latest_effective_at:
        account.latest_effective_at = at
    change = CHANGES.get(type(event))
    if change is not None:
        change.evolve(account, event, at)


def replay(account: Account, history: Iterable[tuple[DomainEvent, datetime]]) -> Account:
    """Apply many events, each with its effective time. Returns the account."""
    for event, at in history:
        evolve(account, event, at)
    return account


def settle(
    account: Account, event: DomainEvent, at: datetime
) -> Iterator[tuple[DomainEvent, datetime]]:
    """Apply an event, and yield it with what it ends, each with its effective time.

    A deletion ends the permissions that were open then. A permission that arrives late ends at
    the deletion that is known already. So the order of arrival changes no present answer.
    """
    if event.STREAM != "account":
        yield event, at
        return
    evolve(account, event, at)
    yield event, at
    change = CHANGES.get(type(event))
    for consequence, ended_at in list(change.ends(account, event, at)) if change else ():
        evolve(account, consequence, ended_at)
        yield consequence, ended_at
