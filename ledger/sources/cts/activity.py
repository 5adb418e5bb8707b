"""The calls that agencies made: traces of any service whose user is an agency.

    user: type AssumedAgency, name <account>/<agency>, principal_id <agency's id>:<session>,
          principal_urn sts::<account's id>:assumed-agency:<agency>/<session>

Older traces have the agency's name and, under `assumedBy`, the user who stands behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from ledger.sources.cts.account import origin_of
from ledger.sources.cts.sessions import session_of
from ledger.sources.cts.trace import stated_region, time_of
from ledger.sources.fields import Record, first_text, mapping, text, within
from ledger.sources.source import Behind, Outcome, Use

_AGENCY: Final = "AssumedAgency"
_BEHIND: Final = ("assumedBy", "assumed_by")
_agency_urn = re.compile(r"iam::([\w.-]+):agency:(?:[^\s/]+/)*([^/]+)")
_refusal = re.compile(
    r"forbidden|not authori[sz]ed|unauthori[sz]ed|access ?denied|(?:no|insufficient) permission"
    r"|policy doesn't allow",
    re.IGNORECASE,
)
_REFUSED_CODES: Final = ("401", "403")
_SEARCHED_CHARS: Final = 2_000


def use_of(record: Record) -> Use | None:
    """The call that an agency made. Raises ValueError if its time is not valid."""
    user = record.get("user")
    if isinstance(user, str):
        if "ssumed" not in user and "session_issuer" not in user:
            return None  # Spares most traces the reading of the object in the text.
        user = mapping(user)
    if not isinstance(user, dict) or not _is_agency(user):
        return None
    return _use(record, user)


def _is_agency(user: Mapping[str, Any]) -> bool:
    kind = user.get("type")
    if kind is not None:
        return bool(kind == _AGENCY)
    has_issuer = "session_context" in user and bool(_issuer(user))
    return has_issuer or any(key in user for key in _BEHIND)


def _issuer(user: Mapping[str, Any]) -> dict[str, Any]:
    """The issuer of the user's session, if it is an agency."""
    issuer = within(user, "session_context", "session_issuer")
    is_agency = "agency" in str(issuer.get("type")).lower() or ":agency:" in str(
        issuer.get("principal_urn")
    )
    return issuer if is_agency else {}


def _use(record: Record, user: dict[str, Any]) -> Use | None:
    issuer = _issuer(user)
    session = session_of(user)
    urn = _agency_urn.fullmatch(text(issuer.get("principal_urn")) or "")
    account = first_text(
        (
            session and session[1],
            urn and urn[1],
            within(user, "domain").get("id"),
            user.get("account_id"),
            issuer.get("account_id"),
            record.get("domain_id"),
        )
    )
    names = (user.get("name"), user.get("user_name"), issuer.get("name"), issuer.get("user_name"))
    qualified = (session and session[2]) or (urn and urn[2]) or first_text(names)
    agency = qualified.rpartition("/")[2] if qualified else None
    identity, colon, named = (text(user.get("principal_id")) or "").partition(":")
    agency_id = (identity if colon else None) or text(issuer.get("principal_id"))
    service, action = text(record.get("service_type")), text(record.get("trace_name"))
    if account is None or service is None or action is None or not (agency or agency_id):
        return None
    return Use(
        account=account,
        agency=agency or None,
        agency_id=agency_id,
        region=stated_region(record),
        service=service,
        action=action,
        outcome=_outcome(record),
        at=_time(record.get("time")),
        trace_id=text(record.get("trace_id")),
        behind=Behind(
            session_name=(session[3] if session else named) or None,
            source_identity=_source_identity(user),
            switched_by=origin_of(user),
        ),
    )


def _source_identity(user: Mapping[str, Any]) -> str | None:
    """The source identity. IAM's guide says that traces have it, and not in which object."""
    context = within(user, "session_context")
    places = (user, context, within(context, "attributes"))
    return first_text(each.get("source_identity") for each in places)


def _outcome(record: Record) -> Outcome:
    rating = text(record.get("trace_rating")) or text(record.get("trace_status")) or ""
    if rating.lower() == "normal":
        return "succeeded"
    if str(record.get("code")) in _REFUSED_CODES:
        return "refused"
    said = f"{record.get('response')} {record.get('message')}"[:_SEARCHED_CHARS]
    return "refused" if _refusal.search(said) else "failed"


def _time(value: object) -> datetime:
    return _known_time(value) if isinstance(value, str | int) else time_of(value)


@lru_cache(maxsize=4_096)
def _known_time(value: str | int) -> datetime:
    return time_of(value)
