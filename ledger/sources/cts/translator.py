"""Huawei Cloud CTS traces → facts: logins, agencies, their permissions, credentials, projects, the
use of features, and what is recorded at all.

Names are compared without regard to case, because the guides themselves differ. IAM's names are in
its user guide, "Key operations on IAM", and for version 5 in the guide of the new console. No guide
documents the fields that an IAM trace has of a grant. So all fields that could name it are read; if
none does, the fact is `PermissionsChanged`: something changed, and the cloud itself must be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import PermissionChangeRefused, PermissionsChanged
from ledger.messages import DomainEvent
from ledger.sources.cts import (
    agencies,
    features,
    grants,
    organizations,
    policies,
    projects,
    sessions,
    witness,
)
from ledger.sources.cts.account import account_name_of, account_of, actor_of
from ledger.sources.cts.activity import use_of
from ledger.sources.cts.agencies import NO_AGENCY
from ledger.sources.cts.named import agencies_in, agency_of
from ledger.sources.cts.trace import (
    DIGEST_FILE,
    CtsTrace,
    Handles,
    path_of,
    time_of,
    trace_id_of,
)
from ledger.sources.cts.unmodelled import changes_rights, not_modelled
from ledger.sources.cts.wrappings import BEGINS, SIGNS, WRAPPINGS
from ledger.sources.fields import (
    Record,
    Unreadable,
    address,
    mapping,
    text,
    within,
)
from ledger.sources.source import Source, TraceKind, Translation

Facts = tuple[DomainEvent, ...]


def kind_of(record: Record) -> TraceKind:
    """`service_type:trace_name`. Raises Unreadable if it is not a CTS trace."""
    name, service = record.get("trace_name"), record.get("service_type")
    if isinstance(name, str) and isinstance(service, str):
        return TraceKind(_kind_name(service, name), record.get("read_only") in (True, "true"))
    if "digest_object" in record:
        return TraceKind(DIGEST_FILE, is_other=True)
    raise Unreadable("not a CTS trace: it has no trace_name and service_type")


@lru_cache(maxsize=1_024)  # CTS repeats few names often. Anybody can invent more, hence a limit.
def _kind_name(service: str, name: str) -> str:
    return f"{service or '?'}:{name or '?'}"


def parse(record: Record) -> CtsTrace:
    """The trace in a record. Raises Unreadable if it has no valid time, or no outcome."""
    user, request, response = (mapping(record.get(key)) for key in ("user", "request", "response"))
    path = path_of(record)
    account = account_of(record, user, (request, response), path)
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
        request=request,
        response=response,
        path=path,
        account_name=account_name_of(account, record, user, (request, response)),
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
    listed = trace.request.get("agencies") or trace.response.get("agencies")
    named = dict.fromkeys([*agencies_in(listed), agency_of(trace)])
    facts = tuple(_consent(trace, agency) for agency in named if agency.known)
    return facts or NO_AGENCY


def _consent(trace: CtsTrace, agency: Handles) -> DomainEvent:
    if not trace.succeeded:
        return PermissionChangeRefused(agency=agency.name, agency_id=agency.id, why=trace.why())
    return PermissionsChanged(
        agency=agency.name,
        agency_id=agency.id,
        region=trace.stated_region(),
        detail=f"{trace.name}: agreed to in the console of CCE",
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


def _named(
    services: tuple[str, ...], translators: Mapping[str, Callable[[CtsTrace], Translation]]
) -> dict[str, Callable[[CtsTrace], Translation]]:
    """The translators by the kinds' names, for traces of these services."""
    return {
        f"{service}:{name.lower()}": translator
        for service in services
        for name, translator in translators.items()
    }


SOURCE: Final[Source[CtsTrace]] = Source(
    name="cts",
    title="Huawei Cloud's Cloud Trace Service (CTS)",
    provider="huaweicloud",
    envelopes=("traces", "cts", "logs", "logEvents", "Records"),
    preambles=("meta_data", "owner", "log_group_id", "log_topic_id"),
    wrappings=WRAPPINGS,
    signs=SIGNS,
    begins=BEGINS,
    kind_of=kind_of,
    parse=parse,
    ignores_case=True,  # The vendor's own guides differ.
    changes_rights=changes_rights,
    unmodelled=not_modelled,
    of_rights=frozenset(
        f"iam:{name.lower()}"
        for name in (*grants.TRANSLATORS, *agencies.TRANSLATORS, *policies.TRANSLATORS)
        if name in grants.TRANSLATORS or name.startswith("delete")
    ),
    use_of=use_of,
    translators={
        **_named(("iam",), dict.fromkeys(_LOGINS, _login)),
        **_named(("iam",), agencies.TRANSLATORS),
        **_named(("iam",), policies.TRANSLATORS),
        **_named(("iam",), projects.TRANSLATORS),
        **_named(("iam",), grants.TRANSLATORS),
        **_named(("iam", "sts"), sessions.TRANSLATORS),
        **_named(("organizations",), organizations.TRANSLATORS),
        **_named(("cts",), witness.TRANSLATORS),
        **features.translators(),
        **_named(("cce",), {"createUserAgencies": _consented}),
    },
)
