"""CTS traces of using an agency → facts: a user switched to it, or got its credential."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import NO_AGENCY
from ledger.sources.cts.documents import SESSION_POLICIES, keep_asked
from ledger.sources.cts.expiry import moment
from ledger.sources.cts.named import agency_of
from ledger.sources.cts.trace import CtsTrace, Handles, handles
from ledger.sources.fields import Record, text

_agency_urn = re.compile(r"iam::[\w.-]+:agency:(?:[^\s/]+/)*([^/]+)")
_session_urn = re.compile(r"sts::([A-Za-z0-9][\w.-]*):{1,2}assumed-agency:([^/]+)/(.+)")
"""The account, the agency, the session. One or two colons follow the account: the documents and the
traces differ.
"""

NAMES: Final = ("auth.identity.assume_role.agency_name", "assume_role.agency_name")
SESSION_IDS: Final = ("assumed_agency.id",)
"""`<agency's id>:<session>`."""
EXPIRIES: Final = ("credentials.expiration", "credential.expires_at", "token.expires_at")
SESSION_NAMES: Final = (
    "agency_session_name",
    "auth.identity.assume_role.session_user.name",
    "assume_role.session_user.name",
)


def _assume(trace: CtsTrace) -> DomainEvent | str:
    agency = _agency(trace)
    if not agency.known:
        return NO_AGENCY
    region = trace.region_of_call()
    if not trace.succeeded:
        return CredentialRefused(
            agency=agency.name, agency_id=agency.id, region=region, why=trace.why()
        )
    trace.names |= _persons(trace)
    document = keep_asked(trace, *SESSION_POLICIES)
    return TemporaryCredentialIssued(
        agency=agency.name,
        agency_id=agency.id,
        account_name=trace.account_name,
        region=region,
        expires_at=moment(trace.text_at(*EXPIRIES)),
        session_document=document.digest,
        session_document_bytes=document.size,
        session_policies=_policies(trace),
    )


def _agency(trace: CtsTrace) -> Handles:
    """The agency: from its URN or the session's, else as other traces name it."""
    urn, session = _agency_urn.fullmatch(trace.text_at("agency_urn") or ""), _session(trace)
    stated = agency_of(trace)
    identity = trace.text_at(*SESSION_IDS)
    named = handles(
        stated.id or (identity.partition(":")[0] if identity else None),
        urn[1] if urn else session[2] if session else stated.name or trace.asked(*NAMES),
    )
    return named if named.known else _caller(trace)


def _session(trace: CtsTrace) -> re.Match[str] | None:
    return _session_urn.fullmatch(trace.text_at("assumed_agency.urn") or "")


def _caller(trace: CtsTrace) -> Handles:
    """The agency that calls. CTS delivers a switch to both accounts, and on one side the session of
    the agency may stand as the user alone; the fact is the account's that has the agency.
    """
    session = session_of(trace.user)
    if session is None:
        return Handles()
    trace.account = session[1]
    identity, colon, _ = (text(trace.user.get("principal_id")) or "").partition(":")
    return Handles(identity if colon and identity else None, session[2])


def session_of(user: Record) -> re.Match[str] | None:
    """The session that a user is: the agency's account, its name, the session's name."""
    return _session_urn.fullmatch(text(user.get("principal_urn")) or "")


def _persons(trace: CtsTrace) -> dict[str, str]:
    """The session's name and the source identity: personal names, of the caller's own choice."""
    session = _session(trace)
    stated = {
        "session_name": trace.asked(*SESSION_NAMES) or (session[3] if session else None),
        "source_identity": trace.text_at("source_identity"),
    }
    return {field: name for field, name in stated.items() if name is not None}


def _policies(trace: CtsTrace) -> tuple[str, ...] | None:
    """The policies by which the caller limits the session, by their ids."""
    listed = trace.request.get("policy_ids")
    if not isinstance(listed, list):
        return None
    return tuple(found for each in listed if (found := text(each))) or None


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], DomainEvent | str]]] = {
    "switchRole": _assume,
    "createTokenByAssumeRole": _assume,
    "agencyAssume": _assume,
    "assumeAgency": _assume,
    "assumeWithServicePrincipal": _assume,
    # The guides' lists do not have these; they are the API's names.
    "assumeAgencyWithOIDC": _assume,
    "assumeAgencyWithSAML": _assume,
    "createTemporaryAccessKeyByAgency": _assume,
}
