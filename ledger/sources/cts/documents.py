"""The documents in CTS traces: policies of every version, trust policies, policies of sessions."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.sources.cts.trace import CtsTrace, values_in
from ledger.sources.fields import mapping

POLICIES: Final = ("role.policy", "policy_document", "policy_version.document")
"""Of roles 1.0 and policies 1.1: `role.policy`. Of version 5: the others."""
TRUST_POLICIES: Final = ("trust_policy", "agency.trust_policy")
SESSION_POLICIES: Final = ("policy", "auth.identity.policy")


class Kept(NamedTuple):
    """The digest and the size of a document that is kept; both None if the trace tells none."""

    digest: str | None = None
    size: int | None = None


def keep(trace: CtsTrace, *keys: str) -> Kept:
    """The document that a call sets; without one in the request, that which the response shows."""
    asked = [*values_in(trace.request, *keys)]
    shown = filter(_says_something, values_in(trace.response, *keys))
    return _kept(trace, next(iter([*filter(mapping, asked), *shown, *asked]), None))


def keep_asked(trace: CtsTrace, *keys: str) -> Kept:
    """The document in the request alone: the response shows another thing under these keys."""
    return _kept(trace, next(values_in(trace.request, *keys), None))


def _kept(trace: CtsTrace, given: object) -> Kept:
    masked = isinstance(given, str) and not given.strip("* ")
    document = None if masked else trace.keep(given)
    return Kept(document.digest, document.size) if document else Kept()


def _says_something(given: object) -> bool:
    """Some responses have a policy in outline only, without its statements."""
    found = mapping(given)
    return bool(found.get("Statement") or found.get("statement"))
