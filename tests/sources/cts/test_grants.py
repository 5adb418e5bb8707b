"""Grants and revocations of an agency's permissions in CTS's traces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from tests.sources.cts.making import (
    AGENCY,
    AGENCY_ID,
    DOMAIN,
    ON_PROJECT,
    POLICY_ID,
    PROJECT_ID,
    REFUSED,
    fact,
    facts,
    kept,
    observed,
)
from tests.sources.reading import ledger

GRANTED, REVOKED = PermissionGranted, PermissionRevoked
ON_PROJECTS = [
    ("assignRoleToAgencyOnProject", GRANTED),
    ("unassignRoleToAgencyOnProject", REVOKED),
]
BY_TRACE = [
    ("assignRoleToAgencyOnDomain", GRANTED, "global"),
    ("unassignRoleToAgencyOnDomain", REVOKED, "global"),
    ("updateAgencyGrants", GRANTED, "global"),
    ("deleteAgencyGrants", REVOKED, "global"),
    ("updateAgencyInheritedGrants", GRANTED, "*"),
    ("deleteAgencyInheritedGrants", REVOKED, "*"),
    ("attachAgencyPolicyV5", GRANTED, "*"),
    ("detachAgencyPolicyV5", REVOKED, "*"),
]
ON_ENTERPRISE_PROJECTS = [
    ("assignRoleToAgencyOnEnterpriseProject", GRANTED),
    ("unassignRoleToAgencyOnEnterpriseProject", REVOKED),
    ("associateRoleToAgencyOnEnterpriseProject", GRANTED),
    ("revokeRoleFromAgencyOnEnterpriseProject", REVOKED),
]
OF_UNKNOWN_SCOPE = ["updateAgencyAssignsByRole", "updateagenciesRolesByConsole"]


def grant(**fields: Any) -> Any:
    body = {"agency_name": "mesh", "role_name": "Tenant Guest"}
    return fact("assignRoleToAgencyOnProject", request=body, **fields)


@pytest.mark.parametrize(
    "name",
    [
        *("cn-north-4", "cn-north-4_a", "eu-de", "eu-nl_b", "eu-ch2", "MOS", "ru-moscow"),
        *("ru-moscow-1", "na-mexico-1", "my-kualalumpur-1", "ae-ad-1", "la-north-2", "tr-west-1"),
        *("eu-west-0", "ap-southeast-3", "cn-southwest-2", "cn-north-4_pay.2-é", "ru-moscow_x"),
    ],
)
def test_a_sub_project_is_a_region_of_its_own(name: str) -> None:
    assert grant(resource_type="roleAgencyProject", resource_name=name).region == name
    assert grant(resource_url=f"/v3.0/OS-AGENCY/projects/{name}/x").region == name


@pytest.mark.parametrize(
    "name", ["mesh", "ci-deploy", "my-agency", "mos", "eu-de-x", "xeu-de", "a", "cn-north-٤"]
)
def test_the_name_of_something_else_is_not_a_region(name: str) -> None:
    changed = grant(resource_type="roleAgencyProject", resource_name=name)
    assert isinstance(changed, PermissionsChanged)
    assert changed.region is None


def test_a_project_that_is_named_by_its_key_may_have_any_name() -> None:
    body = {"agency_name": "mesh", "role_name": "r", "project_name": "of-a-new-kind"}
    assert fact("assignRoleToAgencyOnProject", request=body).region == "of-a-new-kind"


@pytest.mark.parametrize(("name", "event"), ON_PROJECTS)
def test_a_grant_by_ids_alone_is_a_fact_by_ids_alone(name: str, event: type) -> None:
    ids = {"agency_id": AGENCY_ID, "project_id": PROJECT_ID, "policy_id": POLICY_ID}
    assert fact(name, **ON_PROJECT) == event(**ids)


@pytest.mark.parametrize(("name", "event"), ON_PROJECTS)
def test_a_grant_by_names_alone_is_a_fact_by_names_alone(name: str, event: type) -> None:
    body = {"agency_name": "mesh", "project_name": "eu-de", "role_name": "Tenant Guest"}
    names = {"agency": "mesh", "region": "eu-de", "policy": "Tenant Guest"}
    assert fact(name, request=body) == event(**names)


@pytest.mark.parametrize(("name", "event"), ON_PROJECTS)
def test_a_grant_by_ids_and_names_is_a_fact_by_both(name: str, event: type) -> None:
    role = {"id": POLICY_ID, "display_name": "Tenant Guest"}
    body = {"agency_name": "mesh", "project_name": "eu-de", "role": role}
    assert fact(name, **ON_PROJECT, request=body) == event(
        agency="mesh",
        agency_id=AGENCY_ID,
        region="eu-de",
        project_id=PROJECT_ID,
        policy="Tenant Guest",
        policy_id=POLICY_ID,
    )


@pytest.mark.parametrize(("name", "event", "region"), BY_TRACE)
def test_each_scope_of_a_grant_has_its_region(name: str, event: type, region: str) -> None:
    found = fact(name, **AGENCY, request={"role_name": "Tenant Guest"})
    expected = {"agency": "mesh", "agency_id": "a1", "region": region, "policy": "Tenant Guest"}
    assert found == event(**expected)


@pytest.mark.parametrize(("name", "event", "region"), BY_TRACE)
def test_each_scope_of_a_grant_by_ids_has_its_region(name: str, event: type, region: str) -> None:
    url = f"/v3.0/OS-AGENCY/domains/{DOMAIN}/agencies/a1/roles/r1"
    found = fact(name, resource_url=url)
    assert found == event(agency_id="a1", region=region, policy_id="r1")


@pytest.mark.parametrize("name", [name for name, *_ in [*BY_TRACE, *ON_PROJECTS]])
def test_a_path_tells_more_exactly_than_the_traces_name_where_a_grant_holds(name: str) -> None:
    inherited = f"/v3.0/OS-INHERIT/domains/{DOMAIN}/agencies/a1/roles/r1/inherited_to_projects"
    found = fact(name, resource_url=inherited)
    assert (found.region, found.project_id) == ("*", None)
    found = fact(name, **ON_PROJECT)
    assert (found.region, found.project_id) == (None, PROJECT_ID)


def test_a_policy_is_attached_by_the_path_and_the_agencys_id() -> None:
    url = "/v5/policies/p1/attach-agency"
    found = fact("attachAgencyPolicyV5", resource_url=url, request={"agency_id": "a1"})
    assert found == PermissionGranted(agency_id="a1", region="*", policy_id="p1")


def enterprise_project(identity: str) -> dict[str, str]:
    """Its place has a word of its own; the id alone was recorded by older versions."""
    return {"region": f"enterprise-project/{identity}", "project_id": identity}


@pytest.mark.parametrize(("name", "event"), ON_ENTERPRISE_PROJECTS)
def test_a_grant_on_enterprise_projects_lists_ids_of_agencies_projects_and_roles(
    name: str, event: type
) -> None:
    listed = [
        {"agency_id": "a1", "enterprise_project_id": "0", "role_id": "r1"},
        {"agency_id": "a2", "enterprise_project_id": "e2", "role_id": "r2"},
    ]
    assert facts(name, request={"role_assignments": listed}) == [
        event(agency_id="a1", **enterprise_project("0"), policy_id="r1"),
        event(agency_id="a2", **enterprise_project("e2"), policy_id="r2"),
    ]
    del listed[0]["agency_id"]
    (found,) = facts(name, request={"role_assignments": listed})
    assert found == event(agency_id="a2", **enterprise_project("e2"), policy_id="r2")
    (first, _) = facts(name, request={"role_assignments": listed}, **AGENCY)
    assert first == event(agency="mesh", agency_id="a1", **enterprise_project("0"), policy_id="r1")


def test_each_role_that_a_grant_lists_is_a_fact() -> None:
    listed = [
        {"id": "r1", "display_name": "One"},
        {"role_id": "r2"},
        {"role_name": "Three"},
        {"id": "r4", "name": "generated_4"},
        {"name": "Five"},
        "Six",
        POLICY_ID,
        '{"id": "r8"}',
        {"id": "r1", "display_name": "One"},
    ]
    for body in ("request", "response"):
        found: list[Any] = facts(
            "updateAgencyInheritedGrants", **AGENCY, **{body: {"roles": listed}}
        )
        assert [(each.policy_id, each.policy) for each in found] == [
            ("r1", "One"),
            ("r2", None),
            (None, "Three"),
            ("r4", None),
            (None, "Five"),
            (None, "Six"),
            (POLICY_ID, None),
            ("r8", None),
        ]
        assert {(type(each), each.agency, each.region) for each in found} == {
            (GRANTED, "mesh", "*")
        }


def test_a_listed_role_that_is_not_named_is_a_change_beside_the_grants() -> None:
    found = facts("updateAgencyGrants", **AGENCY, request={"roles": [{"id": "r1"}, {}, 7]})
    assert [type(each) for each in found] == [PermissionGranted, PermissionsChanged]


@pytest.mark.parametrize("roles", [[], {}, None, "", 7])
def test_a_grant_whose_list_is_empty_is_of_the_role_that_it_names(roles: object) -> None:
    found = fact("updateAgencyGrants", **AGENCY, request={"roles": roles, "role_id": "r1"})
    assert (type(found), found.policy_id) == (PermissionGranted, "r1")
    answered = {"roles": roles}
    found = fact("updateAgencyGrants", **AGENCY, request={"role_id": "r1"}, response=answered)
    assert (type(found), found.policy_id) == (PermissionGranted, "r1")


@pytest.mark.parametrize("listed", [[], {}, None, "opaque", {"agency_id": "a1"}])
def test_a_grant_that_lists_no_assignments_is_of_what_it_names(listed: object) -> None:
    asked = {"role_assignments": listed, "role_id": "r1", "project_id": "j1"}
    found = fact("assignRoleToAgencyOnEnterpriseProject", **AGENCY, request=asked)
    assert found == PermissionGranted(
        agency="mesh", agency_id="a1", project_id="j1", policy_id="r1"
    )


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, "project not named, role not named"),
        ({"request": {"role_id": "r1"}}, "project not named"),
        ({"request": {"project_id": "j1"}}, "role not named"),
        ({"request": "opaque"}, "project not named, role not named"),
    ],
)
def test_a_grant_that_does_not_say_what_or_where_is_a_change_and_says_what_is_missing(
    fields: dict[str, Any], missing: str
) -> None:
    name = "assignRoleToAgencyOnProject"
    changed = fact(name, resource_url="/v3/agencies/a1", **fields)
    assert isinstance(changed, PermissionsChanged)
    assert changed.detail == f"{name}: {missing}"
    asked = fields.get("request")
    known = asked if isinstance(asked, dict) else {}
    assert changed.agency_id == "a1"
    assert (changed.policy_id, changed.project_id) == (
        known.get("role_id"),
        known.get("project_id"),
    )


def test_a_grant_whose_role_is_unreadable_is_still_a_fact() -> None:
    changed = fact("updateAgencyInheritedGrants", **AGENCY, request="opaque")
    assert changed == PermissionsChanged(
        agency="mesh",
        agency_id="a1",
        region="*",
        detail="updateAgencyInheritedGrants: role not named",
    )


@pytest.mark.parametrize("name", OF_UNKNOWN_SCOPE)
def test_a_trace_that_only_says_that_something_changed_is_a_change(name: str) -> None:
    changed = fact(name, **AGENCY, request={"role_name": "Tenant Guest", "project_id": "j1"})
    assert changed == PermissionsChanged(
        agency="mesh", agency_id="a1", policy="Tenant Guest", project_id="j1", detail=name
    )
    assert fact(name, resource_url="/v3/agencies/a1") == PermissionsChanged(
        agency_id="a1", detail=name
    )


@pytest.mark.parametrize("name", OF_UNKNOWN_SCOPE)
def test_a_change_of_several_agencies_is_a_fact_of_each(name: str) -> None:
    listed = [
        {"id": "a1", "name": "mesh"},
        {"agency_id": "a2"},
        {"agency_name": "three"},
        "four",
        {},
    ]
    found: list[Any] = facts(name, request={"agencies": [*listed, AGENCY_ID]})
    assert [(each.agency_id, each.agency) for each in found] == [
        ("a1", "mesh"),
        ("a2", None),
        (None, "three"),
        (None, "four"),
        (AGENCY_ID, None),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(name for name, *_ in [*ON_PROJECTS, *BY_TRACE, *ON_ENTERPRISE_PROJECTS]),
        *OF_UNKNOWN_SCOPE,
    ],
)
def test_a_grant_that_names_no_agency_is_kept_as_it_is(name: str) -> None:
    asked = {"role_id": "r1", "role_assignments": [{"role_id": "r1"}]}
    assert kept(name, request=asked) == f"IAM:{name}"


def test_a_refused_grant_is_an_attempt() -> None:
    refused = grant(
        trace_rating="warning",
        response={"error": {"code": 403, "message": "lin may not do that"}},
    )
    assert refused == PermissionChangeRefused(
        agency="mesh",
        policy="Tenant Guest",
        why="assignRoleToAgencyOnProject: (somebody) may not do that",
    )


def test_a_refused_grant_by_ids_is_an_attempt_by_ids() -> None:
    assert fact(
        "unassignRoleToAgencyOnProject", **ON_PROJECT, **REFUSED
    ) == PermissionChangeRefused(
        agency_id=AGENCY_ID,
        project_id=PROJECT_ID,
        policy_id=POLICY_ID,
        why="unassignRoleToAgencyOnProject: code 403",
    )


def test_a_refused_grant_names_its_only_role_and_none_of_several() -> None:
    name = "updateAgencyInheritedGrants"
    one = fact(name, **AGENCY, **REFUSED, request={"roles": [{"id": "r1"}]})
    assert (one.policy_id, one.region) == ("r1", "*")
    several = fact(name, **AGENCY, **REFUSED, request={"roles": [{"id": "r1"}, {"id": "r2"}]})
    assert (several.policy_id, several.policy, several.region) == (None, None, "*")


def test_a_refused_grant_on_several_projects_is_an_attempt_on_each() -> None:
    listed = [
        {"agency_id": agency, "enterprise_project_id": project, "role_id": role}
        for agency, project, role in (("a1", "e1", "r1"), ("a1", "e1", "r2"), ("a1", "e2", "r1"))
    ]
    found: list[Any] = facts(
        "assignRoleToAgencyOnEnterpriseProject", **REFUSED, request={"role_assignments": listed}
    )
    assert [(each.agency_id, each.project_id, each.policy_id) for each in found] == [
        ("a1", "e1", None),
        ("a1", "e2", "r1"),
    ]


def test_a_grant_that_an_older_version_recorded_is_revoked_by_a_new_trace(tmp_path: Path) -> None:
    """It recorded the id of the enterprise project alone."""
    listed = [{"agency_id": "a1", "enterprise_project_id": "0", "role_id": "r1"}]
    asked = {"request": {"role_assignments": listed}}
    granted = observed("associateRoleToAgencyOnEnterpriseProject", **asked)
    older = replace(
        granted, events=(PermissionGranted(agency_id="a1", project_id="0", policy_id="r1"),)
    )
    revoked = observed(
        "revokeRoleFromAgencyOnEnterpriseProject", **asked, trace_id="t-2", time=1770100001000
    )
    with ledger(tmp_path) as opened:
        opened.observe([older])
        account = opened.account("huaweicloud", DOMAIN)
        assert len(account.open_permissions("a1")) == 1
        opened.observe([revoked])
        assert opened.account("huaweicloud", DOMAIN).open_permissions("a1") == ()
