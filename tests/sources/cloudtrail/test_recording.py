"""CloudTrail's own calls: whether it records, and what."""

from __future__ import annotations

import pytest

from ledger.account.witness import RecordingChanged
from ledger.sources.cloudtrail.recording import TRANSLATORS
from tests.sources.cloudtrail.making import ACCOUNT, Record, call, fact, kept, record, refused

TRAIL = f"arn:aws:cloudtrail:eu-north-1:{ACCOUNT}:trail/org"
STORE = f"arn:aws:cloudtrail:eu-north-1:{ACCOUNT}:eventdatastore/e-1"

CHANGES = {
    "StartLogging": "started",
    "StopLogging": "stopped",
    "CreateTrail": "created",
    "UpdateTrail": "changed",
    "DeleteTrail": "deleted",
    "PutEventSelectors": "changed",
    "PutInsightSelectors": "changed",
    "CreateEventDataStore": "created",
    "UpdateEventDataStore": "changed",
    "DeleteEventDataStore": "deleted",
    "RestoreEventDataStore": "started",
    "StartEventDataStoreIngestion": "started",
    "StopEventDataStoreIngestion": "stopped",
}


def test_the_tables_have_every_call_on_what_is_recorded() -> None:
    assert CHANGES.keys() == TRANSLATORS.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_each_call_on_a_trail_changes_the_recording(name: str) -> None:
    found = fact(call(name, "cloudtrail", name="org"))
    expected = {"recorder": "org", "change": CHANGES[name], "region": "eu-north-1"}
    assert found.model_copy(update={"detail": None}) == RecordingChanged.model_validate(expected)


@pytest.mark.parametrize("name", CHANGES)
def test_each_call_may_be_refused_and_then_changes_nothing(name: str) -> None:
    found = fact(refused(name, "No.", "cloudtrail", name="org"))
    assert (found.outcome, found.why) == ("refused", f"{name}: AccessDenied: No.")
    assert (found.recorder, found.change) == ("org", CHANGES[name])


@pytest.mark.parametrize(
    ("fields", "recorder"),
    [
        ({"requestParameters": {"name": "org"}}, "org"),
        ({"requestParameters": {"name": TRAIL}}, "org"),
        ({"requestParameters": {"trailName": "org"}}, "org"),
        ({"responseElements": {"trailARN": TRAIL}}, "org"),
        ({"requestParameters": {"eventDataStore": STORE}}, STORE),
        ({"responseElements": {"eventDataStoreArn": STORE, "name": "lake"}}, "lake"),
        ({"errorCode": "AccessDenied", "errorMessage": f"on resource: {TRAIL} because"}, "org"),
        ({"errorCode": "AccessDenied", "errorMessage": f"on resource: {TRAIL}."}, "org"),
    ],
)
def test_the_recorder_is_named_by_any_field_that_can_name_it(fields: Record, recorder: str) -> None:
    assert fact(record("StopLogging", "cloudtrail", **fields)).recorder == recorder


def test_a_message_of_more_than_8192_characters_names_no_trail() -> None:
    longest = f"on resource: {TRAIL} ".ljust(8_192, ".")
    assert fact(refused("StopLogging", longest, "cloudtrail")).recorder == "org"
    said = refused("StopLogging", f"{longest}.", "cloudtrail")
    assert kept(said) == "cloudtrail:StopLogging (trail not named)"


def test_a_call_that_does_not_name_its_trail_is_kept_as_a_call() -> None:
    said = record("DeleteTrail", "cloudtrail", requestParameters={"omitted": True})
    assert kept(said) == "cloudtrail:DeleteTrail (request omitted: too long)"


NONE = {"includeManagementEvents": False}
MANAGEMENT = {"field": "eventCategory", "equals": ["Management"]}
DATA = {"field": "eventCategory", "equals": ["Data"]}


@pytest.mark.parametrize(
    ("selectors", "detail"),
    [
        ([], "none"),
        (None, "none"),
        ([NONE], "none"),
        ([NONE, NONE], "none"),
        ([{}], "All"),
        ([{"includeManagementEvents": True, "readWriteType": "All"}, NONE], "All"),
        ([{"readWriteType": "WriteOnly"}], "WriteOnly"),
        ([{"readWriteType": "ReadOnly"}, {"readWriteType": "All"}], "All and ReadOnly"),
        (
            [{"excludeManagementEventSources": ["kms.amazonaws.com"]}],
            "All without kms.amazonaws.com",
        ),
    ],
)
def test_selectors_tell_which_management_events_are_recorded_from_now_on(
    selectors: object, detail: str
) -> None:
    found = fact(call("PutEventSelectors", "cloudtrail", trailName="org", eventSelectors=selectors))
    assert found.detail == f"management events: {detail}"


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ([DATA], "none"),
        ([MANAGEMENT], "All"),
        ([MANAGEMENT, {"field": "readOnly", "equals": ["true"]}], "ReadOnly"),
        ([MANAGEMENT, {"field": "readOnly", "equals": ["false"]}], "WriteOnly"),
        (
            [MANAGEMENT, {"field": "eventSource", "notEquals": ["kms.amazonaws.com"]}],
            "All limited by eventSource",
        ),
        ("odd", "none"),
    ],
)
@pytest.mark.parametrize("name", ["PutEventSelectors", "UpdateEventDataStore"])
def test_advanced_selectors_tell_it_too(name: str, fields: object, detail: str) -> None:
    selectors = [{"fieldSelectors": fields}]
    found = fact(call(name, "cloudtrail", name="org", advancedEventSelectors=selectors))
    assert found.detail == f"management events: {detail}"


def test_selectors_that_are_left_out_are_not_known() -> None:
    said = record(
        "PutEventSelectors",
        "cloudtrail",
        requestParameters={"omitted": True},
        responseElements={"trailARN": TRAIL},
    )
    assert fact(said).detail == "selectors not told"


def test_the_options_of_a_trail_and_its_bucket_are_kept() -> None:
    said = call(
        "UpdateTrail",
        "cloudtrail",
        name="org",
        isMultiRegionTrail=False,
        includeGlobalServiceEvents=False,
        s3BucketName="elsewhere",
    )
    assert fact(said).detail == (
        "isMultiRegionTrail=false, includeGlobalServiceEvents=false, s3BucketName=elsewhere"
    )


@pytest.mark.parametrize(
    ("selectors", "detail"),
    [
        ([{"insightType": "ApiCallRateInsight"}], "insights: ApiCallRateInsight"),
        ([], "insights: none"),
    ],
)
def test_insight_selectors_are_kept(selectors: object, detail: str) -> None:
    said = call("PutInsightSelectors", "cloudtrail", trailName="org", insightSelectors=selectors)
    assert fact(said).detail == detail
