"""CTS traces of using an agency → facts: a user switched to it, or got its credential."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import NO_AGENCY, agency_of
from ledger.sources.cts.trace import CtsTrace
from ledger.sources.fields import text, within
from ledger.values import instant

Facts = tuple[DomainEvent, ...]

_agency_urn = re.compile(r"^iam::([\w.-]+):agency:(?:[^\s/]+/)*([^/]+)$")
_session_urn = re.compile(r"^sts::([\w.-]+):{1,2}assumed-agency:([^/]+)/.+$")
"""One or two colons follow the account: the documents and the traces differ."""

_ASSUMED_AT = ("auth.identity.assume_role.agency_name", "assume_role.agency_name")


def _assume(trace: CtsTrace) -> Facts | str:
    """The fact belongs to the agency's account, if the trace names that account."""
    urn = _agency_urn.match(trace.text_at("agency_urn") or "") or _session_urn.match(
        text(within(trace.response, "assumed_agency").get("urn")) or ""
    )
    if urn:
        trace.account, agency = urn[1], urn[2]
    else:
        agency = agency_of(trace) or trace.text_at(*_ASSUMED_AT) or ""
        domain = trace.text_at("auth.identity.assume_role.domain_id", "assume_role.domain_id")
        trace.account = domain or trace.account
    if not agency:
        return NO_AGENCY
    region = trace.region_of_call()
    if not trace.succeeded:
        return (CredentialRefused(agency=agency, region=region, why=trace.why()),)
    return (TemporaryCredentialIssued(agency=agency, region=region, expires_at=_expires_at(trace)),)


def _expires_at(trace: CtsTrace) -> datetime | None:
    answer = trace.text_at("credentials.expiration", "credential.expires_at", "token.expires_at")
    try:
        return instant(answer) if answer else None
    except ValueError:
        return None


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], Facts | str]]] = {
    "switchRole": _assume,
    "createTokenByAssumeRole": _assume,
    "agencyAssume": _assume,
    "assumeAgency": _assume,
    "assumeWithServicePrincipal": _assume,
}
