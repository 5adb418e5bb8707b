"""Creations, changes and deletions of projects in CTS's traces."""

from __future__ import annotations

import pytest

from ledger.account.project import ProjectChanged, ProjectCreated, ProjectDeleted
from tests.sources.cts.making import PROJECT, REFUSED, fact, kept

CALLS = ["createProject", "updateProject", "updateProjectStatus", "deleteProject"]
BY_ID = {"resource_url": "/v3/projects/j1"}


def test_a_creation_tells_the_name_and_the_id() -> None:
    asked, answer = {"project": {"name": "eu-de_a"}}, {"project": {"id": "j1", "name": "eu-de_a"}}
    expected = ProjectCreated(region="eu-de_a", project_id="j1")
    assert fact("createProject", request=asked, response=answer) == expected
    assert fact("createProject", **PROJECT) == expected
    assert fact("createProject", request=asked) == ProjectCreated(region="eu-de_a")


def test_a_creation_without_a_name_is_a_change_of_its_id() -> None:
    found = fact("createProject", **BY_ID)
    assert found == ProjectChanged(project_id="j1", detail="createProject")


@pytest.mark.parametrize("name", ["updateProject", "updateProjectStatus"])
def test_a_changed_project_has_its_name_after_the_change(name: str) -> None:
    asked = {"project": {"name": "eu-de_b"}}
    expected = ProjectChanged(region="eu-de_b", project_id="j1", detail=name)
    assert fact(name, **PROJECT, request=asked) == expected
    assert fact(name, **BY_ID, request=asked) == expected
    assert fact(name, **BY_ID) == ProjectChanged(project_id="j1", detail=name)


def test_a_deletion_tells_what_it_knows_of_the_project() -> None:
    assert fact("deleteProject", **PROJECT) == ProjectDeleted(region="eu-de_a", project_id="j1")
    assert fact("deleteProject", **BY_ID) == ProjectDeleted(project_id="j1")


@pytest.mark.parametrize("name", CALLS)
def test_a_refused_call_changes_no_project(name: str) -> None:
    for fields in (PROJECT, BY_ID):
        assert kept(name, **fields, **REFUSED) == f"IAM:{name}"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_only_a_trace_that_tells_neither_id_nor_name_is_kept_as_it_is(
    name: str, outcome: dict[str, str]
) -> None:
    assert kept(name, **outcome) == f"IAM:{name}"
