"""AWS IAM's temporary delegation → facts: a partner asks for rights, and the account agrees or not.

A partner calls CreateDelegationRequest. A person of the account accepts or rejects it, and sends
the partner a token (SendDelegationToken), for which it gets credentials (GetDelegatedAccessToken).
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.delegation import DelegationAccepted, DelegationRejected, DelegationRequested
from ledger.sources.cloudtrail.call import Call
from ledger.sources.fields import first_text, mapping, text
from ledger.sources.source import Translation


def _request(call: Call) -> Translation:
    """The fact belongs to the account that is asked: the record of another one tells it."""
    requester = text(call.identity.get("accountId")) or call.account
    owner = text(call.request.get("ownerAccountId")) or call.account
    if call.error:
        return "refused"
    if owner == requester:
        return "account not named"  # Whichever account gets the request may take it up.
    asked = call.request.get("permissions")
    template = text(mapping(asked).get("policyTemplateArn"))
    seconds = call.request.get("sessionDuration")
    call.account = owner
    return DelegationRequested(
        request_id=_request_id(call),
        requester=requester,
        policies=(template,) if template else (),
        session_seconds=seconds if isinstance(seconds, int) and seconds > 0 else None,
        **call.document("document", asked),
    )


def _answer(
    event: type[DelegationAccepted | DelegationRejected],
) -> Callable[[Call], Translation]:
    """The translator of an answer. A refused call answers nothing: it is kept as not modelled."""

    def translated(call: Call) -> Translation:
        request_id = _request_id(call)
        if call.error:
            return "refused"
        if request_id is None:
            return call.not_named("delegation request")
        return event(request_id=request_id)

    return translated


def _request_id(call: Call) -> str | None:
    return first_text(each.get("delegationRequestId") for each in (call.request, call.response))


TRANSLATORS: Final[dict[str, Callable[[Call], Translation]]] = {
    "CreateDelegationRequest": _request,
    "AcceptDelegationRequest": _answer(DelegationAccepted),
    "RejectDelegationRequest": _answer(DelegationRejected),
}
