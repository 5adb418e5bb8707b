"""Huawei Cloud: ends that are told by ids, and things that are made again under a name."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows
from tests.cases.records.cts import (
    DOMAIN,
    by_name,
    create_agency,
    create_policy,
    delete_agency,
    delete_policy,
    on_project,
    trace,
)

_AGENCY: Final = "a1c3e5000000000000000000000000a1"
_POLICY: Final = "b2d4f6000000000000000000000000b2"
_PROJECT: Final = "c3e5a7000000000000000000000000c3"
_SYSTEM: Final = "d4f6b8000000000000000000000000d4"
_OLGA: Final = "harbour/olga"
_GRANT: Final = on_project(
    "assignRoleToAgencyOnProject",
    "06-02T10:00:00",
    agency=_AGENCY,
    role=_POLICY,
    project=_PROJECT,
    by="petr",
)

CASES: Final = (
    Case(
        name="21a-renamed-twice-and-deleted-by-its-id",
        kind="a policy that is renamed twice, granted under two names, deleted by its id",
        source="cts",
        records={
            "t.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                create_agency("winch", "a1c3e5000000000000000000000000a9", "06-01T10:00:01"),
                create_policy("lift one", _POLICY, "06-01T10:00:02"),
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency="crane",
                    role="lift one",
                    project="cn-north-9",
                ),
                trace(
                    "updateRole",
                    "06-02T10:00:00",
                    resource_type="Policy",
                    resource_name="lift two",
                    resource_id=_POLICY,
                    request={"role": {"display_name": "lift two"}},
                ),
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-02T10:01:00",
                    agency="winch",
                    role="lift two",
                    project="cn-north-9",
                ),
                trace(
                    "updateRole",
                    "06-03T10:00:00",
                    resource_type="Policy",
                    resource_name="lift three",
                    resource_id=_POLICY,
                    request={"role": {"display_name": "lift three"}},
                ),
                delete_policy(_POLICY, "06-04T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="it is one policy, deleted under its last name",
                command="view policies",
                columns="policy policy_id status since",
                rows=[("lift three", _POLICY, "deleted", "2025-06-04T10:00:00Z")],
            ),
            Rows(
                says="both permissions ended with it",
                command="view regions",
                columns="agency policy_id status since",
                rows=[
                    (agency, _POLICY, "revoked", "2025-06-04T10:00:00Z")
                    for agency in ("crane", "winch")
                ],
            ),
            Rows(
                says="before, both were granted, each since its own grant",
                command="view regions --as-of 2025-06-03T12:00:00Z",
                columns="agency status since",
                rows=[
                    ("crane", "granted", "2025-06-01T10:01:00Z"),
                    ("winch", "granted", "2025-06-02T10:01:00Z"),
                ],
            ),
        ),
    ),
    Case(
        name="21b-the-old-name-is-given-to-another",
        kind="a policy whose old name another policy gets; a grant by that name is on the other",
        source="cts",
        records={
            "t.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                create_policy("hoist", _POLICY, "06-01T10:00:02"),
                trace(
                    "updateRole",
                    "06-02T10:00:00",
                    resource_type="Policy",
                    resource_name="hoist old",
                    resource_id=_POLICY,
                    request={"role": {"display_name": "hoist old"}},
                ),
                create_policy("hoist", _SYSTEM, "06-03T10:00:00"),
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-04T10:00:00",
                    agency="crane",
                    role="hoist",
                    project="sa-brazil-1",
                ),
                delete_policy(_POLICY, "06-05T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="the deletion of the first ends nothing of the second",
                command="view regions",
                columns="agency policy policy_id status",
                rows=[("crane", "hoist", _SYSTEM, "granted")],
            ),
            Rows(
                says="the second policy exists",
                command="view policies",
                columns="policy policy_id",
                only="status=exists",
                rows=[("hoist", _SYSTEM)],
            ),
        ),
    ),
    Case(
        name="52a-the-account-by-its-id-and-by-its-name",
        kind="a trusted account that is told by its name, and later by its id",
        source="cts",
        records={
            "t.json": [
                create_agency(
                    "crane",
                    _AGENCY,
                    "06-01T10:00:00",
                    answer={"trust_domain_id": "0b22220000000000000000000000bb22"},
                ),
                trace(
                    "updateAgency",
                    "06-02T10:00:00",
                    resource_name="crane",
                    resource_id=_AGENCY,
                    request={"agency": {"description": "lifts"}},
                    response={
                        "agency": {
                            "id": _AGENCY,
                            "name": "crane",
                            "trust_domain_id": "0b22220000000000000000000000bb22",
                        }
                    },
                ),
            ],
        },
        steps=(
            Rows(
                says="it is one trustee, since the creation",
                command="view trustees",
                columns="agency since actor",
                rows=[("crane", "2025-06-01T10:00:00Z", _OLGA)],
            ),
            Rows(
                says="a change of the description does not change the trust",
                command="audit trail --event AgencyTrustChanged",
                columns="type",
            ),
        ),
    ),
    Case(
        name="52b-recreated-and-ended-by-id",
        kind="an agency that is made again under its name; the end of the first arrives by its id",
        source="cts",
        records={
            "second.json": [create_agency("crane", _SYSTEM, "06-05T10:00:00")],
            "grants.json": [_GRANT],
            "first.json": [create_agency("crane", _AGENCY, "06-01T10:00:00")],
            "end.json": [delete_agency(_AGENCY, "06-04T10:00:00", by="petr")],
        },
        steps=(
            Rows(
                says="the second exists",
                command="view agencies",
                columns="agency agency_id status",
                only="status!=deleted",
                rows=[("crane", _SYSTEM, "exists")],
            ),
            Rows(
                says="the permission was the first one's, and ended with it",
                command="view regions",
                columns="agency agency_id status since",
                rows=[("crane", _AGENCY, "revoked", "2025-06-04T10:00:00Z")],
            ),
        ),
    ),
    Case(
        name="52c-a-project-is-deleted",
        kind="permissions on a project that is deleted",
        source="cts",
        records={
            "t.json": [
                trace(
                    "createProject",
                    "06-01T09:00:00",
                    resource_type="project",
                    resource_name="cn-north-4_dock",
                    resource_id=_PROJECT,
                    request={"project": {"name": "cn-north-4_dock", "domain_id": DOMAIN}},
                    response={"project": {"id": _PROJECT, "name": "cn-north-4_dock"}},
                ),
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                _GRANT,
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-02T10:05:00",
                    agency="crane",
                    role="Tenant Guest",
                    project="cn-north-4",
                ),
                trace(
                    "deleteProject",
                    "06-03T10:00:00",
                    resource_type="project",
                    resource_name=_PROJECT,
                    resource_id=_PROJECT,
                    resource_url=f"/v3/projects/{_PROJECT}",
                    by="petr",
                ),
            ],
        },
        steps=(
            Rows(
                says="the permission on it ended, the one on the region's main project did not",
                command="view regions",
                columns="region agency status since",
                rows=[
                    ("cn-north-4_dock", "crane", "revoked", "2025-06-03T10:00:00Z"),
                    ("cn-north-4", "crane", "granted", "2025-06-02T10:05:00Z"),
                ],
            ),
            Rows(
                says="before, it was granted",
                command="view regions --as-of 2025-06-02T12:00:00Z",
                columns="region status",
                rows=[("cn-north-4_dock", "granted"), ("cn-north-4", "granted")],
            ),
        ),
    ),
    Case(
        name="52d-refused-by-ids",
        kind="attempts that name what they are about by ids only",
        source="cts",
        records={
            "create.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                create_policy("dock only", _POLICY, "06-01T10:00:01"),
            ],
            "refused.json": [
                delete_agency(_AGENCY, "06-02T10:00:00", trace_rating="warning", by="petr"),
                delete_policy(_POLICY, "06-02T10:01:00", trace_rating="warning", by="petr"),
            ],
        },
        steps=(
            Rows(
                says="each is one refused attempt, and says on what",
                command="view attempts",
                columns="agency policy refused carried_out",
                rows=[("crane", "", 1, 0), ("", "dock only", 1, 0)],
            ),
            Rows(
                says="the trail of the agency has the attempt",
                command="audit trail --agency crane --outcome refused",
                columns="type",
                rows=[("AgencyDeletionAttempted",)],
            ),
            Rows(
                says="both exist",
                command="view policies",
                columns="policy policy_id status",
                rows=[("dock only", _POLICY, "exists")],
            ),
        ),
    ),
    Case(
        name="52e-explained-by-ids",
        kind="a question why about a name, of which some changes were told by the id",
        source="cts",
        records={
            "t.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                create_policy("dock only", _POLICY, "06-01T10:00:01"),
                on_project(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency=_AGENCY,
                    role=_SYSTEM,
                    project=_PROJECT,
                    resource_name="eu-nl",
                ),
                _GRANT,
            ],
        },
        steps=(
            Rows(
                says="the agency's name finds all its changes",
                command=f"audit why --agency crane --account {DOMAIN}",
                columns="event effective_at",
                rows=[
                    ("AgencyCreated", "2025-06-01T10:00:00Z"),
                    ("PermissionGranted", "2025-06-01T10:01:00Z"),
                    ("PermissionGranted", "2025-06-02T10:00:00Z"),
                ],
            ),
            Rows(
                says="the policy's name finds its creation and its grant",
                command=f"audit why --policy 'dock only' --account {DOMAIN}",
                columns="event effective_at",
                rows=[
                    ("PermissionGranted", "2025-06-02T10:00:00Z"),
                    ("PolicyCreated", "2025-06-01T10:00:01Z"),
                ],
            ),
            Rows(
                says="the region finds both grants",
                command=f"audit why --region eu-nl --account {DOMAIN}",
                columns="event effective_at",
                rows=[
                    ("PermissionGranted", "2025-06-01T10:01:00Z"),
                    ("PermissionGranted", "2025-06-02T10:00:00Z"),
                ],
            ),
        ),
    ),
)
