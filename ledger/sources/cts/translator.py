"""Huawei Cloud CTS traces → facts: consoles, agencies, what they may do, and acting as one.

Names are compared whatever their case; the guides themselves differ. IAM's are in its user guide,
"Key operations on IAM", and for version 5 in that of the new console. What an IAM trace holds of a
grant is documented nowhere, so all that could say it is read, and where nothing does, the fact is
`PermissionsChanged`: something changed, and what it was must be found by a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import PermissionsChanged
from ledger.messages import DomainEvent, Observation, Provenance
from ledger.sources.cts.agencies import TRACES as AGENCY_TRACES
from ledger.sources.cts.grants import TRACES as GRANT_TRACES
from ledger.sources.cts.sessions import TRACES as SESSION_TRACES
from ledger.sources.cts.trace import Trace, account_of, actor_of, time_of, trace_id_of
from ledger.sources.fields import (
    NotUnderstood,
    Record,
    Unreadable,
    address,
    mapping,
    text,
    within,
)

ENVELOPES: Final = ("traces", "cts")

Facts = tuple[DomainEvent, ...]
Translate = Callable[[Trace], Facts | str]
"""The facts that a trace tells, or why it tells none."""


def glance(record: Record) -> NotUnderstood | None:
    """What a trace is counted under that tells no fact, by its name; None if it may tell some."""
    trace_name, service = record.get("trace_name"), record.get("service_type")
    if not isinstance(trace_name, str) or not isinstance(service, str):
        return NotUnderstood("cts:digest file") if "digest_object" in record else None
    known, name = _known(service, trace_name)
    if known is None:  # Nearly all of them.
        return NotUnderstood(name, record.get("read_only") in (True, "true"))
    return None


def translate(record: Record, provider: str, file: str) -> Observation | NotUnderstood:
    """The facts that a trace tells. Raises Unreadable if it is no CTS trace."""
    trace_name, service = record.get("trace_name"), record.get("service_type")
    if (none := glance(record)) is not None:
        return none
    if not isinstance(trace_name, str) or not isinstance(service, str):
        raise Unreadable("not a CTS trace: it has no trace_name and service_type")
    known, name = _known(service, trace_name)
    assert known is not None
    user = mapping(record.get("user"))
    account = account_of(record, user)
    if account is None:
        return NotUnderstood(f"{name} (no account)")
    trace = Trace(
        name=trace_name,
        record=record,
        account=account,
        at=time_of(record.get("time")),
        succeeded=_succeeded(record),
        user=user,
        request=mapping(record.get("request")),
        response=mapping(record.get("response")),
    )
    facts = known(trace)
    if isinstance(facts, str):
        return NotUnderstood(f"{name} ({facts})")
    return Observation(
        provider=provider,
        account=trace.account,
        events=facts,
        effective_at=trace.at,
        source=Provenance(trace_id=trace_id_of(record), file=file),
        actor=actor_of(user),
        address=address(record.get("source_ip")),
        correlation_id=text(record.get("request_id")),
    )


@lru_cache(maxsize=1_024)  # The names are the trace's own, hence endless; few of them are many.
def _known(service: str, trace_name: str) -> tuple[Translate | None, str]:
    """What translates traces of that name, and what they are counted under."""
    known = _TRACES.get((service.lower(), trace_name.lower()))
    return known, f"{service or '?'}:{trace_name or '?'}"


def _succeeded(record: Record) -> bool:
    rating = text(record.get("trace_rating")) or text(record.get("trace_status"))
    if rating is None:
        raise Unreadable("neither trace_rating nor trace_status says whether it succeeded")
    return rating.lower() == "normal"


def _login(trace: Trace) -> Facts | str:
    """A login to the console, which is one for all services and, mostly, for all regions."""
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


def _consented(trace: Trace) -> Facts | str:
    """CCE's createUserAgencies, the nearest that any trace comes to the consent in a dialog.

    Which services were agreed to is not in it, so it is no AuthorizationGranted; the agencies are
    facts of their own where it names them.
    """
    names = trace.request.get("agencies") or trace.response.get("agencies") or []
    listed = names if isinstance(names, list) else [names]
    agencies = [text(item) or text(mapping(item).get("name")) for item in listed]
    agencies.append(trace.said("agency_name", "agencyName", "agency.name"))
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

_TRACES: Final[dict[tuple[str, str], Translate]] = {
    **{("iam", name.lower()): _login for name in _LOGINS},
    **{("iam", name.lower()): known for name, known in AGENCY_TRACES.items()},
    **{("iam", name.lower()): known for name, known in GRANT_TRACES.items()},
    **{
        (service, name.lower()): known
        for service in ("iam", "sts")
        for name, known in SESSION_TRACES.items()
    },
    ("cce", "createuseragencies"): _consented,
}


def understood() -> tuple[tuple[str, str], ...]:
    """The traces that can become facts, as (service, name), in lower case."""
    return tuple(sorted(_TRACES))
