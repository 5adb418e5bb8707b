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
from ledger.sources.fields import first_text, mapping, text, within
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
    _keep_names(call, component)
    _let_both_copies_be_one_fact(call)
    if call.error:
        return _refused(call, role)
    return TemporaryCredentialIssued(
        agency=role.name,
        agency_id=role.id,
        region=call.region,
        component=component,
        expires_at=_expires_at(call),
        session_policies=_session_policies(call),
        **call.document("session_document", call.request.get("policy")),
    )


def _session_policies(call: Call) -> tuple[str, ...] | None:
    """The managed policies that limit the session; None if the record tells none."""
    named = call.request.get("policyArns")
    arns = [mapping(each).get("arn") or each for each in named] if isinstance(named, list) else []
    return tuple(arn for arn in arns if isinstance(arn, str) and arn) or None


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


def _keep_names(call: Call, component: str | None) -> None:
    """Keep the session's name, if it may be a person's, and the person behind the session."""
    session = text(call.request.get("roleSessionName"))
    source = first_text(each.get("sourceIdentity") for each in (call.request, call.response))
    if session and component is None:
        call.names["session_name"] = session
    if source:
        call.names["source_identity"] = source


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


def _redeem_token(call: Call) -> Translation:
    """A partner gets credentials for the token of an accepted delegation request."""
    role = role_of_arn(text(call.response.get("assumedPrincipal")))
    if role is None or call.error:
        return call.not_named("role")  # It may act as a user.
    call.account = role.account or call.account
    return TemporaryCredentialIssued(
        agency=role.name, region=call.region, expires_at=_expires_at(call)
    )


def _switch_role(call: Call) -> Translation:
    """A console session goes on as a role. Either account may have the record: the one of the role
    has the role as the caller, and `SwitchFrom`; the one of the caller has `SwitchTo`.
    """
    more = within(call.record, "additionalEventData")
    target = role_of_arn(text(more.get("SwitchTo")))
    named = target or role_of_arn(text(call.identity.get("arn")))
    if named is None:
        return call.not_named("role")
    role = named if target else named._replace(id=_id_of_session(call))
    call.account = role.account or call.account
    call.actor = text(more.get("SwitchFrom")) or call.actor
    call.trace_id = text(call.record.get("sharedEventID")) or call.trace_id
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
    "sts:GetDelegatedAccessToken": _redeem_token,
    "signin:ConsoleLogin": _console_login,
    "signin:SwitchRole": _switch_role,
}
