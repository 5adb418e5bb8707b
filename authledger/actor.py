"""The actor of a call: as the caller claims, or else the operating system's user."""

from __future__ import annotations

from ledger.application import Actor
from ledger.runner import system_user


def this_user() -> Actor:
    """Return the operating system's user, whom this process runs as."""
    return Actor(system_user(), "os-user")


def actor_of(named: str | Actor | None) -> Actor:
    """Return the actor of a name, recorded as claimed; None is the operating system's user.

    Raises InvalidInput.
    """
    if named is None:
        return this_user()
    return named if isinstance(named, Actor) else Actor(named)
