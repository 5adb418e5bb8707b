"""Creations, changes and deletions of roles and policies in CTS's traces."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.permissions import PermissionChangeRefused
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from tests.sources.cts.making import POLICY, REFUSED, fact, kept

CREATIONS = ["createRole", "createPolicyV5"]
CHANGES = [
    "updateRole",
    "createPolicyVersionV5",
    "setDefaultPolicyVersionV5",
    "deletePolicyVersionV5",
]
DELETIONS = ["deleteRole", "deletePolicyV5"]
BY_ID = {"resource_url": "/v3.0/OS-ROLE/roles/p1"}


@pytest.mark.parametrize("name", CREATIONS)
def test_a_creation_tells_the_name_and_the_id(name: str) -> None:
    assert fact(name, **POLICY) == PolicyCreated(policy="mesh wide", policy_id="p1")
    asked, answer = {"role": {"display_name": "mesh wide"}}, {"role": {"id": "p1", "name": "c_0"}}
    found = fact(name, request=asked, response=answer)
    assert found == PolicyCreated(policy="mesh wide", policy_id="p1")
    v5 = {"policy": {"policy_id": "p1", "policy_name": "w"}}
    found = fact(name, request={"policy_name": "w"}, response=v5)
    assert found == PolicyCreated(policy="w", policy_id="p1")


@pytest.mark.parametrize("name", CREATIONS)
def test_a_creation_without_a_name_is_a_change_of_its_id(name: str) -> None:
    assert fact(name, **BY_ID) == PolicyChanged(
        policy_id="p1", detail=f"{name}: the trace does not tell its name"
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_tells_what_it_knows_of_the_policy(name: str) -> None:
    found = fact(name, **POLICY)
    assert (type(found), found.policy, found.policy_id) == (PolicyChanged, "mesh wide", "p1")
    found = fact(name, **BY_ID)
    assert (type(found), found.policy, found.policy_id) == (PolicyChanged, None, "p1")
    assert found.detail.startswith(name)


def test_a_changed_policy_has_its_name_after_the_change() -> None:
    asked = {"role": {"display_name": "mesh narrow"}}
    for fields in (POLICY, BY_ID):
        found = fact("updateRole", **fields, request=asked)
        assert found == PolicyChanged(policy="mesh narrow", policy_id="p1", detail="updateRole")


@pytest.mark.parametrize(
    ("role", "content"),
    [
        ({"description": "for the mesh"}, "unchanged"),
        ({"description": "for the mesh", "display_name": "mesh wide"}, None),
        ({"description": "for the mesh", "policy": None}, None),
        ({"description": "for the mesh", "policy": "******"}, None),
        ({}, None),
    ],
)
def test_an_update_of_the_description_alone_leaves_the_document_as_it_was(
    role: dict[str, object], content: str | None
) -> None:
    found = fact("updateRole", **POLICY, request={"role": role})
    assert (found.content, found.document) == (content, None)


V5 = "/v5/policies/p1/versions"
IN_FORCE = "in force from now on"


@pytest.mark.parametrize(
    ("name", "fields", "version", "in_force"),
    [
        (
            "createPolicyVersionV5",
            {"response": {"policy_version": {"version_id": "v3"}}},
            "v3",
            None,
        ),
        (
            "createPolicyVersionV5",
            {"request": {"set_as_default": True, "version_id": "v3"}},
            "v3",
            True,
        ),
        (
            "createPolicyVersionV5",
            {"response": {"policy_version": {"version_id": "v3", "is_default": False}}},
            "v3",
            False,
        ),
        ("createPolicyVersionV5", {"request": {"set_as_default": "true"}}, None, True),
        ("createPolicyVersionV5", {"request": {"set_as_default": False}}, None, False),
        ("setDefaultPolicyVersionV5", {"resource_url": f"{V5}/v2/set-default"}, "v2", True),
        ("SETDEFAULTPOLICYVERSIONV5", {"resource_url": f"{V5}/v2"}, "v2", True),
        ("deletePolicyVersionV5", {"resource_url": f"{V5}/v1"}, "v1", False),
    ],
)
def test_a_change_tells_the_version_and_whether_it_is_in_force(
    name: str, fields: dict[str, Any], version: str | None, in_force: bool | None
) -> None:
    words = (name, version, IN_FORCE if in_force else None)
    assert fact(name, **{"resource_url": V5, **fields}) == PolicyChanged(
        policy_id="p1",
        detail=" ".join(word for word in words if word),
        document_version=version,
        in_force=in_force,
    )


@pytest.mark.parametrize("name", [*CREATIONS, *CHANGES])
def test_a_refused_change_is_an_attempt_and_changes_nothing(name: str) -> None:
    why = f"{name}: code 403"
    refused = fact(name, **POLICY, **REFUSED)
    assert refused == PermissionChangeRefused(policy="mesh wide", policy_id="p1", why=why)
    assert fact(name, **BY_ID, **REFUSED) == PermissionChangeRefused(policy_id="p1", why=why)


@pytest.mark.parametrize("name", DELETIONS)
def test_a_deletion_tells_what_it_knows_of_the_policy(name: str) -> None:
    assert fact(name, **POLICY) == PolicyDeleted(policy="mesh wide", policy_id="p1")
    assert fact(name, **BY_ID) == PolicyDeleted(policy_id="p1")


@pytest.mark.parametrize("name", DELETIONS)
def test_a_refused_deletion_is_an_attempt_and_ends_nothing(name: str) -> None:
    assert fact(name, **POLICY, **REFUSED) == PolicyDeletionAttempted(
        policy="mesh wide", policy_id="p1", outcome="refused", why=f"{name}: code 403"
    )
    assert fact(name, **BY_ID, **REFUSED).policy_id == "p1"


@pytest.mark.parametrize("name", [*CREATIONS, *CHANGES, *DELETIONS])
@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_only_a_trace_that_tells_neither_id_nor_name_is_kept_as_it_is(
    name: str, outcome: dict[str, str]
) -> None:
    assert kept(name, **outcome) == f"IAM:{name}"
