"""For any imported history: decisions and views say the same of consent and of what works.

More examples: `AGREEMENT_EXAMPLES=5000 pytest tests/projections/test_consents_agree.py`.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated, AgencyDeleted, AgencyTrustChanged
from ledger.account.authorization import (
    AuthorizationDeclined,
    AuthorizationGranted,
    AuthorizationRequested,
    AuthorizationRevoked,
)
from ledger.account.consent import inferred_consent
from ledger.account.impact import serving_agency
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyCreated, PolicyDeleted
from ledger.account.questions import Account
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent, Observation, Provenance
from ledger.values import instant_text, is_bare_id
from projections.views import Views
from tests.postgres import Server
from tests.projections.test_properties import new_world, views_of
from tests.projections.worlds import ACCOUNTS, BEGINNING, World

EXAMPLES = int(os.environ.get("AGREEMENT_EXAMPLES", "60"))
ACCOUNT, PROVIDER = ACCOUNTS[0], "huaweicloud"
HERE, THERE = "cn-north-4", "cn-east-3"
PROJECT = "0123456789abcdef0123456789abcdef"
POLICIES: tuple[tuple[str, ...], ...] = (
    ("asm admin trust policy",),
    ("CCE Administrator", "Tenant Guest"),
    ("CCE Administrator", "Tenant Guest", "Tenant Administrator", "other"),
)
PLACES: tuple[tuple[str, ...], ...] = (
    (HERE,),
    (HERE, "*"),
    (HERE, THERE, "*", "global", "enterprise-project/1", PROJECT),
)
"""Each history has some of them, so that few events often make a whole."""
CATALOGUE = load_catalogue()


@st.composite
def _event(draw: st.DrawFn, policies: tuple[str, ...], places: tuple[str, ...]) -> DomainEvent:
    kinds = (*[PermissionGranted] * 14, *[PermissionRevoked] * 3, *_OTHERS)
    kind: Any = draw(st.sampled_from(kinds))
    named: Any = {"agency": "asm_admin_trust"}
    agency = named | draw(st.sampled_from(({}, {}, {}, {"agency_id": "a-1"}, {"agency_id": "a-2"})))
    policy = draw(st.sampled_from(policies))
    where = draw(st.sampled_from(places))
    values: dict[Any, Any] = {
        PermissionGranted: {**agency, "region": where, "policy": policy},
        PermissionRevoked: {**agency, "region": where, "policy": policy},
        AgencyCreated: {**agency, **draw(st.sampled_from((*_TRUSTS[:1], *_TRUSTS[:1], *_TRUSTS)))},
        AgencyDeleted: agency,
        AgencyTrustChanged: {
            **agency, **draw(st.sampled_from(_TRUSTS))
        },
        PolicyCreated: {"policy": policy},
        PolicyDeleted: {"policy": policy},
        PermissionsChanged: {
            "agency": "CCENodeAgency",
            "region": draw(st.sampled_from((HERE, None))),
            "detail": "createUserAgencies: agreed to",
        },
    }  # fmt: skip
    asked: dict[str, Any] = {
        "service": draw(st.sampled_from(("asm", "asm", "cce"))),
        "region": HERE,
    }
    if kind in (AuthorizationRequested, AuthorizationGranted):
        asked |= {"services": (), "agencies": ()}
    return kind.model_validate(values.get(kind, asked))  # type: ignore[no-any-return]


_BY_ID = {"trustee": "account:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d"}
_TRUSTS: tuple[dict[str, str], ...] = (
    {"trustee": "service:asm"},
    {},
    {"trustee": "account:d1"},
    _BY_ID,
    _BY_ID | {"trusted_account_id": _BY_ID["trustee"][8:], "trusted_account_name": "acme"},
)
_OTHERS: tuple[type[DomainEvent], ...] = (
    AgencyCreated,
    AgencyDeleted,
    AgencyTrustChanged,
    PolicyCreated,
    PolicyDeleted,
    PermissionsChanged,
    AuthorizationRequested,
    AuthorizationGranted,
    AuthorizationDeclined,
    AuthorizationRevoked,
)


@st.composite
def _histories(draw: st.DrawFn) -> list[Observation]:
    kinds = _event(draw(st.sampled_from(POLICIES)), draw(st.sampled_from(PLACES)))
    stated = draw(st.lists(kinds, min_size=1, max_size=9))
    return [
        Observation(
            provider=PROVIDER,
            account=ACCOUNT,
            events=(event,),
            effective_at=BEGINNING + timedelta(seconds=draw(st.integers(0, 9))),
            source=Provenance(trace_id=f"trace-{number}"),
            actor=draw(st.sampled_from(("alice", "bob"))),
        )
        for number, event in enumerate(stated)
    ]


@given(_histories())
@settings(max_examples=EXAMPLES, derandomize=EXAMPLES == 60)  # New ones are searched for apart.
def test_decisions_and_views_say_the_same_of_consent(history: list[Observation]) -> None:
    with new_world() as made, views_of(made) as views:
        _check(made, views, history)


@settings(max_examples=12)
@given(_histories())
def test_postgresql_says_so_too(server: Server, history: list[Observation]) -> None:
    with new_world(server) as made, views_of(made) as views:
        _check(made, views, history)


def _check(made: World, views: Views, history: list[Observation]) -> None:
    made.ledger.observe(history)
    views.catch_up()
    account = made.ledger.account(PROVIDER, ACCOUNT)
    rows = views.read("authorizations").dicts()
    assert {(row["region"], row["service"]): _stands(row) for row in rows} == {
        **_recorded(views, rows),
        **{key: known for key, known in _inferred(account, rows).items() if known},
    }
    _same_of_features(account, views)
    last = views.reached()
    assert views.read("authorizations", as_of=AsOf(last)).dicts() == rows
    for row in rows:
        positions = [int(at) for at in row["rests_on"].split(",") if at]
        assert positions == sorted(set(positions))
        assert set(positions) <= set(range(1, last + 1))
        assert row["status"] == "not known" or row["position"] in (None, *positions)


def _stands(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["status"], row["origin"], row["since"]


def _recorded(views: Views, rows: list[dict[str, Any]]) -> dict[Any, Any]:
    """Those that decisions do not ask for: recorded ones; ended ones, and doubtful ones."""
    inferred = {(row["region"], row["service"]) for row in rows if row["origin"] == "inferred"}
    found = {
        (row["region"], row["service"]): (row["status"], row["origin"], row["since"])
        for row in views.read("recorded_authorizations").dicts()
        if (row["region"], row["service"]) not in inferred
    }
    others = {
        (row["region"], row["service"]): _stands(row)
        for row in rows
        if row["origin"] == "inferred"
        and (row["status"] == "revoked" or row["region"] in ("*", ""))
    }
    return found | others


def _inferred(account: Account, rows: list[dict[str, Any]]) -> dict[Any, Any]:
    """Of each region of a row, and of each region that may have one, what decisions infer."""
    places = {row["region"] for row in rows} | {HERE, THERE, PROJECT} - {"*", ""}
    found = {}
    for place in places - {"*", ""}:
        for code in ("asm", "cce"):
            consent = inferred_consent(account, CATALOGUE.service(PROVIDER, code), place)
            since = consent and consent.since and instant_text(consent.since)
            status = "granted" if consent and consent.is_known else "not known"
            is_by_all = _is_shown_for_all(rows, place, code, status)
            found[place, code] = (status, "inferred", since) if consent and not is_by_all else None
    return found


def _is_shown_for_all(rows: list[dict[str, Any]], place: str, service: str, status: str) -> bool:
    """Whether the view has the consent for all regions, or for one that no trace told, and nothing
    in this one.
    """
    shown = {(row["region"], row["service"]): row["status"] for row in rows}
    is_elsewhere = shown.get(("*", service)) == status or (
        status == "not known" and shown.get(("", service)) == "granted"
    )
    return is_elsewhere and (place, service) not in shown


def _same_of_features(account: Account, views: Views) -> None:
    for row in views.read("capabilities").dicts():
        if row["region"] == "not known" or row["region"] == "*":
            continue
        service = CATALOGUE.service(PROVIDER, row["service"])
        feature = service.feature(row["feature"])
        serving = serving_agency(account, service, feature, row["region"], CATALOGUE)
        status = "broken" if serving.lacks else "unknown" if serving.may_lack else "works"
        assert (row["agency"], row["status"]) == (serving.agency, status), row
        assert row["missing"] == ",".join(serving.lacks or serving.may_lack)
        assert row["note"] == (serving.note if row["missing"] else "")
    assert is_bare_id(PROJECT)
