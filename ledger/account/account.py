"""The aggregate composed of its topics: decide a command, evolve by an event, settle what it ends.

A new event or command is added in its topic's file alone; its tables DECIDE and EVOLVE are merged
here. An event of the account's stream without an entry in EVOLVE changes no answer: an attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ledger.account import agency, authorization, console, permissions, policy, usage
from ledger.account.agency import AgencyDeleted
from ledger.account.decision import Circumstances, Decision, Decisions, Evolutions
from ledger.account.impact import known_permissions
from ledger.account.permissions import PermissionGranted, PermissionRevoked, end_of, revoked
from ledger.account.policy import PolicyDeleted
from ledger.account.state import Account, PermissionKey
from ledger.messages import Command, DomainEvent

DECIDE: Decisions = {
    **console.DECIDE,
    **authorization.DECIDE,
    **agency.DECIDE,
    **policy.DECIDE,
    **usage.DECIDE,
}
EVOLVE: Evolutions = {
    **authorization.EVOLVE,
    **agency.EVOLVE,
    **policy.EVOLVE,
    **permissions.EVOLVE,
}


def decide(account: Account, command: Command, now: Circumstances) -> Decision:
    """Choose the facts that a command causes. Pure: no clock, no database, no randomness."""
    return DECIDE[type(command)](account, command, now)


def evolve(account: Account, event: DomainEvent, at: datetime) -> None:
    """Apply one event of the account's stream, effective at that time. Never refuses."""
    account.version += 1
    if account.latest_effective_at is None or at > account.latest_effective_at:
        account.latest_effective_at = at
    change = EVOLVE.get(type(event))
    if change is not None:
        change(account, event, at)


def replay(account: Account, history: Iterable[tuple[DomainEvent, datetime]]) -> Account:
    """Apply many."""
    for event, at in history:
        evolve(account, event, at)
    return account


def settle(
    account: Account, event: DomainEvent, at: datetime
) -> Iterator[tuple[DomainEvent, datetime]]:
    """Apply an event, and yield it with what it ends, each with its effective time.

    A deletion ends the permissions that were open then; a permission whose news arrives late
    ends at the deletion that is known already. So the order of arrival changes no present answer.
    """
    if event.STREAM != "account":
        yield event, at
        return
    evolve(account, event, at)
    yield event, at
    for consequence, ended_at in list(_consequences(account, event, at)):
        evolve(account, consequence, ended_at)
        yield consequence, ended_at


def _consequences(
    account: Account, event: DomainEvent, at: datetime
) -> Iterator[tuple[PermissionRevoked, datetime]]:
    if isinstance(event, AgencyDeleted):
        for key, granted in account.permissions.get(event.agency, {}).items():
            if granted.at(at):
                yield revoked(key, "AgencyDeleted"), at
    elif isinstance(event, PolicyDeleted):
        for key, granted in known_permissions(account, event.policy):
            if granted.at(at):
                yield revoked(key, "PolicyDeleted"), at
    elif isinstance(event, PermissionGranted):
        key = PermissionKey(event.agency, event.region, event.service, event.policy)
        end = end_of(account, key, at)
        if end is not None:
            yield revoked(key, end[1]), end[0]
