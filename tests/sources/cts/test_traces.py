"""CTS's traces in all their shapes: times, bodies, outcomes, regions, ids of traces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyCreationRefused
from ledger.messages import Observation
from ledger.sources import SOURCES
from ledger.sources.cts.trace import time_of
from ledger.sources.fields import Unreadable
from ledger.values import instant_text
from tests.sources.cts.making import AGENCY, DOMAIN, REFUSED, fact, observed, trace
from tests.sources.reading import events, read, translated


def test_the_fixture_yields_the_whole_life_of_an_agency(fixtures: Path) -> None:
    found, report = read("cts", fixtures / "cts.json")
    assert [type(event).__name__ for event in events(found)] == [
        "AgencyCreated",
        "PolicyCreated",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionRevoked",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionGranted",
        "PermissionsChanged",
        "AgencyDeletionAttempted",
        "ConsoleLoginRequested",
        "ConsoleLoginRequested",
        "TemporaryCredentialIssued",
        "NotModelled",
        "NotModelled",
        "AgencyCreated",
        "PermissionGranted",
        "TemporaryCredentialIssued",
        "PermissionRevoked",
        "PolicyDeleted",
        "AgencyDeleted",
    ]
    assert report.read_only == {"IAM:getAgency": 1}
    assert report.not_understood == {}
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
        (1770100000000.0, "2026-02-03T06:26:40.000000Z"),
        # The hour that comes twice when summer time ends; the last second of a year.
        ("2026/10/25 02:30:00 GMT+02:00", "2026-10-25T00:30:00.000000Z"),
        ("2026/10/25 02:30:00 GMT+01:00", "2026-10-25T01:30:00.000000Z"),
        ("2026/01/01 07:59:59 GMT+08:00", "2025-12-31T23:59:59.000000Z"),
    ],
)
def test_every_shape_of_time_is_read(written: object, expected: str) -> None:
    assert instant_text(time_of(written)) == expected


@pytest.mark.parametrize(
    "written",
    [
        1770100000,  # Seconds, or milliseconds of 1970?
        "1770100000",
        1770100000000000,
        1770100000000.5,
        -1770100000000,
        "02/31/2026 14:26:40 GMT+08:00",
        "13/02/2026 14:26:40 GMT+08:00",
        "2026/02/03 14:26:40",
        "2026/02/03 14:26:40 GMT+08:00 or so",
        "2026/02/03 1٤:26:40 GMT+08:00",
        "١٧٧٠١٠٠٠٠٠٠٠٠",
        "٣",
        "yesterday",
        True,
        {},
        ["1770100000123"],
    ],
)
def test_a_time_of_unknown_shape_is_never_guessed(written: object) -> None:
    with pytest.raises(Unreadable, match="is not valid in any of"):
        time_of(written)


def test_a_long_time_is_cut_in_the_message() -> None:
    with pytest.raises(Unreadable, match=f"the time '{'9' * 40}' is"):
        time_of("9" * 41)


@pytest.mark.parametrize("written", ["", None])
def test_a_trace_without_a_time_is_unreadable(written: object) -> None:
    with pytest.raises(Unreadable, match="has no time"):
        time_of(written)


@pytest.mark.parametrize(
    "fields",
    [
        {"trace_name": None},
        {"trace_name": 7},
        {"service_type": None},
        {"service_type": {}},
        {"trace_name": None, "service_type": None},
    ],
)
def test_a_record_without_a_name_and_a_service_is_not_a_trace(fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="not a CTS trace"):
        SOURCES["cts"].kind_of(trace("createAgency") | fields)


def test_a_file_of_digests_is_not_a_trace_and_is_counted() -> None:
    assert SOURCES["cts"].kind_of({"digest_object": "x"}).name == "cts:digest file"


def test_an_empty_name_is_counted_under_a_question_mark() -> None:
    assert SOURCES["cts"].kind_of({"trace_name": "", "service_type": ""}).name == "?:?"


@pytest.mark.parametrize(
    ("said", "expected"),
    [(True, True), ("true", True), (False, False), ("false", False), (1, True)],
)
def test_a_trace_may_say_that_it_changed_nothing(said: object, *, expected: bool) -> None:
    assert SOURCES["cts"].kind_of(trace("getAgency", read_only=said)).read_only is expected


@pytest.mark.parametrize("encode", [lambda body: body, json.dumps], ids=["object", "text"])
def test_request_and_response_may_be_objects_or_json_texts(encode: Any) -> None:
    created = fact(
        "createAgency",
        request=encode({"agency": {"name": "mesh", "trust_domain_name": "op_svc_x"}}),
        response=encode({"agency": {"id": "a1"}}),
        user=encode({"name": "lin", "domain": {"id": DOMAIN}}),
    )
    assert created == AgencyCreated(agency="mesh", agency_id="a1", trustee="service:x")


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
    assert report.passed_over == {"cts:digest file": 1}
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


@pytest.mark.parametrize("guide", ["v3_otc_2026", "v5"])
def test_every_trace_of_the_vendors_lists_that_changes_or_uses_an_agency_is_understood(
    shared: Path, guide: str
) -> None:
    lists = json.loads((shared / "cts" / "iam_trace_names.json").read_text())
    things = ("agency", "policy", "project")
    names = {
        item["trace_name"].lower()
        for item in lists[guide]["names"]
        if any(thing in item["resource_type"].lower() for thing in things)
        and item["resource_type"] != "SecurityPolicy"
        and not item["trace_name"].startswith(("get", "list"))
    }
    assert names
    assert names - {kind.partition(":")[2] for kind in SOURCES["cts"].translators} == set()


@pytest.mark.parametrize(
    ("fields", "region"),
    [
        ({}, "global"),
        ({"endpoint": "iam.example.com"}, "global"),
        ({"endpoint": "https://iam.cn-north-4.example.com/v3"}, "cn-north-4"),
        ({"endpoint": "iam.eu-ch2.sc.otc.t-systems.com"}, "eu-ch2"),
        ({"endpoint": "iam.eu-de.otc.t-systems.com"}, "eu-de"),
        ({"endpoint": "iam-pub.eu-nl.otc.t-systems.com"}, "eu-nl"),
        ({"endpoint": "ae-ad-1.iam.example.com"}, "ae-ad-1"),
        ({"endpoint": "my-bucket-1.obs.eu-west-101.example.com"}, "eu-west-101"),
        ({"endpoint": "iam.my-cloud.example.com"}, "global"),
        ({"endpoint": "iam.eu-de-x.example.com"}, "global"),
        ({"endpoint": "iam.cn-north-٤.example.com"}, "global"),
        ({"endpoint": "iam.xcn-north-4.example.com"}, "global"),
        ({"location_info": {"region": "la-south-2"}}, "la-south-2"),
        ({"location_info": {"region": "CN North-Beijing4"}}, "global"),
        ({"location_info": {"region": "*"}}, "global"),
        (
            {"location_info": {"region": "la-south-2"}, "endpoint": "iam.cn-north-4.example.com"},
            "la-south-2",
        ),
    ],
)
def test_the_region_of_a_call_is_named_or_is_that_of_its_endpoint(
    fields: dict[str, Any], region: str
) -> None:
    assert fact("login", **fields).region == region


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "createAgency: code 403"),
        ({"code": None}, "createAgency"),
        ({"code": 409, "message": "conflict"}, "createAgency: code 409: conflict"),
        ({"response": {"error_code": "IAM.0003", "error_msg": "no"}}, "createAgency: IAM.0003: no"),
        ({"response": {"errorCode": "IAM.1", "errorMsg": "no"}}, "createAgency: IAM.1: no"),
        ({"response": {"code": "IAM.2", "message": "no"}}, "createAgency: IAM.2: no"),
        ({"response": {"error": {"code": "IAM.3", "message": "no"}}}, "createAgency: IAM.3: no"),
        ({"response": {"error": {"code": "IAM.4"}, "message": "no"}}, "createAgency: IAM.4: no"),
        (
            {"response": {"error": {"code": 403, "message": "lin and zoe"}}},
            "createAgency: (somebody) and zoe",
        ),
        (
            {"user": {"user_name": "zoe", "domain": {"id": DOMAIN}}, "message": "zoe may not"},
            "createAgency: code 403: (somebody) may not",
        ),
    ],
)
def test_a_refusal_says_why_without_the_name_of_the_user(fields: dict[str, Any], why: str) -> None:
    assert fact("createAgency", **AGENCY, **REFUSED | fields).why == why


def test_a_trace_tells_its_time_address_request_and_file() -> None:
    found = observed("createAgency", **AGENCY, source_ip="203.0.113.9", request_id="r-1")
    assert instant_text(found.effective_at) == "2026-02-03T06:26:40.000000Z"
    assert (found.address, found.correlation_id) == ("203.0.113.9", "r-1")
    assert (found.source.trace_id, found.source.file) == ("t-1", "a.json")
