"""AWS Organizations' calls → facts: services that may act in every account of the organization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.organization import TrustedServiceDisabled, TrustedServiceEnabled
from ledger.sources.cloudtrail.call import Call
from ledger.sources.fields import text
from ledger.sources.source import Translation


def _trust(
    event: type[TrustedServiceEnabled | TrustedServiceDisabled], *, delegates: bool = False
) -> Callable[[Call], Translation]:
    """The translator of a call that begins or ends trust in a service. A refused one changes
    nothing: it is kept as a call that is not modelled.
    """

    def translated(call: Call) -> Translation:
        service = text(call.request.get("servicePrincipal"))
        account = text(call.request.get("accountId")) if delegates else None
        if call.error:
            return "refused"
        if service is None or (delegates and account is None):
            return call.not_named("service")
        return event(service=service, delegated_account=account)

    return translated


TRANSLATORS: Final[dict[str, Callable[[Call], Translation]]] = {
    "EnableAWSServiceAccess": _trust(TrustedServiceEnabled),
    "DisableAWSServiceAccess": _trust(TrustedServiceDisabled),
    "RegisterDelegatedAdministrator": _trust(TrustedServiceEnabled, delegates=True),
    "DeregisterDelegatedAdministrator": _trust(TrustedServiceDisabled, delegates=True),
}
