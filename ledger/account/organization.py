"""Organizations: services that a whole organization trusts, and accounts that run them for it."""

from __future__ import annotations

from typing import ClassVar

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Line


class TrustedServiceEnabled(DomainEvent):
    """From now on a service may act in every account of the organization; or an account runs it."""

    TOPIC = "TrustedServiceEnabled.v1"
    STREAM: ClassVar[StreamKind] = "other"

    service: Line | None = None
    """The service as the cloud names it, e.g. `stacksets.cloudformation.amazonaws.com`."""
    delegated_account: Line | None = None
    """The account that runs the service for the whole organization; None: trust in the service."""


class TrustedServiceDisabled(DomainEvent):
    """The organization no longer trusts the service; or the account no longer runs it."""

    TOPIC = "TrustedServiceDisabled.v1"
    STREAM: ClassVar[StreamKind] = "other"

    service: Line | None = None
    delegated_account: Line | None = None


def _enabled(event: TrustedServiceEnabled, who: str) -> str:
    service = event.service or "a service that is not named"
    if event.delegated_account:
        return f"{who} let the account {event.delegated_account} run {service} for the organization"
    return f"{who} let {service} act in every account of the organization"


def _disabled(event: TrustedServiceDisabled, who: str) -> str:
    service = event.service or "a service that is not named"
    if event.delegated_account:
        account = event.delegated_account
        return f"{who} ended that the account {account} runs {service} for the organization"
    return f"{who} ended that {service} acts in every account of the organization"


DECIDE: Decisions = {}
EVENTS: Meanings = {
    TrustedServiceEnabled: Meaning(_enabled, ON_RECORD_ONLY),
    TrustedServiceDisabled: Meaning(_disabled, ON_RECORD_ONLY),
}
