"""CTS traces of Organizations → facts: services that act in every account of an organization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.organization import TrustedServiceDisabled, TrustedServiceEnabled
from ledger.messages import DomainEvent
from ledger.sources.cts.trace import CtsTrace

Fact = type[TrustedServiceEnabled | TrustedServiceDisabled]
REFUSED: Final = "refused"
NOT_NAMED: Final = "service not named"


def _trusted(event: Fact) -> Callable[[CtsTrace], DomainEvent | str]:
    def translate(trace: CtsTrace) -> DomainEvent | str:
        named = trace.resource.name if trace.resource_type == "trustedservice" else None
        service = trace.asked("service_principal") or named
        if not trace.succeeded:
            return REFUSED
        return event(service=service) if service else NOT_NAMED

    return translate


def _run_by(event: Fact) -> Callable[[CtsTrace], DomainEvent | str]:
    def translate(trace: CtsTrace) -> DomainEvent | str:
        service, account = trace.asked("service_principal"), trace.asked("account_id")
        if not trace.succeeded:
            return REFUSED
        return event(service=service, delegated_account=account) if account else NOT_NAMED

    return translate


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], DomainEvent | str]]] = {
    "enableTrustedService": _trusted(TrustedServiceEnabled),
    "disableTrustedService": _trusted(TrustedServiceDisabled),
    "registerDelegatedAdministrator": _run_by(TrustedServiceEnabled),
    "deregisterDelegatedAdministrator": _run_by(TrustedServiceDisabled),
}
