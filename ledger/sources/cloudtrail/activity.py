"""The calls that roles made: records of any service whose caller is a session of a role.

userIdentity: type AssumedRole, arn arn:aws:sts::…:assumed-role/ci/batch, principalId AROA…:batch,
              sessionContext.sessionIssuer: type Role, userName ci, principalId AROA…, arn
              sessionContext.sourceIdentity, onBehalfOf: who is behind the session `batch`
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from ledger.sources.cloudtrail import caller
from ledger.sources.cloudtrail.arns import Role, role_id, role_of_arn
from ledger.sources.cloudtrail.call import SERVICES, account_in
from ledger.sources.fields import Record, mapping, text, within
from ledger.sources.source import Behind, Outcome, Use
from ledger.values import instant

_ROLE: Final = ("AssumedRole", "Role")
_refusal = re.compile(r"access_?denied|unauthori[sz]ed|not_?authori[sz]ed|forbidden", re.IGNORECASE)
"""Codes such as AccessDenied, AccessDeniedException, Client.UnauthorizedOperation."""


def use_of(record: Record) -> Use | None:
    """The call that a role made. Raises ValueError if its time is not valid."""
    identity = record.get("userIdentity")
    if not isinstance(identity, dict):
        identity = mapping(identity)
    if identity.get("type") not in _ROLE:
        return None
    return _use(record, identity)


def _use(record: Record, identity: Mapping[str, Any]) -> Use | None:
    issuer = within(identity, "sessionContext", "sessionIssuer")
    role = _role(
        text(issuer.get("arn")) or text(identity.get("arn")),
        text(issuer.get("principalId")) or text(identity.get("principalId")),
    )
    name = role.name or text(issuer.get("userName"))
    account = role.account or account_in(issuer.get("accountId") or identity.get("accountId"))
    source, action = text(record.get("eventSource")), text(record.get("eventName"))
    if account is None or source is None or action is None or not (name or role.id):
        return None
    return Use(
        account=account,
        agency=name or None,
        agency_id=role.id,
        region=text(record.get("awsRegion")),
        service=source.removesuffix(SERVICES),
        action=action,
        outcome=_outcome(record),
        at=_instant(str(record.get("eventTime"))),
        trace_id=text(record.get("eventID")),
        behind=Behind(
            session_name=_session(identity),
            source_identity=text(within(identity, "sessionContext").get("sourceIdentity")),
            switched_by=caller.identity_center_user(identity),
        ),
    )


def _session(identity: Mapping[str, Any]) -> str | None:
    """The session's name, which follows the role in the principal's id and in the ARN."""
    _, _, named = (text(identity.get("principalId")) or "").partition(":")
    _, is_session, path = (text(identity.get("arn")) or "").partition(":assumed-role/")
    return named or (path.partition("/")[2] if is_session else "") or None


@lru_cache(maxsize=1_024)  # Few roles make most of the calls.
def _role(arn: str | None, principal: str | None) -> Role:
    """The role of an ARN and of a principal's id; its name is empty if the ARN names none."""
    return (role_of_arn(arn) or Role(""))._replace(id=role_id(principal))


def _outcome(record: Record) -> Outcome:
    """An error message alone, without a code, is that of a sign-in that failed."""
    error = text(record.get("errorCode")) or text(record.get("errorMessage"))
    if error is None:
        return "succeeded"
    return "refused" if _refusal.search(error) else "failed"


@lru_cache(maxsize=4_096)  # Many records of a file have the same second.
def _instant(written: str) -> datetime:
    return instant(written)
