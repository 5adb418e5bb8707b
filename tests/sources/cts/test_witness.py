"""Changes of what CTS records: trackers, and the agency through which CTS works."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.agency import AgencyDeleted, AgencyDeletionAttempted
from ledger.account.witness import RecordingChanged
from tests.sources.cts.making import AGENCY, REFUSED, fact, facts

TRACKER: dict[str, Any] = {"service_type": "CTS", "resource_type": "tracker"}
WITNESS = {"resource_type": "agency", "resource_name": "cts_admin_trust", "resource_id": "c1"}


@pytest.mark.parametrize(
    ("name", "request_body", "change", "detail"),
    [
        ("createTracker", {"tracker_type": "system"}, "created", ": tracker_type"),
        ("deleteTracker", "", "deleted", ""),
        ("DELETETRACKER", "", "deleted", ""),
        ("updateTracker", {"status": "disabled"}, "stopped", ": status"),
        ("updateTracker", {"status": "enabled"}, "started", ": status"),
        ("updateTracker", {"obs_info": {"bucket_name": "b"}}, "changed", ": obs_info"),
        (
            "updateTracker",
            {"management_event_selector": {"exclude_service": ["KMS", "IAM"]}},
            "changed",
            ": management_event_selector; without KMS, IAM",
        ),
        ("updateTracker", {"management_event_selector": []}, "changed", None),
        ("updateTracker", {f"a{'b' * 999}": 1, "bucket_name": "b"}, "changed", ": bucket_name"),
        (
            "updateTracker",
            {"management_event_selector": {"exclude_service": ["A" * 999, "IA\nM", 7]}},
            "changed",
            ": management_event_selector",
        ),
        ("updateTracker", "opaque", "changed", ""),
    ],
)
def test_a_call_on_a_tracker_changes_the_recording(
    name: str, request_body: object, change: str, detail: str | None
) -> None:
    found = fact(name, **TRACKER, resource_name="system", request=request_body)
    assert (type(found), found.recorder, found.change) == (RecordingChanged, "system", change)
    assert (found.outcome, found.why) == ("carried-out", None)
    assert detail is None or found.detail == f"{name}{detail}"


@pytest.mark.parametrize(
    ("fields", "recorder"),
    [
        ({"request": {"tracker_name": "data-1"}, "resource_name": "other"}, "data-1"),
        ({"resource_name": "data-1"}, "data-1"),
        ({"resource_id": "data-1"}, "data-1"),
        ({}, "system"),
    ],
)
def test_the_recorder_is_the_tracker_else_the_one_that_every_account_has(
    fields: dict[str, Any], recorder: str
) -> None:
    assert fact("deleteTracker", **TRACKER, **fields).recorder == recorder


def test_a_recording_has_the_region_that_was_called_or_none() -> None:
    assert fact("deleteTracker", **TRACKER, endpoint="cts.eu-de.example.com").region == "eu-de"
    assert fact("deleteTracker", **TRACKER).region is None


def test_a_refused_change_of_the_recording_says_so() -> None:
    found = fact("deleteTracker", **TRACKER, **REFUSED)
    assert (found.outcome, found.why) == ("refused", "deleteTracker: code 403")


@pytest.mark.parametrize("name", ["deleteAgency", "deleteAgencyV5"])
def test_the_deletion_of_the_agency_of_cts_is_also_a_change_of_the_recording(name: str) -> None:
    assert facts(name, **WITNESS) == [
        AgencyDeleted(agency="cts_admin_trust", agency_id="c1"),
        RecordingChanged(recorder="cts_admin_trust", change="deleted", detail=name),
    ]
    attempted, recording = facts(name, **WITNESS, **REFUSED)
    assert isinstance(attempted, AgencyDeletionAttempted)
    assert isinstance(recording, RecordingChanged)
    assert recording.outcome == "refused"


@pytest.mark.parametrize("name", ["deleteAgency", "deleteAgencyV5"])
def test_the_deletion_of_another_agency_leaves_the_recording_as_it_is(name: str) -> None:
    assert facts(name, **AGENCY) == [AgencyDeleted(agency="mesh", agency_id="a1")]
