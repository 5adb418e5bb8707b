"""The facts in CTS's traces, in all their shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyCreationRefused, AgencyTrustChanged
from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.messages import Observation
from ledger.sources import SOURCES
from ledger.sources.cts.trace import time_of
from ledger.sources.fields import Unreadable
from ledger.values import instant_text
from tests.sources.reading import events, read, translated

DOMAIN = "0f3c2b1a9d8e4f7a8b6c5d4e3f2a1b0c"
AGENCY = {"resource_type": "agency", "resource_name": "mesh", "resource_id": "a1"}


def trace(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "time": 1770100000000,
        "service_type": "IAM",
        "trace_name": name,
        "trace_rating": "normal",
        "trace_id": "t-1",
        "user": {"name": "lin", "domain": {"id": DOMAIN, "name": "acme"}},
    } | fields


def fact(name: str, **fields: Any) -> Any:
    found = translated("cts", trace(name, **fields))
    assert isinstance(found, Observation), found
    (event,) = found.events
    return event


def test_the_fixture_yields_the_whole_life_of_an_agency(fixtures: Path) -> None:
    found, report = read("cts", fixtures / "cts.json")
    assert [type(event).__name__ for event in events(found)] == [
        "AgencyCreated",
        "PolicyCreated",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionsChanged",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionsChanged",
        "AgencyDeletionAttempted",
        "ConsoleLoginRequested",
        "ConsoleLoginRequested",
        "TemporaryCredentialIssued",
        "AgencyCreated",
        "PermissionGranted",
        "TemporaryCredentialIssued",
        "PermissionRevoked",
        "PolicyDeleted",
        "AgencyDeleted",
    ]
    assert report.read_only == {"IAM:getAgency": 1}
    assert report.not_understood == {
        "IAM:unassignRoleToAgencyOnProject (agency not named)": 1,
        "CCE:createUserAgencies (agency not named)": 1,
        "IAM:createUser": 1,
    }
    assert {(item.provider, item.account) for item in found} == {("huaweicloud", DOMAIN)}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1770100000123, "2026-02-03T06:26:40.123000Z"),
        ("1770100000123", "2026-02-03T06:26:40.123000Z"),
        ("1770100000123456789", "2026-02-03T06:26:40.123456Z"),
        ("2026/02/03 14:26:40 GMT+08:00", "2026-02-03T06:26:40.000000Z"),
        ("02/03/2026 14:26:40 GMT+08:00", "2026-02-03T06:26:40.000000Z"),
        ("2026-02-03 14:26:40 GMT+08:00", "2026-02-03T06:26:40.000000Z"),
        ("2026-02-03T06:26:40Z", "2026-02-03T06:26:40.000000Z"),
    ],
)
def test_every_shape_of_time_is_read(written: object, expected: str) -> None:
    assert instant_text(time_of(written)) == expected


@pytest.mark.parametrize(
    "written", ["", None, True, 1770100000, "1770100000", "02/31/2026 14:26:40 GMT+08:00", "٣", {}]
)
def test_a_time_of_unknown_shape_is_never_guessed(written: object) -> None:
    with pytest.raises(Unreadable, match="time"):
        time_of(written)


@pytest.mark.parametrize("encode", [lambda body: body, json.dumps], ids=["object", "text"])
def test_request_and_response_may_be_objects_or_json_texts(encode: Any) -> None:
    created = fact(
        "createAgency",
        request=encode({"agency": {"name": "mesh", "trust_domain_name": "op_svc_x"}}),
        response=encode({"agency": {"id": "a1"}}),
        user=encode({"name": "lin", "domain": {"id": DOMAIN}}),
    )
    assert created == AgencyCreated(agency="mesh", agency_id="a1", trustee="account:op_svc_x")


@pytest.mark.parametrize("code", [200, "200", 302, None])
@pytest.mark.parametrize("key", ["trace_rating", "trace_status"])
@pytest.mark.parametrize("rating", ["normal", "warning", "incident"])
def test_success_is_in_the_rating_and_never_in_the_code(code: Any, key: str, rating: str) -> None:
    fields = {**AGENCY, "trace_rating": None, "code": code} | {key: rating}
    expected = AgencyCreated if rating == "normal" else AgencyCreationRefused
    assert type(fact("createAgency", **fields)) is expected


def test_a_trace_without_a_rating_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="trace_rating"):
        translated("cts", trace("createAgency", **AGENCY, trace_rating=None))


@pytest.mark.parametrize("name", ["createAgency", "CREATEAGENCY", "createagency"])
def test_names_are_compared_without_regard_to_case(name: str) -> None:
    assert isinstance(fact(name, **AGENCY, service_type="iam"), AgencyCreated)


def test_a_trace_without_an_id_is_identified_by_a_digest_of_its_content() -> None:
    one = translated("cts", trace("createAgency", **AGENCY, trace_id=""))
    again = translated("cts", trace("createAgency", **AGENCY, trace_id=""))
    other = translated("cts", trace("createAgency", **AGENCY, trace_id="", time=1770100000001))
    assert isinstance(one, Observation)
    assert isinstance(again, Observation)
    assert isinstance(other, Observation)
    assert one.command_id == again.command_id != other.command_id


def test_the_account_is_that_of_the_resource_else_of_the_trace_else_of_the_user() -> None:
    user = {"name": "lin", "domain": {"id": "third"}}
    accounts = []
    for fields in (
        {"resource_account_id": "first", "domain_id": "second", "user": user},
        {"domain_id": "second", "user": user},
        {"user": user},
    ):
        found = translated("cts", trace("createAgency", **AGENCY, **fields))
        assert isinstance(found, Observation)
        accounts.append(found.account)
    assert accounts == ["first", "second", "third"]


def test_a_trace_without_an_account_is_counted_by_name() -> None:
    name = translated("cts", trace("createAgency", **AGENCY, user="{opaque}"))
    assert name == "IAM:createAgency (no account)"


def grant(**fields: Any) -> Any:
    body = {"agency_name": "mesh", "role_name": "Tenant Guest"}
    return fact("assignRoleToAgencyOnProject", request=body, **fields)


def test_a_sub_project_is_a_region_of_its_own() -> None:
    kind = "roleAgencyProject"
    assert grant(resource_type=kind, resource_name="cn-north-4").region == "cn-north-4"
    assert grant(resource_type=kind, resource_name="cn-north-4_a").region == "cn-north-4_a"
    assert grant(resource_url="/v3.0/OS-AGENCY/projects/eu-west-101/x").region == "eu-west-101"
    body = {"agency_name": "mesh", "role_name": "r", "project_name": "MOS"}
    assert fact("assignRoleToAgencyOnProject", request=body).region == "MOS"


def test_a_grant_on_a_project_without_a_name_is_a_change_of_unknown_kind() -> None:
    changed = grant(resource_url="/v3.0/OS-AGENCY/projects/0123abcd/agencies/a1/roles/r1")
    assert isinstance(changed, PermissionsChanged)
    assert changed.region is None
    assert changed.detail == "assignRoleToAgencyOnProject: project 0123abcd"


@pytest.mark.parametrize(
    ("name", "event", "region"),
    [
        ("assignRoleToAgencyOnDomain", PermissionGranted, "global"),
        ("unassignRoleToAgencyOnDomain", PermissionRevoked, "global"),
        ("updateAgencyGrants", PermissionGranted, "global"),
        ("deleteAgencyGrants", PermissionRevoked, "global"),
        ("updateAgencyInheritedGrants", PermissionGranted, "*"),
        ("deleteAgencyInheritedGrants", PermissionRevoked, "*"),
        ("attachAgencyPolicyV5", PermissionGranted, "*"),
        ("detachAgencyPolicyV5", PermissionRevoked, "*"),
    ],
)
def test_each_scope_of_a_grant_has_its_region(name: str, event: type, region: str) -> None:
    found = fact(name, **AGENCY, request={"role_name": "Tenant Guest"})
    found_fields = (type(found), found.agency, found.region, found.policy)
    assert found_fields == (event, "mesh", region, "Tenant Guest")


def test_a_grant_whose_role_is_unreadable_is_still_a_fact() -> None:
    changed = fact("updateAgencyInheritedGrants", **AGENCY, request="opaque")
    assert isinstance(changed, PermissionsChanged)
    assert (changed.agency, changed.region) == ("mesh", "*")


def test_a_refused_grant_is_recorded_as_an_attempt() -> None:
    refused = grant(
        trace_rating="warning",
        response={"error": {"code": 403, "message": "lin may not do that"}},
    )
    assert isinstance(refused, PermissionChangeRefused)
    assert refused.why == "assignRoleToAgencyOnProject: (somebody) may not do that"


def test_an_id_in_the_place_of_a_name_is_not_taken_as_a_name() -> None:
    fields = {"resource_type": "agency", "resource_name": "a1", "resource_id": "a1"}
    assert translated("cts", trace("deleteAgency", **fields)) == (
        "IAM:deleteAgency (agency not named)"
    )


def test_an_update_names_the_trustee_or_the_changed_fields() -> None:
    trusts = {"agency": {"trust_domain_name": "other"}}
    assert fact("updateAgency", **AGENCY, request=trusts) == AgencyTrustChanged(
        agency="mesh", trustee="account:other"
    )
    lasts = {"agency": {"duration": "ONEDAY", "description": "zoe's"}}
    assert fact("updateAgency", **AGENCY, request=lasts) == PermissionsChanged(
        agency="mesh", detail="updateAgency: description, duration"
    )


def test_consent_in_the_console_of_cce_yields_agencies_only() -> None:
    fields: dict[str, Any] = {"service_type": "CCE", "resource_type": "cluster"}
    changed = fact("createUserAgencies", **fields, request={"agencies": ["CCENodeAgency"]})
    assert isinstance(changed, PermissionsChanged)
    assert translated("cts", trace("createUserAgencies", **fields)) == (
        "CCE:createUserAgencies (agency not named)"
    )


@pytest.mark.parametrize("colons", [":", "::"])
def test_a_session_urn_names_the_agency_and_its_account(colons: str) -> None:
    urn = f"sts::dd22{colons}assumed-agency:mesh/gateway"
    found = translated(
        "cts",
        trace("agencyAssume", service_type="STS", response={"assumed_agency": {"urn": urn}}),
    )
    assert isinstance(found, Observation)
    assert found.account == "dd22"
    assert found.events == (TemporaryCredentialIssued(agency="mesh", region="global"),)


def test_a_refused_switch_is_recorded_as_an_attempt() -> None:
    assert isinstance(fact("switchRole", **AGENCY, trace_rating="warning"), CredentialRefused)


def test_the_actor_is_the_agency_and_the_user_behind_it() -> None:
    behind = {"user": {"name": "wei", "domain": {"name": "partner"}}}
    user = {"type": "AssumedAgency", "name": "acme/mesh", "domain": {"id": DOMAIN}}
    found = translated("cts", trace("createAgency", **AGENCY, user=user | {"assumedBy": behind}))
    assert isinstance(found, Observation)
    assert found.actor == "acme/mesh by partner/wei"


def test_an_edition_of_the_cloud_is_another_provider(fixtures: Path) -> None:
    source = SOURCES["cts"].edition("otc")
    found = source.translate(trace("createAgency", **AGENCY), "a.json")
    assert isinstance(found, Observation)
    assert found.provider == "otc"


def test_every_public_sample_is_accounted_for(shared: Path) -> None:
    found, report = read("cts", *sorted((shared / "cts" / "samples").glob("*.json*")))
    assert found == []
    assert (report.files, report.records) == (17, 19)
    assert report.not_understood["IAM:login (no account)"] == 1
    assert report.not_understood["cts:digest file"] == 1
    assert [(place.file, place.place) for place in report.places] == [
        ("evs_deleteVolume_malformed_nanos.json.txt", "line 11, column 285"),
        ("user_iam_user_root_2025.json", "line 1, column 1"),
    ]


def test_every_collected_trace_is_accounted_for(shared: Path, tmp_path: Path) -> None:
    collected = (shared / "cts" / "traces.jsonl").read_text().splitlines()
    file = tmp_path / "traces.jsonl"
    file.write_text("".join(json.dumps(json.loads(line)["trace"]) + "\n" for line in collected))
    _, report = read("cts", file)
    assert (report.records, report.not_understood.total(), report.complete) == (14, 14, True)


def test_every_trace_name_of_an_agency_in_the_vendors_list_is_understood(shared: Path) -> None:
    lists = json.loads((shared / "cts" / "iam_trace_names.json").read_text())
    names = {
        item["trace_name"].lower()
        for item in lists["v3_otc_2026"]["names"]
        if "agency" in item["resource_type"].lower() or item["resource_type"] == "Policy"
    }
    understood = {kind.partition(":")[2] for kind in SOURCES["cts"].translators}
    assert names - understood == set()
