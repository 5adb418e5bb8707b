"""An account's state as text, so that a command need not read the account's whole history again.

{"state":1,"version":42,"latest":"2026-03-01T09:30:00.000000Z","agencies":[["asm_admin_trust",
[["2026-03-01T09:30:00.000000Z","0a1b…"]]]],…}: each key with its timeline, in the order learned.
A snapshot is derived: whoever cannot read it replays the entries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from ledger.account.state import Account, Authorization, PermissionKey, Timeline
from ledger.values import instant, instant_text

STATE: Final = 1
"""Grows when `evolve` makes another state of the same events, or a state is written otherwise."""

V = TypeVar("V")


def to_text(account: Account) -> str:
    """The state as one line of JSON."""
    latest = account.latest_effective_at
    return json.dumps(
        {
            "state": STATE,
            "provider": account.provider,
            "account": account.account,
            "version": account.version,
            "latest": None if latest is None else instant_text(latest),
            "authorizations": _told(account.authorizations.items()),
            "agencies": _told(account.agencies.items()),
            "trustees": _told(account.trustees.items()),
            "policies": _told(account.policies.items()),
            "permissions": [
                [agency, _told(known.items())] for agency, known in account.permissions.items()
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_text(text: str) -> Account:
    """The inverse of `to_text`. Raises ValueError for anything else."""
    try:
        return _account(json.loads(text))
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"no snapshot of an account: {error!r}") from error


def _account(told: dict[str, Any]) -> Account:
    if told["state"] != STATE:
        raise ValueError(f"the snapshot has the state {told['state']!r}, not {STATE}")
    return Account(
        provider=told["provider"],
        account=told["account"],
        version=told["version"],
        latest_effective_at=None if told["latest"] is None else instant(told["latest"]),
        authorizations={
            (service, region): _timeline(facts, _authorization)
            for (service, region), facts in told["authorizations"]
        },
        agencies=_by_name(told["agencies"]),
        trustees=_by_name(told["trustees"]),
        policies=_by_name(told["policies"]),
        permissions={
            agency: {PermissionKey(*key): _timeline(facts, bool) for key, facts in known}
            for agency, known in told["permissions"]
        },
    )


def _told(timelines: Iterable[tuple[Any, Timeline[Any]]]) -> list[Any]:
    return [
        [key, [(instant_text(at), value) for at, value in timeline]] for key, timeline in timelines
    ]


def _by_name(told: Iterable[tuple[str, Any]]) -> dict[str, Timeline[str | None]]:
    return {name: _timeline(facts, _same) for name, facts in told}


def _timeline(facts: Iterable[tuple[str, Any]], value_of: Callable[[Any], V]) -> Timeline[V]:
    timeline: Timeline[V] = Timeline()
    for at, value in facts:
        timeline.learn(value_of(value), instant(at))
    return timeline


def _authorization(told: tuple[Any, list[str]]) -> Authorization:
    status, agencies = told
    return Authorization(status, tuple(agencies))


def _same(told: str | None) -> str | None:
    return told
