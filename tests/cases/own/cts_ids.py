"""Huawei Cloud: calls that name agencies, policies and projects by ids, in any place and order."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Import, Rows
from tests.cases.records.cts import (
    by_name,
    create_agency,
    create_policy,
    in_scope,
    on_project,
    trace,
)

_AGENCY: Final = "a1c3e5000000000000000000000000a1"
_POLICY: Final = "b2d4f6000000000000000000000000b2"
_PROJECT: Final = "c3e5a7000000000000000000000000c3"
_SYSTEM: Final = "d4f6b8000000000000000000000000d4"
_OLGA, _PETR = "harbour/olga", "harbour/petr"
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
        name="20a-deleted-by-the-path-alone",
        kind="an agency whose end names its id in one place only",
        source="cts",
        records={
            "begin.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency="crane",
                    role="Tenant Guest",
                    project="cn-south-1",
                ),
            ],
            "end.json": [
                trace(
                    "deleteAgency",
                    "06-03T10:00:00",
                    by="petr",
                    resource_url=f"/v3.0/OS-AGENCY/agencies/{_AGENCY}",
                ),
            ],
        },
        steps=(
            Rows(
                says="it is deleted, by whom the trace tells",
                command="view agencies",
                columns="agency agency_id status since actor",
                rows=[("crane", _AGENCY, "deleted", "2025-06-03T10:00:00Z", _PETR)],
            ),
            Rows(
                says="its permission ended with it",
                command="view regions",
                columns="region agency policy status since",
                rows=[("cn-south-1", "crane", "Tenant Guest", "revoked", "2025-06-03T10:00:00Z")],
            ),
            Rows(
                says="the trail of its name has its end",
                command="audit trail --agency crane --event AgencyDeleted",
                columns="type",
                rows=[("AgencyDeleted",)],
            ),
        ),
    ),
    Case(
        name="20b-granted-before-its-name-is-known",
        kind="a grant by ids, whose names other traces tell later, or earlier, or never",
        source="cts",
        records={
            "grant.json": [_GRANT],
            "revoke.json": [
                by_name(
                    "unassignRoleToAgencyOnProject",
                    "06-03T10:00:00",
                    agency="crane",
                    role="dock only",
                    project="eu-nl",
                    request={"project": {"id": _PROJECT}},
                ),
            ],
            "create.json": [
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
            ],
        },
        steps=(
            Import("grant.json"),
            Rows(
                says="alone, the grant is shown under the ids",
                command="view regions",
                columns="region agency_id policy status since actor",
                rows=[(_PROJECT, _AGENCY, _POLICY, "granted", "2025-06-02T10:00:00Z", _PETR)],
            ),
            Import("create.json"),
            Rows(
                says="with the names it is shown by them",
                command="view regions",
                columns="region agency agency_id policy policy_id status since actor",
                only=f"policy!={_SYSTEM}",
                rows=[
                    (
                        "eu-nl",
                        "crane",
                        _AGENCY,
                        "dock only",
                        _POLICY,
                        "granted",
                        "2025-06-02T10:00:00Z",
                        _PETR,
                    )
                ],
            ),
            Rows(
                says="the policy that no trace names stays under its id",
                command="view regions",
                columns="region agency policy status",
                only=f"policy={_SYSTEM}",
                rows=[("eu-nl", "crane", _SYSTEM, "granted")],
            ),
            Import("revoke.json"),
            Rows(
                says="the revocation by names ends the grant by ids",
                command="view regions",
                columns="region agency policy status since actor note",
                only=f"policy!={_SYSTEM}",
                rows=[
                    ("eu-nl", "crane", "dock only", "revoked", "2025-06-03T10:00:00Z", _OLGA, "")
                ],
            ),
        ),
    ),
    Case(
        name="20c-never-named",
        kind="an agency that no trace ever names",
        source="cts",
        records={"t.json": [_GRANT]},
        steps=(
            Rows(
                says="the agency exists, under its id",
                command="view agencies",
                columns="agency_id status since note",
                rows=[(_AGENCY, "exists", "2025-06-02T10:00:00Z", "creation not seen")],
            ),
            Rows(
                says="nothing that changes what it may do is only counted",
                command="audit trail --event PermissionGranted",
                columns="type actor",
                rows=[("PermissionGranted", _PETR)],
            ),
        ),
    ),
    Case(
        name="51a-all-scopes-by-ids",
        kind="grants and revocations on the domain, on all projects and on projects, by ids",
        source="cts",
        records={
            "create.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                create_policy("dock only", _POLICY, "06-01T10:00:01"),
            ],
            "grant.json": [
                in_scope(
                    "updateAgencyInheritedGrants", "06-02T10:00:00", agency=_AGENCY, role=_POLICY
                ),
                in_scope("updateAgencyGrants", "06-02T10:01:00", agency=_AGENCY, role=_POLICY),
                in_scope(
                    "assignRoleToAgencyOnDomain", "06-02T10:02:00", agency=_AGENCY, role=_SYSTEM
                ),
                _GRANT,
            ],
            "revoke.json": [
                in_scope(
                    "deleteAgencyInheritedGrants",
                    "06-03T10:00:00",
                    agency=_AGENCY,
                    role=_POLICY,
                    by="petr",
                ),
                in_scope(
                    "unassignRoleToAgencyOnDomain",
                    "06-03T10:02:00",
                    agency=_AGENCY,
                    role=_SYSTEM,
                    by="petr",
                ),
            ],
        },
        steps=(
            Rows(
                says="each scope has its own permission",
                command="view regions",
                columns="region agency policy status since",
                rows=[
                    ("*", "crane", "dock only", "revoked", "2025-06-03T10:00:00Z"),
                    ("global", "crane", "dock only", "granted", "2025-06-02T10:01:00Z"),
                    ("global", "crane", _SYSTEM, "revoked", "2025-06-03T10:02:00Z"),
                    (_PROJECT, "crane", "dock only", "granted", "2025-06-02T10:00:00Z"),
                ],
            ),
            Rows(
                says="before the revocations all were granted",
                command="view regions --as-of 2025-06-02T12:00:00Z",
                columns="region status",
                rows=[
                    ("*", "granted"),
                    ("global", "granted"),
                    ("global", "granted"),
                    (_PROJECT, "granted"),
                ],
            ),
        ),
    ),
    Case(
        name="51b-version-5-attachments",
        kind="version 5: the agency's id in the body, the policy's id in the path",
        source="cts",
        records={
            "create.json": [
                trace(
                    "createAgencyV5",
                    "06-01T10:00:00",
                    resource_name="crane",
                    resource_id=_AGENCY,
                    request={
                        "agency_name": "crane",
                        "trust_policy": '{"Version":"5.0","Statement":[{"Effect":"Allow",'
                        '"Principal":{"Service":["service.CBR"]},'
                        '"Action":["sts:agencies:assume"]}]}',
                    },
                    response={"agency": {"agency_id": _AGENCY, "agency_name": "crane"}},
                ),
                trace(
                    "createPolicyV5",
                    "06-01T10:00:01",
                    resource_type="policy",
                    resource_name="dock only",
                    resource_id=_POLICY,
                    request={"policy_name": "dock only"},
                    response={"policy": {"policy_id": _POLICY, "policy_name": "dock only"}},
                ),
            ],
            "attach.json": [
                trace(
                    "attachAgencyPolicyV5",
                    "06-02T10:00:00",
                    resource_type="policy",
                    request={"agency_id": _AGENCY},
                    resource_url=f"/v5/policies/{_POLICY}/attach-agency",
                ),
                trace(
                    "attachAgencyPolicyV5",
                    "06-02T10:00:30",
                    resource_type="policy",
                    request=f'{{"agency_id":"{_AGENCY}"}}',
                    resource_url=f"/v5/policies/{_SYSTEM}/attach-agency",
                ),
            ],
            "detach.json": [
                trace(
                    "detachAgencyPolicyV5",
                    "06-03T10:00:00",
                    resource_type="policy",
                    request={"agency_id": _AGENCY},
                    by="petr",
                    resource_url=f"/v5/policies/{_SYSTEM}/detach-agency",
                ),
            ],
        },
        steps=(
            Rows(
                says="one is attached, the other was detached",
                command="view regions",
                columns="region agency policy status since actor",
                rows=[
                    ("*", "crane", "dock only", "granted", "2025-06-02T10:00:00Z", _OLGA),
                    ("*", "crane", _SYSTEM, "revoked", "2025-06-03T10:00:00Z", _PETR),
                ],
            ),
            Rows(
                says="the service is trusted, under its name in the catalogue",
                command="view trustees",
                columns="agency trustee",
                rows=[("crane", "service:cbr")],
            ),
        ),
    ),
)
