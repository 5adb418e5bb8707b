"""Other accounts that a call on a resource lets in, as a CTS trace tells them.

    {"policy": "{…}"}   a bucket's policy: "Principal":{"ID":["domain/<id>:user/*"]}
    {"permissions": ["iam:domain::<id>"]}   the whitelist of an endpoint's service

No guide shows a trace of these calls with its body, so those below are kept even if it tells
nobody. Guides of OBS, DEW, IMS, SMN and VPCEP, "Operations Supported by CTS".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ledger.sources.cts.trace import CtsTrace
from ledger.sources.fields import Record, mapping
from ledger.sources.policy_shape import policies_in
from ledger.sources.trust_policy import ANYONE, principals

LETS_IN: Final = frozenset(
    (
        "obs:setbucketpolicy",
        "obs:setbucketacl",
        "obs:setobjectacl",
        "kms:creategrant",
        "dew:creategrant",
        "ims:addmember",
        "ims:addmembers",
        "vpcep:servicepermissionaction",
        "vpcep:batchcreateendpointservicepermissions",
    )
)
_ENDPOINT: Final = "vpcep:modifyendpointpolicy"
"""The policy of an endpoint only limits what goes through it."""
_WHITELISTED: Final = re.compile(r"iam:domain::(\*|[0-9A-Za-z]+)", re.ASCII)
_DOMAIN: Final = re.compile(r"domain/(\*|[^:/\s]+)(?:[:/]\S*)?", re.ASCII)
_PERSON: Final = re.compile(r"(?:iam|sts)::([^:\s]+):(?!root|agency:)\S+", re.ASCII)
_STATES: Final = ("Statement", "domain::")


def may_let_in(kind: str, record: Record) -> bool:
    """Whether a call may let another account in: by its name, or by a policy in its request."""
    name = kind.lower()
    if name in LETS_IN:
        return True
    request = record.get("request")
    return name != _ENDPOINT and _states(request) and bool([*_named(mapping(request))])


def _states(request: object) -> bool:
    """Whether a request may have a policy: few calls have one, and most have no request at all."""
    return bool(request) and any(word in str(request) for word in _STATES)


def outsiders(trace: CtsTrace) -> list[str] | None:
    """The principals that the call lets in, and which are not known to be of its own account; None
    if the trace tells neither a policy nor a list of accounts.
    """
    found = {*map(_impersonal, _named(trace.request))}
    own = f"account:{trace.account}"
    return sorted(each for each in found if each.partition(" if ")[0] != own) if found else None


def _named(request: dict[str, Any]) -> Iterator[str]:
    for policy in policies_in(request):
        yield from principals(policy)
    permissions = request.get("permissions")
    for each in permissions if isinstance(permissions, list) else ():
        said = each.get("permission") if isinstance(each, dict) else each
        if isinstance(said, str) and (found := _WHITELISTED.fullmatch(said)):
            yield ANYONE if found[1] == "*" else f"account:{found[1]}"


def _impersonal(principal: str) -> str:
    """The account of a person: a name in an event could never be erased."""
    word, condition, keys = principal.partition(" if ")
    found = _DOMAIN.fullmatch(word) or _PERSON.fullmatch(word)
    if found:
        word = ANYONE if found[1] == "*" else f"account:{found[1]}"
    return f"{word}{condition}{keys}"
