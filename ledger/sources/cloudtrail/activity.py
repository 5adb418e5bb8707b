"""The calls that roles made: records of any service whose caller is a session of a role.

userIdentity: type AssumedRole, arn arn:aws:sts::…:assumed-role/ci/batch, principalId AROA…:batch,
              sessionContext.sessionIssuer: type Role, userName ci, principalId AROA…, arn
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from ledger.sources.cloudtrail.arns import role_id, role_of_arn
from ledger.sources.cloudtrail.call import SERVICES
from ledger.sources.fields import Record, first_text, mapping, text, within
from ledger.sources.source import Outcome, Use
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
    role = role_of_arn(text(issuer.get("arn"))) or role_of_arn(text(identity.get("arn")))
    name = role.name if role else text(issuer.get("userName"))
    identities = (issuer.get("principalId"), identity.get("principalId"))
    role_with_id = next((found for each in identities if (found := role_id(text(each)))), None)
    accounts = (role and role.account, issuer.get("accountId"), identity.get("accountId"))
    account = first_text(accounts)
    source, action = text(record.get("eventSource")), text(record.get("eventName"))
    if account is None or source is None or action is None or not (name or role_with_id):
        return None
    return Use(
        account=account,
        agency=name,
        agency_id=role_with_id,
        region=text(record.get("awsRegion")),
        service=source.removesuffix(SERVICES),
        action=action,
        outcome=_outcome(record),
        at=_instant(str(record.get("eventTime"))),
        trace_id=text(record.get("eventID")),
    )


def _outcome(record: Record) -> Outcome:
    """An error message alone, without a code, is that of a sign-in that failed."""
    error = text(record.get("errorCode")) or text(record.get("errorMessage"))
    if error is None:
        return "succeeded"
    return "refused" if _refusal.search(error) else "failed"


@lru_cache(maxsize=4_096)  # Many records of a file have the same second.
def _instant(written: str) -> datetime:
    return instant(written)
