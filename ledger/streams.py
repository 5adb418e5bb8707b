"""Which stream an event belongs to."""

from __future__ import annotations

from typing import Any

from ledger.account.state import account_stream
from ledger.messages import DomainEvent

AccountKey = tuple[str, str]
"""The provider, and the account's id there."""


def is_of_account(event: DomainEvent) -> bool:
    """Whether an event changes an account's state. Only these are in the account's own stream."""
    return event.STREAM == "account"


def _of_what(event: Any) -> str:
    """The service whose console it is; the agency that is used, by its id if it has no name, or its
    service if it is not known which agency it was.
    """
    if event.STREAM == "console":
        return str(event.service)
    return str(event.agency or getattr(event, "agency_id", None) or event.service)


def stream_of(event: Any, account: AccountKey | None) -> str:
    """The name of an event's stream. Its last part may hold any character, also a colon.

    `account` is None for an event that is about no account; otherwise it is a ValueError.
    """
    kind = event.STREAM
    if kind == "subject":
        return f"subject:{event.subject}"
    if kind == "document":
        return f"document:{event.document}"
    if kind == "clock":
        return "clock"
    if kind == "log":
        return f"log:{event.log}"
    if account is None:
        raise ValueError(f"{type(event).__name__} is about an account, and none is named")
    if kind == "account":
        return account_stream(*account)
    provider, its_id = account
    of_account = f"{kind}:{provider}:{its_id}"
    return of_account if kind == "other" else f"{of_account}:{_of_what(event)}"
