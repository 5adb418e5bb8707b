"""The things that a CTS trace names: each by its id alone, by its name alone, or by both."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.agency import AgencyDeleted
from ledger.account.permissions import PermissionGranted
from ledger.account.policy import PolicyDeleted
from ledger.account.project import ProjectDeleted
from tests.sources.cts.making import (
    AGENCY_ID,
    DOMAIN,
    ON_PROJECT,
    POLICY_ID,
    PROJECT_ID,
    fact,
    kept,
    under,
)

# Written out, and not taken from the code: each key is a promise.
AGENCY_NAMES = ["agency.name", "agency.agency_name", "agency_name", "agencyName"]
AGENCY_IDS = ["agency.id", "agency.agency_id", "agency_id", "agencyId"]
POLICY_NAMES = [
    "role.display_name",
    "display_name",
    "role_name",
    "roleName",
    "policy.policy_name",
    "policy_name",
    "policyName",
]
POLICY_IDS = ["role.id", "role_id", "roleId", "policy.policy_id", "policy_id", "policyId"]
PROJECT_NAMES = ["project.name", "project_name", "projectName", "region_id", "region"]
PROJECT_IDS = ["project.id", "project_id", "projectId"]

UUID = "11111111-2222-3333-4444-555555555555"
BODIES = pytest.mark.parametrize("body", ["request", "response"])
TYPES = pytest.mark.parametrize("kind", ["agency", "Agency", "serviceLinkedAgency"])


def path(url: str) -> dict[str, str]:
    return {"resource_url": url}


# -- agencies -------------------------------------------------------------------------------------


@BODIES
@pytest.mark.parametrize("key", AGENCY_NAMES)
def test_each_key_names_the_agency_alone(key: str, body: str) -> None:
    assert fact("deleteAgency", **{body: under(key, "mesh")}) == AgencyDeleted(agency="mesh")


@BODIES
@pytest.mark.parametrize("key", AGENCY_IDS)
def test_each_key_tells_the_agencys_id_alone(key: str, body: str) -> None:
    assert fact("deleteAgency", **{body: under(key, "a1")}) == AgencyDeleted(agency_id="a1")


@pytest.mark.parametrize(
    "url",
    [
        "/v3.0/OS-AGENCY/agencies/a1",
        "/v5/agencies/a1/trust-policy",
        "/v5/service-linked-agencies/a1",
        "https://iam.example.com/v5/agencies/a1?force=true",
        "/v5/agencies/a1#top",
    ],
)
def test_the_path_alone_tells_the_agencys_id(url: str) -> None:
    assert fact("deleteAgency", **path(url)) == AgencyDeleted(agency_id="a1")


@pytest.mark.parametrize("url", ["/v5/agencies", "/v5/agencies/", "/v5/agency/a1", "", None, 7])
def test_a_path_without_an_id_names_no_agency(url: Any) -> None:
    assert kept("deleteAgency", resource_url=url) == "IAM:deleteAgency"


@TYPES
@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (("a1", "mesh"), ("a1", "mesh")),
        (("a1", None), ("a1", None)),
        ((None, "mesh"), (None, "mesh")),
        (("a1", "a1"), ("a1", None)),  # Its id stands in the place of its name.
        ((AGENCY_ID, AGENCY_ID), (AGENCY_ID, None)),
        ((None, AGENCY_ID), (AGENCY_ID, None)),
        (("a1", UUID), ("a1", None)),
        ((None, UUID), (UUID, None)),
    ],
)
def test_the_resource_of_an_agencys_trace_is_the_agency(
    kind: str, resource: tuple[str | None, str | None], expected: tuple[str | None, str | None]
) -> None:
    fields = {"resource_type": kind, "resource_id": resource[0], "resource_name": resource[1]}
    found = fact("deleteAgency", **fields)
    assert (found.agency_id, found.agency) == expected


@pytest.mark.parametrize("kind", ["user", "cluster", "", None, "Policy", "roleAgencyProject"])
def test_the_resource_of_another_trace_is_not_the_agency_beside_one_that_is_named(
    kind: str | None,
) -> None:
    fields = {"resource_type": kind, "resource_id": "x1", "resource_name": "other"}
    found = fact("deleteAgency", **fields, request={"agency_name": "mesh"})
    assert found == AgencyDeleted(agency="mesh")


@pytest.mark.parametrize(
    "word", ["agencies", "service-linked-agencies", "roles", "policies", "projects", "domains"]
)
def test_an_id_in_the_path_is_not_the_name_of_the_resource(word: str) -> None:
    fields = {"resource_type": "agency", "resource_name": "x1", "resource_url": f"/v3/{word}/x1"}
    found = fact("deleteAgency", **fields, request={"agency_id": "a1"})
    assert found == AgencyDeleted(agency_id="a1")


def test_a_name_that_begins_like_an_id_is_a_name() -> None:
    for name in (f"{AGENCY_ID}-x", f"x{AGENCY_ID}", AGENCY_ID[:-1], AGENCY_ID.upper()):
        fields = {"resource_type": "agency", "resource_name": name}
        assert fact("deleteAgency", **fields) == AgencyDeleted(agency=name)


def test_a_name_in_the_place_of_the_id_is_not_an_id() -> None:
    fields = {"resource_type": "agency", "resource_id": "mesh"}
    found = fact("deleteAgency", **fields, request={"agency_name": "mesh"})
    assert found == AgencyDeleted(agency="mesh")


def test_an_id_under_the_key_of_a_name_is_an_id() -> None:
    found = fact("deleteAgency", request={"agency_name": AGENCY_ID})
    assert found == AgencyDeleted(agency_id=AGENCY_ID)


def test_ids_and_names_in_different_places_are_one_agencys() -> None:
    found = fact("deleteAgency", request={"agency_name": "mesh"}, **path("/v5/agencies/a1"))
    assert found == AgencyDeleted(agency="mesh", agency_id="a1")


@pytest.mark.parametrize(
    "resource",
    [
        {"resource_id": "p1", "resource_name": "p1"},
        {"resource_name": "p1"},
        {"resource_id": "p1", "resource_name": "mesh wide"},
    ],
)
def test_the_policy_of_an_attachment_is_not_its_agency(resource: dict[str, str]) -> None:
    fields = {"resource_type": "agency", "resource_url": "/v5/policies/p1/attach-agency"} | resource
    asked = {"policy_name": "mesh wide"}
    name = "attachAgencyPolicyV5"
    assert kept(name, **fields, request=asked) == f"IAM:{name}"
    found = fact(name, **fields, request=asked | {"agency_id": "a1"})
    assert (found.agency_id, found.agency, found.policy_id) == ("a1", None, "p1")


# -- what stands in the resource of a grant is not documented --------------------------------------


@pytest.mark.parametrize(
    ("resource", "agency", "place"),
    [
        # Beside ids in the path only the name of a project is taken.
        ({"resource_id": AGENCY_ID, "resource_name": "mesh"}, None, None),
        ({"resource_id": AGENCY_ID, "resource_name": "cn-north-4"}, None, "cn-north-4"),
        ({"resource_id": AGENCY_ID, "resource_name": "eu-de_payments"}, None, "eu-de_payments"),
        ({"resource_id": AGENCY_ID, "resource_name": AGENCY_ID}, None, None),
        ({"resource_id": PROJECT_ID, "resource_name": PROJECT_ID}, None, None),
        ({"resource_id": PROJECT_ID, "resource_name": "ru-moscow"}, None, "ru-moscow"),
        ({"resource_id": PROJECT_ID, "resource_name": "of-a-new-kind"}, None, "of-a-new-kind"),
        ({"resource_id": POLICY_ID, "resource_name": "cn-north-4"}, None, "cn-north-4"),
        ({}, None, None),
    ],
)
def test_a_grant_by_ids_alone_has_the_ids_of_its_path(
    resource: dict[str, str], agency: str | None, place: str | None
) -> None:
    found = fact("assignRoleToAgencyOnProject", **ON_PROJECT, **resource)
    assert found == PermissionGranted(
        agency=agency,
        agency_id=AGENCY_ID,
        region=place,
        project_id=PROJECT_ID,
        policy_id=POLICY_ID,
    )


def test_a_grant_tells_the_name_of_its_role_beside_the_roles_id() -> None:
    resource = {"resource_id": POLICY_ID, "resource_name": "Tenant Guest"}
    found = fact("assignRoleToAgencyOnProject", **ON_PROJECT, **resource)
    assert (found.policy_id, found.policy, found.region) == (POLICY_ID, "Tenant Guest", None)
    generated = {"role": {"name": "Tenant Guest"}}
    found = fact("assignRoleToAgencyOnProject", **ON_PROJECT, **resource, response=generated)
    assert (found.policy_id, found.policy) == (POLICY_ID, None)
    resource["resource_name"] = f"custom_{POLICY_ID}_0"
    found = fact("assignRoleToAgencyOnProject", **ON_PROJECT, **resource)
    assert (found.policy_id, found.policy) == (POLICY_ID, None)


@pytest.mark.parametrize(
    ("resource", "agency_id", "agency"),
    [
        ({"resource_id": "a1", "resource_name": "mesh"}, "a1", "mesh"),
        ({"resource_id": "a1"}, "a1", None),
        ({"resource_name": "mesh"}, None, "mesh"),
        ({"resource_id": "a1", "resource_name": "eu-nl"}, "a1", None),
        ({"resource_id": "r1", "resource_name": "mesh"}, None, "mesh"),
        ({"resource_id": "j1", "resource_name": "mesh"}, None, "mesh"),
        ({"resource_id": DOMAIN, "resource_name": "mesh"}, None, "mesh"),
        ({"resource_id": "a1", "resource_name": "Tenant Guest"}, "a1", None),
    ],
)
def test_a_grant_that_names_its_agency_nowhere_else_is_of_the_resource_that_is_nothing_else(
    resource: dict[str, str], agency_id: str | None, agency: str | None
) -> None:
    asked = {"role_id": "r1", "role_name": "Tenant Guest", "project_id": "j1", "region": "eu-nl"}
    kind = "roleAgencyProject"
    found = fact("assignRoleToAgencyOnProject", resource_type=kind, request=asked, **resource)
    assert (found.agency_id, found.agency) == (agency_id, agency)
    assert (found.region, found.project_id) == ("eu-nl", "j1")


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"resource_id": "r1"},
        {"resource_name": "eu-nl"},
        {"resource_id": "r1", "resource_name": "j1"},
    ],
)
def test_only_a_grant_that_tells_neither_id_nor_name_of_its_agency_is_kept_as_it_is(
    resource: dict[str, str],
) -> None:
    asked = {"role_id": "r1", "project_id": "j1"}
    kind = "roleAgencyProject"
    name = "assignRoleToAgencyOnProject"
    assert kept(name, resource_type=kind, request=asked, **resource) == f"IAM:{name}"


# -- policies -------------------------------------------------------------------------------------


@BODIES
@pytest.mark.parametrize("key", POLICY_NAMES)
def test_each_key_names_the_policy_alone(key: str, body: str) -> None:
    found = fact("deleteRole", **{body: under(key, "mesh wide")})
    assert found == PolicyDeleted(policy="mesh wide")


@BODIES
@pytest.mark.parametrize("key", POLICY_IDS)
def test_each_key_tells_the_policys_id_alone(key: str, body: str) -> None:
    assert fact("deleteRole", **{body: under(key, "p1")}) == PolicyDeleted(policy_id="p1")


@pytest.mark.parametrize("url", ["/v3.0/OS-ROLE/roles/p1", "/v5/policies/p1/versions/v2"])
def test_the_path_alone_tells_the_policys_id(url: str) -> None:
    assert fact("deletePolicyV5", **path(url)) == PolicyDeleted(policy_id="p1")


@pytest.mark.parametrize("kind", ["Policy", "policy", "role"])
def test_the_resource_of_a_policys_trace_is_the_policy(kind: str) -> None:
    fields = {"resource_type": kind, "resource_id": "p1", "resource_name": "mesh wide"}
    assert fact("deleteRole", **fields) == PolicyDeleted(policy="mesh wide", policy_id="p1")
    fields["resource_name"] = "p1"
    assert fact("deleteRole", **fields) == PolicyDeleted(policy_id="p1")


def test_the_resource_of_another_trace_is_not_the_policy() -> None:
    fields = {"resource_type": "agency", "resource_id": "x1", "resource_name": "other"}
    assert kept("deleteRole", **fields) == "IAM:deleteRole"


def test_the_generated_name_of_a_role_counts_only_without_any_other() -> None:
    generated = {"role": {"name": "custom_p1_0"}}
    assert fact("deleteRole", response=generated) == PolicyDeleted(policy="custom_p1_0")
    fields = {"resource_type": "Policy", "resource_name": "custom_p1_0", "resource_id": "p1"}
    assert fact("deleteRole", **fields, response=generated) == PolicyDeleted(policy_id="p1")
    fields["resource_name"] = "mesh wide"
    found = fact("deleteRole", **fields, response=generated)
    assert found == PolicyDeleted(policy="mesh wide", policy_id="p1")


def test_a_policys_name_in_the_place_of_its_id_is_not_an_id() -> None:
    fields = {"resource_type": "Policy", "resource_id": "mesh wide"}
    found = fact("deleteRole", **fields, request={"role": {"display_name": "mesh wide"}})
    assert found == PolicyDeleted(policy="mesh wide")


# -- projects -------------------------------------------------------------------------------------


@BODIES
@pytest.mark.parametrize("key", PROJECT_NAMES)
def test_each_key_names_the_project_alone(key: str, body: str) -> None:
    found = fact("deleteProject", **{body: under(key, "anything")})
    assert found == ProjectDeleted(region="anything")


@BODIES
@pytest.mark.parametrize("key", PROJECT_IDS)
def test_each_key_tells_the_projects_id_alone(key: str, body: str) -> None:
    assert fact("deleteProject", **{body: under(key, "j1")}) == ProjectDeleted(project_id="j1")


@pytest.mark.parametrize(
    ("part", "region", "identity"),
    [
        ("0123abcd", None, "0123abcd"),
        (PROJECT_ID, None, PROJECT_ID),
        ("eu-west-101", "eu-west-101", None),
        ("MOS", "MOS", None),
    ],
)
def test_the_path_alone_tells_the_project(
    part: str, region: str | None, identity: str | None
) -> None:
    found = fact("deleteProject", **path(f"/v3/projects/{part}"))
    assert found == ProjectDeleted(region=region, project_id=identity)


def test_the_name_under_a_key_comes_before_the_one_in_the_path() -> None:
    found = fact("deleteProject", **path("/v3/projects/eu-de"), request={"project_name": "eu-de_a"})
    assert found == ProjectDeleted(region="eu-de_a")


def test_the_resource_of_a_projects_trace_is_the_project() -> None:
    fields = {"resource_type": "project", "resource_id": "j1", "resource_name": "eu-de_a"}
    assert fact("deleteProject", **fields) == ProjectDeleted(region="eu-de_a", project_id="j1")
    fields["resource_type"] = "user"
    assert kept("deleteProject", **fields) == "IAM:deleteProject"


def test_the_project_that_the_caller_was_in_is_not_the_project_of_the_call() -> None:
    found = fact("assignRoleToAgencyOnProject", **ON_PROJECT, project_id="of-the-call")
    assert found.project_id == PROJECT_ID
