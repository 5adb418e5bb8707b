"""Deletions of agencies in CTS's traces: at once, asked for, refused and failed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.agency import (
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyDeletionFailed,
    AgencyDeletionRequested,
)
from tests.sources.cts.making import (
    AGENCY,
    BY_ID,
    DELETIONS,
    DOMAIN,
    REFUSED,
    fact,
    facts,
)


@pytest.mark.parametrize("name", DELETIONS)
def test_a_deletion_tells_what_it_knows_of_the_agency(name: str) -> None:
    assert fact(name, **AGENCY) == AgencyDeleted(agency="mesh", agency_id="a1")
    assert fact(name, **BY_ID) == AgencyDeleted(agency_id="a1")


@pytest.mark.parametrize("name", [*DELETIONS, "deleteServiceLinkedAgencyV5"])
def test_a_refused_deletion_is_an_attempt_and_deletes_nothing(name: str) -> None:
    assert fact(name, **AGENCY, **REFUSED) == AgencyDeletionAttempted(
        agency="mesh", agency_id="a1", outcome="refused", why=f"{name}: code 403"
    )
    assert fact(name, **BY_ID, **REFUSED).agency_id == "a1"


@pytest.mark.parametrize(
    ("response", "detail", "task"),
    [
        ({"deletion_task_id": "dt1"}, ": task dt1", "dt1"),
        ({"deletion_task_id": "dt1", "status": "in_progress"}, ": task dt1", "dt1"),
        ("", "", None),
    ],
)
def test_the_deletion_of_a_service_linked_agency_is_only_asked_for(
    response: Any, detail: str, task: str | None
) -> None:
    name = "deleteServiceLinkedAgencyV5"
    url = {"resource_url": "/v5/service-linked-agencies/a1"}
    asked = {"agency_id": "a1", "detail": f"{name}{detail}", "task": task}
    assert fact(name, **url, response=response) == AgencyDeletionRequested.model_validate(asked)
    asked["agency"] = "mesh"
    assert fact(name, **AGENCY, response=response) == AgencyDeletionRequested.model_validate(asked)


def test_the_end_of_a_deletion_task_is_the_deletion_or_its_failure() -> None:
    name = "deleteServiceLinkedAgencyV5"
    task = {"deletion_task_id": "dt1"}
    assert fact(name, **AGENCY, response={"status": "succeeded"} | task) == AgencyDeleted(
        agency="mesh", agency_id="a1", task="dt1"
    )
    failed = facts(name, **AGENCY, response={"status": "FAILED", "message": "in use"} | task)
    why = f"{name}: in use"
    assert failed == [
        AgencyDeletionAttempted(agency="mesh", agency_id="a1", outcome="refused", why=why),
        AgencyDeletionFailed(agency="mesh", agency_id="a1", why=why, task="dt1"),
    ]


def test_a_deletion_that_was_accepted_and_then_failed_is_one_attempt_and_deletes_nothing() -> None:
    name = "deleteServiceLinkedAgencyV5"
    accepted = fact(name, **AGENCY, response={"deletion_task_id": "dt1"})
    ended = {"user": None, "domain_id": DOMAIN, "trace_rating": "warning", "trace_id": "t-2"}
    attempt, failure = facts(
        name, **AGENCY, **ended, response={"error_msg": "in use in cn-north-4"}
    )
    assert type(accepted) is AgencyDeletionRequested
    assert isinstance(attempt, AgencyDeletionAttempted)
    assert isinstance(failure, AgencyDeletionFailed)
    assert attempt.why == failure.why == f"{name}: in use in cn-north-4"


@pytest.mark.parametrize("code", ["401", "403", "404"])
def test_a_caller_without_rights_does_not_end_the_task_that_another_one_began(code: str) -> None:
    refused = facts(
        "deleteServiceLinkedAgencyV5", **AGENCY, trace_rating="warning", code=code, response={}
    )
    assert [type(event) for event in refused] == [AgencyDeletionAttempted]
