"""What a decision is: the facts to append, and a refusal when the rules say no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.account.state import Account
from ledger.catalogue import Catalogue
from ledger.errors import InvalidInput
from ledger.messages import Command, DomainEvent


@dataclass(frozen=True, slots=True)
class Decision:
    """Facts to append in one transaction. A refusal is appended too, then raised."""

    events: tuple[DomainEvent, ...] = ()
    refusal: str | None = None
    remedy: str = ""
    note: str = ""
    """What to tell when nothing is appended, or beside it."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that a decision may know besides the account and the command."""

    at: datetime
    catalogue: Catalogue
    reason: str | None = None


OVERRIDE = "To delete it all the same, give --override and --reason."


def need_reason(now: Circumstances) -> None:
    """Whoever overrides a protection says why, so that the trail can tell."""
    if not now.reason:
        raise InvalidInput("An override needs a reason.", remedy="Give one with --reason.")


Decide = Callable[[Account, Any, Circumstances], Decision]
"""A rule: the account, a command of its class, the circumstances; pure."""
Decisions = dict[type[Command], Decide]
