"""AWS CloudTrail records → facts. A role is an agency; its permissions hold in all regions.

A record (`eventVersion` 1.x): eventTime (RFC 3339), eventSource, eventName, awsRegion,
userIdentity, sourceIPAddress, requestParameters, responseElements (null if refused), errorCode and
errorMessage (only if refused), eventID, sharedEventID, addendum, readOnly, recipientAccountId.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from ledger.sources.cloudtrail import (
    caller,
    delegations,
    organizations,
    others,
    policies,
    recording,
    roles,
    sessions,
)
from ledger.sources.cloudtrail.activity import use_of
from ledger.sources.cloudtrail.call import SERVICES, Call, account_in, request_of
from ledger.sources.cloudtrail.unmodelled import changes_rights, unmodelled
from ledger.sources.fields import Record, Unreadable, address, mapping, text, within
from ledger.sources.source import Source, TraceKind, Translation
from ledger.values import instant

_DRY_RUN: Final = "DryRunOperation"


def kind_of(record: Record) -> TraceKind:
    """`service:eventName`. Raises Unreadable if it is not a CloudTrail record."""
    source, name = record.get("eventSource"), record.get("eventName")
    if isinstance(source, str) and isinstance(name, str):
        if source.startswith("aws:") and (other := others.of_function(record)):
            return other
        return TraceKind(_kind_name(source, name), record.get("readOnly") is True)
    if kind := others.kind_of(record):
        return kind
    raise Unreadable("not a CloudTrail record: it has no eventSource and eventName")


@lru_cache(
    maxsize=1_024
)  # A trail repeats few names often. Anybody can invent more, hence a limit.
def _kind_name(source: str, name: str) -> str:
    return f"{source.removesuffix(SERVICES)}:{name}"


def parse(record: Record) -> Call | str:
    """The call in a record; the reason why it has no fact, for a version or a dry run.

    Raises Unreadable if it has no account, id or valid time.
    """
    version = str(record.get("eventVersion", "1."))
    if not version.startswith("1."):
        return f"eventVersion {version}"
    error = _error(record)
    if error and error.endswith(_DRY_RUN):
        return "dry run"
    identity = mapping(record.get("userIdentity"))
    caller_account = account_in(identity.get("accountId"))
    account = account_in(record.get("recipientAccountId")) or caller_account
    trace_id = _first(record, "originalEventID", "eventID")
    if account is None or trace_id is None:
        raise Unreadable("the record names no account, or has no eventID")
    try:
        at = instant(str(record.get("eventTime")))
    except ValueError as invalid:
        raise Unreadable(f"eventTime: {invalid}") from invalid
    return Call(
        name=str(record["eventName"]),
        record=record,
        request=request_of(record),
        response=mapping(record.get("responseElements")),
        identity=identity | {"accountId": caller_account},
        account=account,
        at=at,
        trace_id=trace_id,
        actor=caller.name_of(identity),
        address=address(record.get("sourceIPAddress")),
        correlation_id=_first(record, "originalRequestID", "requestID")
        or text(record.get("sharedEventID")),
        error=error,
    )


def _first(record: Record, original: str, own: str) -> str | None:
    """An id of the event. A record that is delivered again, with updated data, has an addendum
    with the ids of the first: it is the same event.
    """
    return text(within(record, "addendum").get(original)) or text(record.get(own))


def _error(record: Record) -> str | None:
    """The code of the refusal, of whichever type; without one, its message, as sign-ins have it."""
    code = record.get("errorCode")
    if code in (None, "", "null"):
        return text(record.get("errorMessage"))
    return str(code)


def _of(
    service: str, *tables: Mapping[str, Callable[[Call], Translation]]
) -> dict[str, Callable[[Call], Translation]]:
    """The translators of a service's calls, by the names of their kinds."""
    return {f"{service}:{name}": each for table in tables for name, each in table.items()}


SOURCE: Final[Source[Call]] = Source(
    name="cloudtrail",
    title="AWS CloudTrail",
    provider="aws",
    envelopes=others.ENVELOPES,
    preambles=others.PREAMBLES,
    wrappings=others.WRAPPINGS,
    signs=others.SIGNS,
    begins=others.BEGINS,
    of_rights=frozenset(
        f"iam:{name.lower()}"
        for name in (*roles.TRANSLATORS, *policies.TRANSLATORS)
        if name.startswith(("Attach", "Detach", "Put", "Delete"))
    ),
    kind_of=kind_of,
    parse=parse,
    translators=dict(sessions.TRANSLATORS)
    | _of("iam", roles.TRANSLATORS, policies.TRANSLATORS, delegations.TRANSLATORS)
    | _of("organizations", organizations.TRANSLATORS)
    | _of("cloudtrail", recording.TRANSLATORS),
    changes_rights=changes_rights,
    unmodelled=unmodelled,
    use_of=use_of,
)
