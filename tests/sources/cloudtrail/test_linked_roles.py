"""Service-linked roles of AWS: made by their service's name, deleted by a task."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.agency import (
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyDeletionFailed,
    AgencyDeletionRequested,
)
from tests.sources.cloudtrail.making import (
    Record,
    call,
    counted,
    fact,
    observed,
    record,
    refused,
)

LINKED = "AWSServiceRoleForExample"
TASK = f"task/aws-service-role/example.amazonaws.com/{LINKED}/0f1e2d3c-0000-4000-8000-000000000001"
OMITTED = {"omitted": True}


def test_the_deletion_of_a_service_linked_role_is_only_asked_for() -> None:
    said = call("DeleteServiceLinkedRole", roleName=LINKED)
    said |= {"responseElements": {"deletionTaskId": TASK}}
    assert fact(said) == AgencyDeletionRequested(agency=LINKED, detail=TASK, task=TASK)


def test_a_refused_creation_of_a_service_linked_role_is_an_attempt_on_the_named_role() -> None:
    message = f"Service role name {LINKED}_1 has been taken in this account, please try another."
    found = fact(
        refused("CreateServiceLinkedRole", message, aWSServiceName="example.amazonaws.com")
    )
    assert (type(found), found.agency) == (AgencyCreationRefused, f"{LINKED}_1")


def status(status: str | None, task: str | None = TASK, **fields: Any) -> Record:
    answer = {"status": status, "reason": {"reason": "in use by example"}}
    request = {"deletionTaskId": task}
    name = "GetServiceLinkedRoleDeletionStatus"
    return record(name, requestParameters=request, responseElements=answer, readOnly=True) | fields


def test_a_deletion_task_that_succeeded_proves_that_the_role_ended() -> None:
    found = observed(status("SUCCEEDED"))
    assert found.events == (AgencyDeleted(agency=LINKED, task=TASK),)
    assert (found.actor, found.correlation_id) == (None, None)  # Anybody may ask for the status.


def test_a_deletion_task_that_failed_is_an_attempt_and_leaves_the_role() -> None:
    found = observed(status("FAILED"))
    assert found.actor is None
    why = "GetServiceLinkedRoleDeletionStatus: FAILED: in use by example"
    assert found.events == (
        AgencyDeletionAttempted(agency=LINKED, outcome="refused", why=why),
        AgencyDeletionFailed(agency=LINKED, why=why, task=TASK),
    )
    found = observed(status("FAILED", responseElements={"status": "FAILED"}))
    assert found.events[0].why.endswith(": FAILED")  # type: ignore[attr-defined]


def test_the_result_of_a_deletion_task_is_one_fact_however_often_it_is_asked_for() -> None:
    first, second = (observed(status("SUCCEEDED", eventID=each)) for each in ("e-1", "e-2"))
    assert first.command_id == second.command_id
    other = observed(status("SUCCEEDED", TASK.replace("0001", "0002")))
    assert other.command_id != first.command_id


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (status("IN_PROGRESS"), "end not told"),
        (status("NOT_STARTED"), "end not told"),
        (status(None), "end not told"),
        (status("SUCCEEDED", responseElements=None), "end not told"),
        (status("SUCCEEDED", errorCode="NoSuchEntity"), "end not told"),
        (status("SUCCEEDED", None), "role not named"),
        (status("SUCCEEDED", "task/aws-service-role/example.amazonaws.com/x/1"), "role not named"),
        (status("SUCCEEDED", f"task/other/example.amazonaws.com/{LINKED}/1"), "role not named"),
        (status("SUCCEEDED", requestParameters=OMITTED), "request omitted: too long"),
    ],
)
def test_a_status_that_proves_no_end_is_counted_with_the_reason(said: Record, reason: str) -> None:
    assert counted(said) == f"iam:GetServiceLinkedRoleDeletionStatus ({reason})"
