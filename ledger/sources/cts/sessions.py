"""CTS traces of using an agency → facts: a user switched to it, or got its credential."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import NO_AGENCY
from ledger.sources.cts.expiry import moment
from ledger.sources.cts.named import agency_of
from ledger.sources.cts.trace import CtsTrace, Handles, handles

_agency_urn = re.compile(r"iam::[\w.-]+:agency:(?:[^\s/]+/)*([^/]+)")
_session_urn = re.compile(r"sts::[\w.-]+:{1,2}assumed-agency:([^/]+)/.+")
"""One or two colons follow the account: the documents and the traces differ."""

NAMES: Final = ("auth.identity.assume_role.agency_name", "assume_role.agency_name")
SESSION_IDS: Final = ("assumed_agency.id",)
"""`<agency's id>:<session>`."""
EXPIRIES: Final = ("credentials.expiration", "credential.expires_at", "token.expires_at")


def _assume(trace: CtsTrace) -> DomainEvent | str:
    agency = _agency(trace)
    if not agency.known:
        return NO_AGENCY
    region = trace.region_of_call()
    if not trace.succeeded:
        return CredentialRefused(
            agency=agency.name, agency_id=agency.id, region=region, why=trace.why()
        )
    return TemporaryCredentialIssued(
        agency=agency.name,
        agency_id=agency.id,
        account_name=trace.account_name,
        region=region,
        expires_at=moment(trace.text_at(*EXPIRIES)),
    )


def _agency(trace: CtsTrace) -> Handles:
    """The agency: from its URN or the session's, else as other traces name it."""
    urn = _agency_urn.fullmatch(trace.text_at("agency_urn") or "") or _session_urn.fullmatch(
        trace.text_at("assumed_agency.urn") or ""
    )
    stated = agency_of(trace)
    session = trace.text_at(*SESSION_IDS)
    return handles(
        stated.id or (session.partition(":")[0] if session else None),
        urn[1] if urn else stated.name or trace.asked(*NAMES),
    )


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], DomainEvent | str]]] = {
    "switchRole": _assume,
    "createTokenByAssumeRole": _assume,
    "agencyAssume": _assume,
    "assumeAgency": _assume,
    "assumeWithServicePrincipal": _assume,
}
