"""Creations and changes of agencies in CTS's traces."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ledger.account.agency import (
    AgencyCreated,
    AgencyCreationRefused,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.permissions import PermissionChangeRefused, PermissionsChanged
from ledger.values import instant_text
from tests.sources.cts.making import (
    AGENCY,
    BY_ID,
    DELETIONS,
    DOMAIN,
    REFUSED,
    fact,
    facts,
    kept,
    kept_document,
    under,
)

CREATIONS = ["createAgency", "createAgencyV5", "createServiceLinkedAgencyV5"]
UPDATES = ["updateAgency", "updateAgencyV5"]
NAMES = ["agency.trust_domain_name", "trust_domain_name"]
IDS = ["agency.trust_domain_id", "trust_domain_id"]
POLICIES = ["trust_policy", "agency.trust_policy"]
TRUST_POLICY = {
    "Version": "5.0",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": ["service.ASM"]}}],
}
DOCUMENT: Any = {
    "trust_document": kept_document(TRUST_POLICY).digest,
    "trust_document_bytes": kept_document(TRUST_POLICY).size,
}


# -- creation -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CREATIONS)
def test_a_creation_tells_the_name_and_the_id(name: str) -> None:
    assert fact(name, **AGENCY) == AgencyCreated(agency="mesh", agency_id="a1", account_name="acme")
    asked = {"agency": {"name": "mesh"}}
    assert fact(name, request=asked) == AgencyCreated(agency="mesh", account_name="acme")


@pytest.mark.parametrize("name", CREATIONS)
def test_a_creation_without_a_name_proves_that_the_agency_exists(name: str) -> None:
    assert fact(name, resource_type="agency", resource_id="a1") == PermissionsChanged(
        agency_id="a1", detail=f"{name}: the trace does not tell its name"
    )


@pytest.mark.parametrize("name", CREATIONS)
def test_a_refused_creation_is_an_attempt(name: str) -> None:
    why = f"{name}: code 403"
    assert fact(name, **AGENCY, **REFUSED) == AgencyCreationRefused(agency="mesh", why=why)
    assert fact(name, **BY_ID, **REFUSED) == PermissionChangeRefused(agency_id="a1", why=why)


@pytest.mark.parametrize(
    "name",
    [*CREATIONS, *UPDATES, *DELETIONS, "updateTrustPolicyV5", "deleteServiceLinkedAgencyV5"],
)
@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_only_a_trace_that_tells_neither_id_nor_name_is_kept_as_it_is(
    name: str, outcome: dict[str, str]
) -> None:
    assert kept(name, **outcome) == f"IAM:{name}"


# -- trust ----------------------------------------------------------------------------------------


def created(**fields: Any) -> AgencyCreated:
    found = fact("createAgency", **AGENCY, **fields)
    assert isinstance(found, AgencyCreated)
    return found


@pytest.mark.parametrize("body", ["request", "response"])
@pytest.mark.parametrize("key", [*NAMES, *IDS])
def test_each_key_of_the_trusted_account_tells_the_trustee_alone(key: str, body: str) -> None:
    found = created(**{body: under(key, "other")})
    assert (found.trustee, found.trusted_account_id) == ("account:other", None)


@pytest.mark.parametrize("body", ["request", "response"])
@pytest.mark.parametrize("key", POLICIES)
@pytest.mark.parametrize("encode", [lambda policy: policy, json.dumps], ids=["object", "text"])
def test_each_key_of_a_trust_policy_tells_the_trustee_alone(
    key: str, body: str, encode: Any
) -> None:
    assert created(**{body: under(key, encode(TRUST_POLICY))}).trustee == "service:asm"


@pytest.mark.parametrize(
    ("account", "trustee"),
    [
        ("op_svc_asm", "service:asm"),
        ("op_svc_CTS", "service:cts"),
        ("op_svc_cs_container1", "service:cs_container1"),
        ("contractor-x", "account:contractor-x"),
        ("my_op_svc_asm", "account:my_op_svc_asm"),
    ],
)
def test_the_account_of_a_service_is_the_service(account: str, trustee: str) -> None:
    assert created(request=under("agency.trust_domain_name", account)).trustee == trustee


def test_a_service_principal_is_the_service_as_the_catalogue_has_it() -> None:
    for body in ("request", "response"):
        principal: Any = {body: {"service_principal": "service.ASM"}}
        found = fact("createServiceLinkedAgencyV5", **AGENCY, **principal)
        assert found.trustee == "service:asm"


def test_id_and_name_of_one_account_are_one_trustee() -> None:
    by_name = {"agency": {"trust_domain_name": "other"}}
    by_id = {"agency": {"trust_domain_id": "d2"}}
    both = created(request=by_name, response=by_id)
    assert both == created(request=by_id, response=by_name)
    assert (both.trustee, both.trusted_account_id, both.trusted_account_name) == (
        "account:d2",
        "d2",
        "other",
    )
    assert created(response=by_id).trustee == "account:d2"


def test_the_account_of_a_service_stays_the_service_beside_its_id() -> None:
    account = {"trust_domain_name": "op_svc_asm", "trust_domain_id": "d2"}
    found = created(request={"agency": account})
    assert (found.trustee, found.trusted_account_id, found.trusted_account_name) == (
        "service:asm",
        "d2",
        "op_svc_asm",
    )


def test_the_callers_own_account_is_one_trustee_by_name_and_by_id() -> None:
    found = created(request={"agency": {"trust_domain_name": "acme"}})
    assert (found.trustee, found.trusted_account_name) == (f"account:{DOMAIN}", "acme")


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("key", [*NAMES, *IDS])
def test_an_update_that_asks_for_a_trustee_changes_the_trust(name: str, key: str) -> None:
    assert fact(name, **AGENCY, request=under(key, "other")) == AgencyTrustChanged(
        agency="mesh", agency_id="a1", trustee="account:other"
    )
    both = fact(name, **BY_ID, request=under(NAMES[0], "other"), response=under(IDS[0], "d2"))
    assert both == AgencyTrustChanged(
        agency_id="a1",
        trustee="account:d2",
        trusted_account_id="d2",
        trusted_account_name="other",
    )


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("key", POLICIES)
def test_an_update_that_asks_for_a_trust_policy_changes_the_trust(name: str, key: str) -> None:
    found = fact(name, **BY_ID, request=under(key, TRUST_POLICY))
    assert found == AgencyTrustChanged(agency_id="a1", trustee="service:asm", **DOCUMENT)


@pytest.mark.parametrize("key", [*NAMES, *IDS, *POLICIES])
def test_an_update_whose_response_shows_the_trustee_that_stayed_changes_no_trust(key: str) -> None:
    shown = under(key, TRUST_POLICY if "policy" in key else "other")
    found = fact("updateAgency", **BY_ID, request={"agency": {"description": "x"}}, response=shown)
    assert found == PermissionsChanged(agency_id="a1", detail="updateAgency: description")


def test_a_changed_trust_policy_tells_whom_the_agency_trusts() -> None:
    url = {"resource_url": "/v5/agencies/a1/trust-policy"}
    asked = {"trust_policy": json.dumps(TRUST_POLICY)}
    changed = AgencyTrustChanged(agency_id="a1", trustee="service:asm", **DOCUMENT)
    assert fact("updateTrustPolicyV5", **url, request=asked) == changed
    cut = {"trust_policy": "{cut"}
    assert fact("updateTrustPolicyV5", **url, request=cut, response=asked) == changed
    # It changed, even if the trace does not tell to whom.
    assert fact("updateTrustPolicyV5", **url, request="opaque") == AgencyTrustChanged(
        agency_id="a1"
    )


@pytest.mark.parametrize("name", [*UPDATES, "updateTrustPolicyV5"])
def test_a_refused_update_is_an_attempt(name: str) -> None:
    assert fact(name, **AGENCY, **REFUSED) == PermissionChangeRefused(
        agency="mesh", agency_id="a1", why=f"{name}: code 403"
    )


# -- expiry ---------------------------------------------------------------------------------------

ONE_DAY_LATER, FIVE_DAYS_LATER = "2026-02-04T06:26:40.000000Z", "2026-02-08T06:26:40.000000Z"
SAID = {"expire_time": "2026-02-05T01:02:03.000004"}
EXPIRIES: list[tuple[dict[str, Any], dict[str, Any], str, str | None]] = [
    ({"duration": "ONEDAY"}, {}, "ONEDAY", ONE_DAY_LATER),
    ({"duration": "oneday"}, {}, "oneday", ONE_DAY_LATER),
    ({"duration": "ONEDAY"}, {"duration": "24"}, "ONEDAY", ONE_DAY_LATER),
    ({"duration": "5"}, {}, "5", FIVE_DAYS_LATER),
    ({"duration": 5}, {"duration": "120"}, "5", FIVE_DAYS_LATER),
    ({"duration": "ONEDAY"}, SAID, "ONEDAY", "2026-02-05T01:02:03.000004Z"),
    ({"duration": "WEEK"}, SAID, "WEEK", "2026-02-05T01:02:03.000004Z"),
    (
        {"duration": "ONEDAY"},
        {"expire_time": "2026-02-05T09:00:00+08:00"},
        "ONEDAY",
        "2026-02-05T01:00:00.000000Z",
    ),
    ({"duration": "FOREVER"}, {"expire_time": None}, "FOREVER", None),
    ({"duration": "forever"}, {}, "forever", None),
    ({"duration": "FOREVER"}, {"duration": "24"}, "FOREVER", None),
]
ONLY_SHOWN: list[tuple[dict[str, Any], dict[str, Any], str | None, str | None]] = [
    ({}, {"duration": "24"}, "24", ONE_DAY_LATER),
    ({}, {"duration": "FOREVER"}, "FOREVER", None),
    ({}, {"duration": None, "expire_time": None}, "FOREVER", None),
    ({}, SAID, None, "2026-02-05T01:02:03.000004Z"),
]
NOT_KNOWN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"duration": "WEEK"}, {}),
    ({"duration": "WEEK"}, {"duration": "24"}),
    ({"duration": "0"}, {}),
    ({"duration": "-1"}, {}),
    ({"duration": "²"}, {}),
    ({"duration": True}, {}),
    ({"duration": "99999999"}, {}),
    ({"duration": "9" * 30}, {}),
    ({}, {"duration": "120"}),
    ({}, {"duration": None}),
    ({}, {"expire_time": None}),
    ({}, {"duration": None, "expire_time": "tomorrow"}),
    ({"duration": None}, {}),
]


def bodies(asked: dict[str, Any], shown: dict[str, Any], *, within: bool) -> dict[str, Any]:
    return {
        "request": {"agency": asked} if within else asked,
        "response": {"agency": shown} if within else shown,
    }


def end_of(event: AgencyCreated | AgencyExpiryChanged) -> tuple[str | None, str | None]:
    return event.duration, instant_text(event.expires_at) if event.expires_at else None


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize(("asked", "shown", "duration", "end"), [*EXPIRIES, *ONLY_SHOWN])
def test_a_creation_tells_how_long_the_agency_lives(
    asked: dict[str, Any], shown: dict[str, Any], duration: str, end: str | None, *, within: bool
) -> None:
    assert end_of(created(**bodies(asked, shown, within=within))) == (duration, end)


def test_an_end_without_a_zone_is_in_utc_wherever_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as here:
        here.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        found = created(response={"agency": SAID})
    time.tzset()
    assert end_of(found) == (None, "2026-02-05T01:02:03.000004Z")


@pytest.mark.parametrize(("asked", "shown"), NOT_KNOWN)
def test_an_end_of_unknown_shape_is_never_guessed(
    asked: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert end_of(created(**bodies(asked, shown, within=True))) == (None, None)


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize(("asked", "shown", "duration", "end"), EXPIRIES)
def test_a_changed_duration_is_an_expiry_and_no_change_of_trust(
    name: str, asked: dict[str, Any], shown: dict[str, Any], duration: str, end: str | None
) -> None:
    shown = shown | {"trust_domain_id": "d2", "name": "mesh"}
    found = fact(name, **AGENCY, **bodies(asked, shown, within=True))
    assert isinstance(found, AgencyExpiryChanged)
    assert (found.agency, found.agency_id) == ("mesh", "a1")
    assert end_of(found) == (duration, end)


@pytest.mark.parametrize(("asked", "shown", "duration", "end"), ONLY_SHOWN)
def test_an_update_that_asks_for_no_duration_changes_no_expiry(
    asked: dict[str, Any], shown: dict[str, Any], duration: str, end: str | None
) -> None:
    found = fact("updateAgency", **AGENCY, **bodies(asked, shown, within=True))
    assert isinstance(found, PermissionsChanged), (duration, end)


def test_an_update_that_asks_for_both_is_both() -> None:
    asked = {"agency": {"trust_domain_name": "other", "duration": "FOREVER", "description": "x"}}
    assert facts("updateAgency", **AGENCY, request=asked) == [
        AgencyTrustChanged(agency="mesh", agency_id="a1", trustee="account:other"),
        AgencyExpiryChanged(agency="mesh", agency_id="a1", duration="FOREVER"),
    ]


@pytest.mark.parametrize(
    ("request_", "detail"),
    [
        ({"agency": {"duration": "WEEK", "description": "zoe's"}}, ": description, duration"),
        ({"description": "x", "max_session_duration": 3600}, ": description, max_session_duration"),
        ({"agency": {"not a field": 1}}, ""),
        ({"agency": "opaque"}, ""),
        ("opaque", ""),
        (
            {"agency": {f"k{n:02}": n for n in range(13)}},
            f": {', '.join(f'k{n:02}' for n in range(12))}",
        ),
    ],
)
def test_another_update_tells_the_changed_fields_without_their_values(
    request_: Any, detail: str
) -> None:
    assert fact("updateAgency", **AGENCY, request=request_) == PermissionsChanged(
        agency="mesh", agency_id="a1", detail=f"updateAgency{detail}"
    )
