"""A plain Python fold of each projection, with which the SQL must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.account.account import evolve
from ledger.account.impact import serving_agency
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.catalogue import load_catalogue
from ledger.messages import Recorded
from ledger.values import instant_text

_EARLIEST = datetime.min.replace(tzinfo=UTC)
Key = tuple[str, ...]
Row = tuple[Any, ...]
Change = Callable[[Any, Recorded], tuple[Key, Row] | None]
"""The key and the values (or counters) of an event and its entry; None if it changes nothing."""
LAST_CHANGE: dict[str, Change] = {}
SUMS: dict[str, Change] = {}


def last_change(change: Change) -> Change:
    """The function of a projection of the same name, of which the last change wins."""
    return LAST_CHANGE.setdefault(change.__name__, change)


def counters(change: Change) -> Change:
    """The function of a projection of the same name, whose counters are summed."""
    return SUMS.setdefault(change.__name__, change)


def _who(entry: Recorded) -> Row:
    return (entry.actor or "", entry.origin)


def _account(entry: Recorded) -> Key:
    return (str(entry.provider), str(entry.account))


@last_change
def regions(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    status = {"PermissionGranted": "granted", "PermissionRevoked": "revoked"}.get(entry.type)
    if status is None:
        return None
    key = (event.region, *_account(entry), event.agency, event.service or "", event.policy or "")
    return key, (status, *_who(entry))


@last_change
def agencies(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    status = {"AgencyCreated": "exists", "AgencyDeleted": "deleted"}.get(entry.type)
    if status is None:
        return None
    return (*_account(entry), event.agency), (status, event.agency_id or "", *_who(entry))


@last_change
def trustees(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    if entry.type not in {"AgencyCreated", "AgencyTrustChanged"}:
        return None
    return (*_account(entry), event.agency), (event.trustee or "", *_who(entry))


@last_change
def policies(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    status = {"PolicyCreated": "exists", "PolicyDeleted": "deleted"}.get(entry.type)
    if status is None:
        return None
    return (*_account(entry), event.policy), (status, *_who(entry))


@last_change
def authorizations(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    prefix, _, status = entry.type.partition("Authorization")
    if prefix or status not in {"Requested", "Granted", "Declined", "Revoked"}:
        return None
    return (event.region, *_account(entry), event.service), (status.lower(), *_who(entry))


@counters
def usage(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    kinds = ("TemporaryCredentialIssued", "CredentialRefused", "FeatureUsed", "FeatureRefused")
    if entry.type not in kinds:
        return None
    key = (event.region, *_account(entry), event.agency)
    return key, tuple(int(entry.type == kind) for kind in kinds)


@counters
def logins(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    if entry.type != "ConsoleLoginRequested":
        return None
    key = (event.region, *_account(entry), event.service)
    return key, tuple(int(event.outcome == o) for o in ("admitted", "dialog", "refused"))


@counters
def attempts(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    if entry.type not in {"AgencyDeletionAttempted", "PolicyDeletionAttempted"}:
        return None
    key = (*_account(entry), getattr(event, "agency", ""), getattr(event, "policy", ""))
    refused = event.outcome == "refused"
    return key, (int(refused), int(not refused))


@dataclass(frozen=True, slots=True)
class _Known:
    row: Row
    effective_at: datetime
    position: int


def fold(name: str, history: Iterable[Recorded], effective_at: datetime | None = None) -> list[Row]:
    """The view's rows after that history: now, or at an effective time."""
    known: dict[Key, _Known] = {}
    change = LAST_CHANGE.get(name) or SUMS[name]
    for entry in history:
        changed = change(entry.event, entry)
        if changed is None or (effective_at and entry.effective_at > effective_at):
            continue
        key, row = changed
        assert entry.position is not None
        before = known.get(key)
        if name in SUMS:
            added = tuple(a + b for a, b in zip(row, before.row, strict=True)) if before else row
            at = max(entry.effective_at, before.effective_at) if before else entry.effective_at
            known[key] = _Known(added, at, entry.position)
        elif before is None or entry.effective_at >= before.effective_at:
            known[key] = _Known(row, entry.effective_at, entry.position)
    return sorted(
        (*key, *it.row, instant_text(it.effective_at), it.position) for key, it in known.items()
    )


def present_account(history: Iterable[Recorded], provider: str, account: str) -> Account:
    """The account as `decide` knows it."""
    state = State(provider, account)
    for entry in history:
        if entry.stream == f"account:{provider}:{account}":
            evolve(state, entry)
    return Account(state, state.next_instant(_EARLIEST))


def capabilities(history: list[Recorded]) -> list[Row]:
    """Which features work where, by the same knowledge by which `decide` allows their use."""
    catalogue = load_catalogue()
    places = set()
    for entry in history:
        if permitted := regions(entry.event, entry):
            region, provider, account, agency = permitted[0][:4]
            places |= {
                (region, provider, account, service.code)
                for service in catalogue.services_of(provider)
                if agency in service.agency_names()
            }
        if asked := authorizations(entry.event, entry):
            places.add((asked[0][0], asked[0][1], asked[0][2], asked[0][3]))
    rows = []
    for region, provider, account, code in places:
        state = present_account(history, provider, account)
        service = catalogue.service(provider, code)
        for feature in service.features:
            agency, missing = serving_agency(state, service, feature, region)
            status = "broken" if missing else "works"
            rows.append(
                (region, provider, account, code, feature.name, agency, status, ",".join(missing))
            )
    return sorted(rows)
