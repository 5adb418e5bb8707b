"""Huawei Cloud CTS traces → facts: logins, agencies, their permissions, credentials.

Names are compared without regard to case, because the guides themselves differ. IAM's names are in
its user guide, "Key operations on IAM", and for version 5 in the guide of the new console. No guide
documents the fields that an IAM trace has of a grant. So all fields that could name it are read; if
none does, the fact is `PermissionsChanged`: something changed, and the cloud itself must be asked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import PermissionsChanged
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import TRANSLATORS as AGENCY_TRANSLATORS
from ledger.sources.cts.grants import TRANSLATORS as GRANT_TRANSLATORS
from ledger.sources.cts.sessions import TRANSLATORS as SESSION_TRANSLATORS
from ledger.sources.cts.trace import CtsTrace, account_of, actor_of, time_of, trace_id_of
from ledger.sources.fields import (
    Record,
    Unreadable,
    address,
    mapping,
    text,
    within,
)
from ledger.sources.source import Source, TraceKind

Facts = tuple[DomainEvent, ...]


def kind_of(record: Record) -> TraceKind:
    """`service_type:trace_name`. Raises Unreadable if it is not a CTS trace."""
    name, service = record.get("trace_name"), record.get("service_type")
    if isinstance(name, str) and isinstance(service, str):
        return TraceKind(_kind_name(service, name), record.get("read_only") in (True, "true"))
    if "digest_object" in record:
        return TraceKind("cts:digest file")
    raise Unreadable("not a CTS trace: it has no trace_name and service_type")


@lru_cache(maxsize=1_024)  # CTS repeats few names often. Anybody can invent more, hence a limit.
def _kind_name(service: str, name: str) -> str:
    return f"{service or '?'}:{name or '?'}"


def parse(record: Record) -> CtsTrace | str:
    """The trace in a record. Raises Unreadable if it has no valid time, or no outcome."""
    user = mapping(record.get("user"))
    account = account_of(record, user)
    if account is None:
        return "no account"
    return CtsTrace(
        name=str(record["trace_name"]),
        record=record,
        account=account,
        at=time_of(record.get("time")),
        succeeded=_succeeded(record),
        trace_id=trace_id_of(record),
        actor=actor_of(user),
        address=address(record.get("source_ip")),
        correlation_id=text(record.get("request_id")),
        user=user,
        request=mapping(record.get("request")),
        response=mapping(record.get("response")),
    )


def _succeeded(record: Record) -> bool:
    rating = text(record.get("trace_rating")) or text(record.get("trace_status"))
    if rating is None:
        raise Unreadable("neither trace_rating nor trace_status says whether it succeeded")
    return rating.lower() == "normal"


def _login(trace: CtsTrace) -> Facts | str:
    """A login to the console. One console serves all services and, mostly, all regions."""
    failed = trace.name.lower().endswith("failed")
    mfa = within(trace.user, "session_context", "attributes").get("mfa_authenticated")
    return (
        ConsoleLoginRequested(
            service="console",
            region=trace.region_of_call(),
            outcome="admitted" if trace.succeeded and not failed else "refused",
            mfa={"true": True, "false": False}.get(str(mfa).lower()),
        ),
    )


def _consented(trace: CtsTrace) -> Facts | str:
    """CCE's createUserAgencies: of all traces, the one nearest to the consent in a dialog.

    It does not name the services, so it is not an AuthorizationGranted. Each agency that it names
    is a fact of its own.
    """
    names = trace.request.get("agencies") or trace.response.get("agencies") or []
    listed = names if isinstance(names, list) else [names]
    agencies = [text(item) or text(mapping(item).get("name")) for item in listed]
    agencies.append(trace.text_at("agency_name", "agencyName", "agency.name"))
    named = sorted({agency for agency in agencies if agency})
    if not named or not trace.succeeded:
        return "agency not named" if trace.succeeded else "failed"
    return tuple(
        PermissionsChanged(agency=agency, detail=f"{trace.name}: agreed to in the console of CCE")
        for agency in named
    )


_LOGINS: Final = (
    "login",
    "loginFailed",
    "scanQRCodeLogin",
    "scanQRCodeLoginFailed",
    "oidcLoginSuccess",
    "oidcLoginFailed",
    "iamUserSsoLoginSuccess",
    "iamUserSsoLoginFailed",
    "federationLoginNoPwdSuccess",
    "federationLoginNoPwdFailed",
    "tenantLoginBySamlSuccess",
    "tenantLoginBySamlFailed",
    "tsiLogin",
)

SOURCE: Final[Source[CtsTrace]] = Source(
    name="cts",
    title="Huawei Cloud's Cloud Trace Service (CTS)",
    provider="huaweicloud",
    envelopes=("traces", "cts"),
    preambles=("meta_data",),
    kind_of=kind_of,
    parse=parse,
    ignores_case=True,  # The vendor's own guides differ.
    translators={
        **{f"iam:{name.lower()}": _login for name in _LOGINS},
        **{f"iam:{name.lower()}": known for name, known in AGENCY_TRANSLATORS.items()},
        **{f"iam:{name.lower()}": known for name, known in GRANT_TRANSLATORS.items()},
        **{
            f"{service}:{name.lower()}": known
            for service in ("iam", "sts")
            for name, known in SESSION_TRANSLATORS.items()
        },
        "cce:createuseragencies": _consented,
    },
)
