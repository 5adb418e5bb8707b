"""The trustee of an agency in a CTS trace: an account, a service, a version 5 trust policy.

One trustee has one word, however a trace names it:

| stated | trustee |
|---|---|
| account `op_svc_asm`, service `service.ASM` | `service:asm`, as the catalogue has it |
| an account's id, or its id and name | `account:<id>` |
| an account's name alone | `account:<name>` |
| `trust_policy` | as `ledger/sources/trust_policy.py` has it |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.sources.cts.account import account_ids
from ledger.sources.cts.trace import CtsTrace
from ledger.sources.fields import Record, within
from ledger.sources.trust_policy import service_word, trustee

NAMES: Final = ("agency.trust_domain_name", "trust_domain_name")
IDS: Final = ("agency.trust_domain_id", "trust_domain_id")
POLICIES: Final = ("trust_policy", "agency.trust_policy")
SERVICES: Final = ("service_principal",)

_SERVICE_ACCOUNT: Final = "op_svc_"
"""The prefix of the accounts in which the cloud's own services work."""


class Trust(NamedTuple):
    """The trustee; and the trusted account's id and name, if the trace tells both."""

    trustee: str | None = None
    account_id: str | None = None
    account_name: str | None = None


def trust_of(trace: CtsTrace) -> Trust:
    """The trust that the call sets, or that its response shows."""
    policies = map(trustee, _policies(trace.request, trace.response))
    readable = next(filter(None, policies), None)
    if readable is not None:
        return Trust(readable)
    name = trace.text_at(*NAMES)
    identity = trace.text_at(*IDS) or account_ids(trace.user).get(name or "")
    service = trace.text_at(*SERVICES)
    if name is None and identity is None:
        return Trust(f"service:{service_word(service)}" if service else None)
    if name is None or identity is None:
        return Trust(_word(identity, name))
    return Trust(_word(identity, name), identity, name)


def _word(identity: str | None, name: str | None) -> str:
    if name is not None and name.startswith(_SERVICE_ACCOUNT):
        return f"service:{name.removeprefix(_SERVICE_ACCOUNT).lower()}"
    return f"account:{identity or name}"


def sets_trust(trace: CtsTrace) -> bool:
    """Whether the request tells whom the agency trusts from now on. The response may also show the
    trustee that stayed.
    """
    policy = next(_policies(trace.request), None)
    return policy is not None or trace.asked(*NAMES, *IDS) is not None


def _policies(*bodies: Record) -> Iterator[object]:
    """The trust policies in the bodies, objects or texts, in the order of the keys."""
    for key in POLICIES:
        *path, last = key.split(".")
        for body in bodies:
            policy = within(body, *path).get(last)
            if policy:
                yield policy
