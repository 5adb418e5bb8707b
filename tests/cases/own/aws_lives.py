"""AWS: which role existed when, and what its end proves."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows
from tests.cases.records.aws import (
    HOME,
    PARTNER,
    POWER,
    assume,
    create_policy,
    create_role,
    on_role,
    record,
    role_arn,
    trusting,
    user,
)

_TASK: Final = "task/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch/7c1"


def _linked(identity: str, at: str) -> dict[str, object]:
    answer = {
        "roleName": "AWSServiceRoleForBatch",
        "roleId": identity,
        "path": "/aws-service-role/batch.amazonaws.com/",
    }
    return {
        **record(
            "CreateServiceLinkedRole",
            at,
            {"aWSServiceName": "batch.amazonaws.com"},
            response={"role": answer},
        ),
    }


_ASKED: Final = on_role(
    "DeleteServiceLinkedRole",
    "AWSServiceRoleForBatch",
    "06-05T10:00:00",
    response={"deletionTaskId": _TASK},
)
_IN_FORCE: Final = "status!=deleted"

CASES: Final = (
    Case(
        name="02a-three-of-one-name",
        kind="a role that is made three times under one name, with inline and managed policies",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("bake", "AROABAKE1", "06-01T10:00:00"),
                on_role("PutRolePolicy", "bake", "06-01T10:01:00", policy="oven"),
                on_role("DeleteRolePolicy", "bake", "06-01T11:00:00", policy="oven", by="erik"),
                on_role("DeleteRole", "bake", "06-01T11:00:05"),
                create_role("bake", "AROABAKE2", "06-02T10:00:00", trust=trusting(account=PARTNER)),
                on_role("AttachRolePolicy", "bake", "06-02T10:01:00", policy=POWER),
                on_role("DeleteRole", "bake", "06-02T11:00:00"),
                create_role("bake", "AROABAKE3", "06-03T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="the third exists",
                command="view agencies",
                columns="agency_id status since",
                only=_IN_FORCE,
                rows=[("AROABAKE3", "exists", "2025-06-03T10:00:00Z")],
            ),
            Rows(
                says="each permission is of its own role, and ended with or before it",
                command="view regions",
                columns="agency_id policy status since actor note",
                rows=[
                    ("AROABAKE1", "oven", "revoked", "2025-06-01T11:00:00Z", user("erik"), ""),
                    ("AROABAKE2", POWER, "revoked", "2025-06-02T11:00:00Z", "", "end not seen"),
                ],
            ),
            Rows(
                says="in the second one's time only its permission is granted",
                command="view regions --as-of 2025-06-02T10:30:00Z",
                columns="agency_id policy",
                only="status=granted",
                rows=[("AROABAKE2", POWER)],
            ),
            Rows(
                says="and only its trustee is trusted",
                command="view trustees --as-of 2025-06-02T10:30:00Z",
                columns="agency_id trustee",
                only="status!=ended",
                rows=[("AROABAKE2", f"account:{PARTNER}")],
            ),
            Rows(
                says="between the second and the third there is none",
                command="view agencies --as-of 2025-06-02T12:00:00Z",
                columns="agency_id",
                only="status=exists",
            ),
        ),
    ),
    Case(
        name="05a-asked-for-and-nothing-after",
        kind="a deletion by a task; no trace tells when the task ended",
        source="cloudtrail",
        records={"t.json": [_linked("AROABATCH1", "06-01T10:00:00"), _ASKED]},
        steps=(
            Rows(
                says="its deletion was asked for; it counts neither as existing nor as deleted",
                command="view agencies",
                columns="agency agency_id status since",
                rows=[
                    (
                        "AWSServiceRoleForBatch",
                        "AROABATCH1",
                        "deletion asked for",
                        "2025-06-05T10:00:00Z",
                    )
                ],
            ),
        ),
    ),
    Case(
        name="05b-made-again",
        kind="a deletion by a task, whose end the next creation proves, in any order",
        source="cloudtrail",
        records={
            "a.json": [
                _linked("AROABATCH1", "06-01T10:00:00"),
                _linked("AROABATCH2", "06-09T10:00:00"),
            ],
            "b.json": [_ASKED],
        },
        steps=(
            Rows(
                says="the second exists, the first does not",
                command="view agencies",
                columns="agency_id status",
                only="status=exists",
                rows=[("AROABATCH2", "exists")],
            ),
            Rows(
                says="in between, the deletion of the first was asked for",
                command="view agencies --as-of 2025-06-07",
                columns="agency_id status",
                rows=[("AROABATCH1", "deletion asked for")],
            ),
        ),
    ),
    Case(
        name="18a-trust-changed-then-ended",
        kind="a trust that changes, and ends with its role, whose deletion arrives first",
        source="cloudtrail",
        records={
            "end.json": [on_role("DeleteRole", "guest", "06-04T10:00:00", by="erik")],
            "change.json": [
                on_role(
                    "UpdateAssumeRolePolicy",
                    "guest",
                    "06-02T10:00:00",
                    request={"policyDocument": trusting(account=PARTNER)},
                ),
            ],
            "begin.json": [create_role("guest", "AROAGUEST", "06-01T10:00:00")],
        },
        steps=(
            Rows(
                says="nobody is trusted through it any more",
                command="view trustees",
                columns="trustee",
                only="status!=ended",
            ),
            Rows(
                says="first the service was trusted",
                command="view trustees --as-of 2025-06-01T12:00:00Z",
                columns="trustee since",
                rows=[("service:ec2.amazonaws.com", "2025-06-01T10:00:00Z")],
            ),
            Rows(
                says="then the partner",
                command="view trustees --as-of 2025-06-03",
                columns="trustee since",
                rows=[(f"account:{PARTNER}", "2025-06-02T10:00:00Z")],
            ),
        ),
    ),
    Case(
        name="31a-proven-by-use-alone",
        kind="a role of which only the use was seen, after a deletion",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("echo", "AROAECHO", "06-01T10:00:00"),
                on_role("DeleteRole", "echo", "06-02T10:00:00"),
                assume(role_arn("echo"), "06-20T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="a role of that name exists; its creation was not seen",
                command="view agencies",
                columns="agency status since note",
                only=_IN_FORCE,
                rows=[("echo", "exists", "2025-06-20T10:00:00Z", "creation not seen")],
            ),
            Rows(
                says="the old trust is not the new role's",
                command="view trustees",
                columns="trustee",
                only="status!=ended",
            ),
        ),
    ),
    Case(
        name="31b-older-than-the-trail",
        kind="a role whose first trace is a change of its trust; nothing is said of earlier",
        source="cloudtrail",
        records={
            "t.json": [
                on_role(
                    "UpdateAssumeRolePolicy",
                    "elder",
                    "06-01T10:00:00",
                    request={"policyDocument": trusting("lambda.amazonaws.com")},
                ),
                on_role("DetachRolePolicy", "elder", "06-02T10:00:00", policy=POWER, by="erik"),
            ],
        },
        steps=(
            Rows(
                says="it exists, its creation was not seen",
                command="view agencies",
                columns="agency status since actor note",
                rows=[("elder", "exists", "2025-06-01T10:00:00Z", "", "creation not seen")],
            ),
            Rows(
                says="the policy was detached; its attachment was not seen",
                command="view regions",
                columns="policy status since actor note",
                rows=[(POWER, "revoked", "2025-06-02T10:00:00Z", user("erik"), "grant not seen")],
            ),
            Rows(
                says="before, whether it was attached is not known",
                command="view regions --as-of 2025-06-01T12:00:00Z",
                columns="policy",
                only="status=granted",
            ),
            Rows(
                says="the trust is the one that was set",
                command="view trustees",
                columns="trustee since",
                rows=[("service:lambda.amazonaws.com", "2025-06-01T10:00:00Z")],
            ),
        ),
    ),
    Case(
        name="17a-policy-deleted-and-its-detachment-lost",
        kind="a policy that is deleted, which needs it detached; made again; never attached again",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("weave", "AROAWEAVE", "06-01T10:00:00"),
                create_policy("weave", "ANPAWEAVE1", "06-01T10:00:01"),
                on_role(
                    "AttachRolePolicy",
                    "weave",
                    "06-01T10:01:00",
                    policy=f"arn:aws:iam::{HOME}:policy/weave",
                ),
                record(
                    "DeletePolicy",
                    "06-02T10:00:00",
                    {"policyArn": f"arn:aws:iam::{HOME}:policy/weave"},
                ),
                create_policy("weave", "ANPAWEAVE2", "06-03T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="nothing is granted; the detachment was not seen",
                command="view regions",
                columns="policy_id status since actor note",
                rows=[("ANPAWEAVE1", "revoked", "2025-06-02T10:00:00Z", "", "end not seen")],
            ),
            Rows(
                says="the second policy exists",
                command="view policies",
                columns="policy_id status",
                only=_IN_FORCE,
                rows=[("ANPAWEAVE2", "exists")],
            ),
        ),
    ),
)
