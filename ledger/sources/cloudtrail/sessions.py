"""Sessions → facts: temporary credentials of a role, and logins to the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from ledger.account.console import ConsoleLoginRequested
from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.sources.cloudtrail import caller
from ledger.sources.cloudtrail.arns import Role, role_id, role_of_arn
from ledger.sources.cloudtrail.call import Call, of_role
from ledger.sources.fields import text, within
from ledger.sources.source import Translation
from ledger.values import instant, later

_expiration = re.compile(
    r"(\w{3}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2})[ \u202f]([AP])M", re.ASCII
)
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_LIFE_SECONDS_MAX: Final = 129_600


@of_role
def _assume_role(call: Call, role: Role) -> Translation:
    """AssumeRole and similar calls. The fact belongs to the role's account, not to the caller's."""
    component = _component(call)
    _let_both_copies_be_one_fact(call)
    if call.error:
        return _refused(call, role)
    return TemporaryCredentialIssued(
        agency=role.name,
        agency_id=role.id,
        region=call.region,
        component=component,
        expires_at=_expires_at(call),
    )


def _refused(call: Call, role: Role) -> CredentialRefused:
    return CredentialRefused(
        agency=role.name, agency_id=role.id, region=call.region, why=call.why()
    )


def _is_from_another_account(call: Call) -> bool:
    return call.identity.get("accountId") not in (None, call.account)


def _let_both_copies_be_one_fact(call: Call) -> None:
    """CloudTrail delivers a call from another account to both accounts, under one shared id.

    Either copy may be read first, or alone, so that the fact has only what both of them tell.
    """
    shared = text(call.record.get("sharedEventID"))
    if shared and _is_from_another_account(call):
        call.trace_id = call.correlation_id = shared
        call.actor = caller.id_of(call.identity)


def _component(call: Call) -> str | None:
    """The session's name if it names a component. A person's name must not get into an event.

    The role's account is not told the name of a caller from another account.
    """
    session = text(call.request.get("roleSessionName"))
    if session is None or call.name != "AssumeRole" or "@" in session:
        return None
    persons = caller.persons(call.identity)
    if _is_from_another_account(call) or any(each and each in session for each in persons):
        return None
    return session


def _expires_at(call: Call) -> datetime | None:
    """From the response; else computed from the requested duration; else unknown."""
    answer = text(within(call.response, "credentials").get("expiration"))
    if answer:
        found = _expiration.match(answer)
        with suppress(ValueError):
            return _read_expiration(found) if found else instant(answer)
    seconds = call.request.get("durationSeconds")
    if isinstance(seconds, int) and 0 < seconds <= _LIFE_SECONDS_MAX:
        with suppress(ValueError):
            return later(call.at, timedelta(seconds=seconds))
    return None


def _read_expiration(found: re.Match[str]) -> datetime:
    month, day, year, hour, minute, second, half = found.groups()
    return datetime(
        int(year),
        _MONTHS.index(month) // 3 + 1,
        int(day),
        int(hour) % 12 + (12 if half == "P" else 0),
        int(minute),
        int(second),
        tzinfo=UTC,
    )


def _switch_role(call: Call) -> Translation:
    """A console session goes on as a role. additionalEventData names the user who switched."""
    named = role_of_arn(text(call.identity.get("arn")))
    if named is None:
        return call.not_named("role")
    role = named._replace(id=_id_of_session(call))
    call.account = role.account or call.account
    call.actor = text(within(call.record, "additionalEventData").get("SwitchFrom")) or call.actor
    if call.error or call.response.get("SwitchRole") != "Success":
        return _refused(call, role)
    return TemporaryCredentialIssued(agency=role.name, agency_id=role.id, region=call.region)


def _id_of_session(call: Call) -> str | None:
    issuer = within(call.identity, "sessionContext", "sessionIssuer")
    principals = (call.identity.get("principalId"), issuer.get("principalId"))
    return next((found for each in principals if (found := role_id(text(each)))), None)


def _console_login(call: Call) -> Translation:
    admitted = call.response.get("ConsoleLogin") == "Success" and not call.error
    mfa = {"Yes": True, "No": False}
    return ConsoleLoginRequested(
        service="console",
        region=call.region,
        outcome="admitted" if admitted else "refused",
        mfa=mfa.get(str(within(call.record, "additionalEventData").get("MFAUsed"))),
    )


TRANSLATORS: Final[dict[str, Callable[[Call], Translation]]] = {
    "sts:AssumeRole": _assume_role,
    "sts:AssumeRoleWithSAML": _assume_role,
    "sts:AssumeRoleWithWebIdentity": _assume_role,
    "signin:ConsoleLogin": _console_login,
    "signin:SwitchRole": _switch_role,
}
