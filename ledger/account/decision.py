"""A decision: the facts to append, and the refusal if the rules forbid the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.account.questions import Account
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
    """A remark to print, e.g. why nothing is appended."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that a decision may know besides the account and the command."""

    at: datetime
    catalogue: Catalogue
    reason: str | None = None


OVERRIDE = "To delete it nevertheless, add --override and --reason TEXT."


def need_reason(now: Circumstances) -> None:
    """Raise InvalidInput without a reason: the trail must say why a protection was overridden."""
    if not now.reason:
        raise InvalidInput(
            "An override needs a reason. Nothing was appended.", remedy="Add --reason TEXT."
        )


Decide = Callable[[Account, Any, Circumstances], Decision]
"""A rule. Arguments: the account, a command of its class, the circumstances. Pure."""
Decisions = dict[type[Command], Decide]
