"""AWS CloudTrail records → facts. A role is an agency; its permissions hold in all regions.

A record (`eventVersion` 1.x): eventTime (RFC 3339), eventSource, eventName, awsRegion,
userIdentity, sourceIPAddress, requestParameters, responseElements (null if refused), errorCode and
errorMessage (only if refused), eventID, sharedEventID, readOnly, recipientAccountId.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from ledger.account.console import ConsoleLoginRequested
from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.messages import DomainEvent
from ledger.sources.cloudtrail.call import SERVICES, Call, role_named
from ledger.sources.cloudtrail.roles import TRANSLATORS as ROLE_TRANSLATORS
from ledger.sources.fields import (
    Record,
    Unreadable,
    address,
    first_text,
    mapping,
    text,
    within,
)
from ledger.sources.source import Source, TraceKind
from ledger.values import instant, later

_assumed = re.compile(r":assumed-role/([^/\s]+)/(.+)$")
_expiration = re.compile(
    r"(\w{3}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2})[ \u202f]([AP])M", re.ASCII
)
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"


def kind_of(record: Record) -> TraceKind:
    """`service:eventName`. Raises Unreadable if it is not a CloudTrail record."""
    source, name = record.get("eventSource"), record.get("eventName")
    if isinstance(source, str) and isinstance(name, str):
        return TraceKind(_kind_name(source, name), record.get("readOnly") is True)
    if "digestPublicKeyFingerprint" in record:
        return TraceKind("cloudtrail:digest file")
    raise Unreadable("not a CloudTrail record: it has no eventSource and eventName")


@lru_cache(
    maxsize=1_024
)  # A trail repeats few names often. Anybody can invent more, hence a limit.
def _kind_name(source: str, name: str) -> str:
    return f"{source.removesuffix(SERVICES)}:{name}"


def parse(record: Record) -> Call | str:
    """The call in a record. Raises Unreadable if it has no account, id or valid time."""
    version = str(record.get("eventVersion", "1."))
    if not version.startswith("1."):
        return f"eventVersion {version}"
    identity = mapping(record.get("userIdentity"))
    account = first_text((record.get("recipientAccountId"), identity.get("accountId")))
    trace_id = text(record.get("eventID"))
    if account is None or trace_id is None:
        raise Unreadable("the record names no account, or has no eventID")
    try:
        at = instant(str(record.get("eventTime")))
    except ValueError as error:
        raise Unreadable(f"eventTime: {error}") from error
    return Call(
        name=str(record["eventName"]),
        record=record,
        request=mapping(record.get("requestParameters")),
        response=mapping(record.get("responseElements")),
        identity=identity,
        account=account,
        at=at,
        trace_id=trace_id,
        actor=first_text(
            (identity.get("arn"), identity.get("invokedBy"), identity.get("principalId"))
        ),
        address=address(record.get("sourceIPAddress")),
        correlation_id=text(record.get("requestID")) or text(record.get("sharedEventID")),
        error=text(record.get("errorCode")) or text(record.get("errorMessage")),
    )


# -- temporary credentials of a role ------------------------------------------------------------


def _assume_role(call: Call) -> DomainEvent | str:
    """AssumeRole and similar calls. The fact belongs to the role's account, not to the caller's.

    CloudTrail delivers a call from another account to both accounts; the id that both records share
    makes it one fact.
    """
    found = role_named(str(call.request.get("roleArn") or call.message))
    if found is None:
        return "role not named"
    account, role = found
    shared = text(call.record.get("sharedEventID"))
    if shared and call.identity.get("accountId") not in (None, account):
        call.trace_id = shared
    call.account = account
    region = call.region
    if call.error:
        return CredentialRefused(agency=role, region=region, component=None, why=call.why())
    return TemporaryCredentialIssued(
        agency=role,
        region=region,
        component=_component(call),
        expires_at=_expires_at(call),
    )


def _component(call: Call) -> str | None:
    """The session's name if it names a component. A person's name must not get into an event."""
    session = text(call.request.get("roleSessionName"))
    arn = text(call.identity.get("arn")) or ""
    persons = (text(call.identity.get("userName")), arn.rpartition("/")[2])
    if session is None or call.name != "AssumeRole" or "@" in session:
        return None
    if any(person and person in session for person in persons):
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
    if isinstance(seconds, int) and 0 < seconds <= 129_600:
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


def _switch_role(call: Call) -> DomainEvent | str:
    """A console session goes on as a role. additionalEventData names the user who switched."""
    found = _assumed.search(call.actor or "")
    if found is None:
        return "role not named"
    call.actor = text(within(call.record, "additionalEventData").get("SwitchFrom")) or call.actor
    if call.response.get("SwitchRole") != "Success":
        return CredentialRefused(agency=found[1], region=call.region, why=call.why())
    return TemporaryCredentialIssued(agency=found[1], region=call.region)


# -- the console ---------------------------------------------------------------------------------


def _console_login(call: Call) -> DomainEvent | str:
    admitted = call.response.get("ConsoleLogin") == "Success" and not call.error
    mfa = {"Yes": True, "No": False}
    return ConsoleLoginRequested(
        service="console",
        region=call.region,
        outcome="admitted" if admitted else "refused",
        mfa=mfa.get(str(within(call.record, "additionalEventData").get("MFAUsed"))),
    )


SOURCE: Final[Source[Call]] = Source(
    name="cloudtrail",
    title="AWS CloudTrail",
    provider="aws",
    envelopes=("Records",),
    kind_of=kind_of,
    parse=parse,
    translators={
        "sts:AssumeRole": _assume_role,
        "sts:AssumeRoleWithSAML": _assume_role,
        "sts:AssumeRoleWithWebIdentity": _assume_role,
        "signin:ConsoleLogin": _console_login,
        "signin:SwitchRole": _switch_role,
        **{f"iam:{name}": translator for name, translator in ROLE_TRANSLATORS.items()},
    },
)
