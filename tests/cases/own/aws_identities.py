"""AWS: one thing is one row, and one call is one fact."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows
from tests.cases.records.aws import (
    HOME,
    POWER,
    READ_ONLY,
    assume,
    create_policy,
    create_role,
    on_role,
    record,
    refused,
    role_arn,
    user,
)

CASES: Final = (
    Case(
        name="04a-inline-policy-in-another-case",
        kind="names that the cloud does not tell apart by case; the creation was not seen",
        source="cloudtrail",
        records={
            "t.json": [
                on_role("PutRolePolicy", "Nightly-Copy", "06-01T10:00:00", policy="copy"),
                on_role("DeleteRolePolicy", "NIGHTLY-COPY", "06-02T10:00:00", policy="copy"),
                assume(role_arn("nightly-copy"), "06-03T10:00:00"),
                on_role("DeleteRole", "nightly-Copy", "06-04T10:00:00", by="erik"),
            ],
        },
        steps=(
            Rows(
                says="it is one role, which was deleted",
                command="view agencies",
                columns="status since actor",
                rows=[("deleted", "2025-06-04T10:00:00Z", user("erik"))],
            ),
            Rows(
                says="its permission is one",
                command="view regions",
                columns="policy status since note",
                rows=[("copy", "revoked", "2025-06-02T10:00:00Z", "")],
            ),
            Rows(
                says="before its deletion it existed, its creation was not seen",
                command="view agencies --as-of 2025-06-03T12:00:00Z",
                columns="status since note",
                rows=[("exists", "2025-06-01T10:00:00Z", "creation not seen")],
            ),
        ),
    ),
    Case(
        name="04b-recreated-in-another-case",
        kind="a role that is made again under its name in another case",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("Loader", "AROALOADER1", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "loader", "06-01T10:01:00", policy=POWER),
                on_role("DetachRolePolicy", "LOADER", "06-02T10:00:00", policy=POWER),
                on_role("DeleteRole", "Loader", "06-02T10:00:01"),
                create_role("loader", "AROALOADER2", "06-03T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="the second role exists, and has nothing",
                command="view agencies",
                columns="agency agency_id status",
                only="status!=deleted",
                rows=[("loader", "AROALOADER2", "exists")],
            ),
            Rows(
                says="the first one's permission was revoked by the detachment",
                command="view regions",
                columns="agency_id status since note",
                rows=[("AROALOADER1", "revoked", "2025-06-02T10:00:00Z", "")],
            ),
        ),
    ),
    Case(
        name="14a-paths-of-roles-and-policies",
        kind="a role and a policy with paths, which only their ARNs have",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("sort", "AROASORT", "06-01T10:00:00", path="/service-role/eu/"),
                create_policy("sort", "ANPASORT", "06-01T10:00:00", path="/teams/a/"),
                on_role(
                    "AttachRolePolicy",
                    "sort",
                    "06-01T10:01:00",
                    policy=f"arn:aws:iam::{HOME}:policy/teams/a/sort",
                ),
                assume(role_arn("sort", path="/service-role/eu/"), "06-01T10:02:00"),
                record(
                    "DeletePolicy",
                    "06-01T10:03:00",
                    {"policyArn": f"arn:aws:iam::{HOME}:policy/teams/a/sort"},
                    errorCode="DeleteConflictException",
                    errorMessage="attached",
                ),
            ],
        },
        steps=(
            Rows(
                says="it is one role",
                command="view agencies",
                columns="agency agency_id status",
                rows=[("sort", "AROASORT", "exists")],
            ),
            Rows(
                says="its use is counted under its name",
                command="view usage",
                columns="agency credentials_issued",
                rows=[("sort", 1)],
            ),
            Rows(
                says="the policy is the one that was made",
                command="view regions",
                columns="agency_id policy policy_id status",
                rows=[
                    ("AROASORT", f"arn:aws:iam::{HOME}:policy/teams/a/sort", "ANPASORT", "granted")
                ],
            ),
        ),
    ),
    Case(
        name="37a-the-other-partitions",
        kind="ARNs of all partitions, of roles with and without a path, and of policies",
        source="cloudtrail",
        records={
            "t.json": [
                assume(
                    role_arn("ship", partition=partition, path=path),
                    f"06-01T10:00:0{second}",
                    region=region,
                )
                for second, (partition, path, region) in enumerate(
                    (
                        ("aws-iso", "/", "us-iso-east-1"),
                        ("aws-iso-b", "/deep/er/", "us-isob-east-1"),
                        ("aws-eusc", "/", "eusc-de-east-1"),
                        ("aws-cn", "/", "cn-northwest-1"),
                    )
                )
            ],
        },
        steps=(
            Rows(
                says="the role is found in each, in the region of the call",
                command="view usage",
                columns="agency region credentials_issued",
                rows=[
                    ("ship", region, 1)
                    for region in (
                        "us-iso-east-1",
                        "us-isob-east-1",
                        "eusc-de-east-1",
                        "cn-northwest-1",
                    )
                ],
            ),
        ),
    ),
    Case(
        name="41a-refused-changes",
        kind="calls that were refused, before and after successful ones",
        source="cloudtrail",
        records={
            "first.json": [
                on_role(
                    "PutRolePolicy",
                    "packer",
                    "06-01T09:00:00",
                    policy="all",
                    errorCode="NoSuchEntityException",
                    errorMessage="no role packer",
                ),
                create_role("packer", "AROAPACK", "06-01T10:00:00"),
                refused(
                    create_role("packer", "", "06-01T10:00:30"), "EntityAlreadyExistsException"
                ),
            ],
            "second.json": [
                on_role("AttachRolePolicy", "packer", "06-01T10:01:00", policy=READ_ONLY),
                on_role(
                    "DetachRolePolicy",
                    "packer",
                    "06-01T10:02:00",
                    policy=READ_ONLY,
                    errorCode="AccessDenied",
                ),
                on_role(
                    "UpdateAssumeRolePolicy",
                    "packer",
                    "06-01T10:03:00",
                    request={"policyDocument": "{"},
                    errorCode="MalformedPolicyDocument",
                ),
            ],
        },
        steps=(
            Rows(
                says="the refused revocation ended nothing, and the refused grant gave nothing",
                command="view regions",
                columns="policy status since",
                rows=[(READ_ONLY, "granted", "2025-06-01T10:01:00Z")],
            ),
            Rows(
                says="the role exists since its creation",
                command="view agencies",
                columns="agency agency_id status since note",
                rows=[("packer", "AROAPACK", "exists", "2025-06-01T10:00:00Z", "")],
            ),
            Rows(
                says="the trust is the one that was set",
                command="view trustees",
                columns="trustee since",
                rows=[("service:ec2.amazonaws.com", "2025-06-01T10:00:00Z")],
            ),
            Rows(
                says="all four refusals are in the trail",
                command="audit trail --outcome refused",
                columns="agency",
                rows=[("packer",)] * 4,
            ),
        ),
    ),
)
