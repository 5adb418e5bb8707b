"""Both clouds: policies that are changed in place, versions set back, trusts and boundaries."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.cases.case import Case, Record, Rows, Text
from tests.cases.records.aws import create_role, on_role, trusting, user
from tests.cases.records.cts import create_agency, create_policy, on_project, trace

_AGENCY: Final = "a1c3e5000000000000000000000000a1"
_POLICY: Final = "b2d4f6000000000000000000000000b2"
_V5: Final = "f1a2b3000000000000000000000000f5"
_PROJECT: Final = "c3e5a7000000000000000000000000c3"
_READS: Final = {"Effect": "Allow", "Action": ["obs:object:GetObject"]}
_WRITES: Final = {"Effect": "Allow", "Action": ["obs:*:*"]}


def _document(*statements: Any) -> dict[str, Any]:
    return {"Version": "1.1", "Statement": list(statements)}


def _update(at: str, body: Any, **more: Any) -> Record:
    return trace(
        "updateRole",
        at,
        resource_type="Policy",
        resource_name="stow",
        resource_id=_POLICY,
        request={"role": {"display_name": "stow", "type": "XA", **body}},
        **more,
    )


def _v5(name: str, at: str, path: str = "", **more: Any) -> Record:
    return trace(
        name,
        at,
        resource_type="policy",
        resource_name="hoist",
        resource_id=_V5,
        resource_url=f"/v5/policies/{_V5}{path}",
        **more,
    )


def _put(at: str, *statements: Any, **more: Any) -> Record:
    request = {"policyDocument": json.dumps(_document(*statements))} if statements else {}
    return on_role("PutRolePolicy", "tug", at, policy="pull", request=request, **more)


CASES: Final = (
    Case(
        name="33a-custom-policy-changed-in-place",
        kind="a custom policy that is widened in place, and then changed without its text",
        source="cts",
        records={
            "t.json": [
                create_agency("crane", _AGENCY, "06-01T10:00:00"),
                {
                    **create_policy("stow", _POLICY, "06-01T10:00:10"),
                    "request": {"role": {"display_name": "stow", "policy": _document(_READS)}},
                },
                on_project(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency=_AGENCY,
                    role=_POLICY,
                    project=_PROJECT,
                ),
                _update("06-05T10:00:00", {"policy": _document(_READS, _WRITES)}, by="petr"),
                _update("06-09T10:00:00", {}, by="petr"),
            ],
        },
        steps=(
            Text(
                says="the difference has the statement that was added, and by whom",
                command="audit diff 2025-06-02 2025-06-06",
                has=('+ {"Action":["obs:*:*"],"Effect":"Allow"}', "2025-06-05T10:00:00Z", "petr"),
                never=("Nothing changed", '- {"Action"'),
            ),
            Text(
                says="a change of which the trace has no text is a change",
                command="audit diff 2025-06-06 2025-06-10",
                has=("content not told", "2025-06-09T10:00:00Z"),
                never=("Nothing changed",),
            ),
            Rows(
                says="what is in force now is not known, and the policy exists since its creation",
                command="view policies",
                columns="policy status since document document_since",
                rows=[("stow", "exists", "2025-06-01T10:00:10Z", "", "2025-06-09T10:00:00Z")],
            ),
            Rows(
                says="the agency's answer names the changes of its policy",
                command="audit why --agency crane",
                columns="event effective_at",
                only="event=PolicyChanged",
                rows=[
                    ("PolicyChanged", "2025-06-05T10:00:00Z"),
                    ("PolicyChanged", "2025-06-09T10:00:00Z"),
                ],
            ),
        ),
    ),
    Case(
        name="33b-default-version-set-back",
        kind="a policy with versions whose first one is set back in force",
        source="cts",
        records={
            "t.json": [
                _v5(
                    "createPolicyV5",
                    "06-01T10:00:00",
                    request={
                        "policy_name": "hoist",
                        "policy_document": json.dumps(_document(_READS)),
                    },
                    response={
                        "policy": {
                            "policy_id": _V5,
                            "policy_name": "hoist",
                            "default_version_id": "v1",
                        }
                    },
                ),
                _v5(
                    "createPolicyVersionV5",
                    "06-03T10:00:00",
                    "/versions",
                    request={
                        "policy_document": json.dumps(_document(_WRITES)),
                        "set_as_default": False,
                    },
                    response={"policy_version": {"version_id": "v2", "is_default": False}},
                ),
                _v5("setDefaultPolicyVersionV5", "06-05T10:00:00", "/versions/v2/set-default"),
                _v5(
                    "setDefaultPolicyVersionV5",
                    "06-07T10:00:00",
                    "/versions/v1/set-default",
                    by="petr",
                ),
            ],
        },
        steps=(
            Text(
                says="a version that is not in force is named, and makes no difference",
                command="audit diff 2025-06-02 2025-06-04",
                has=("No row differs between the two instants", "v2, not in force", "olga"),
                never=("Nothing changed.",),
            ),
            Text(
                says="the second version in force has its own statement",
                command="audit diff 2025-06-02 2025-06-06",
                has=(
                    '+ {"Action":["obs:*:*"],"Effect":"Allow"}',
                    '- {"Action":["obs:object:GetObject"],"Effect":"Allow"}',
                ),
            ),
            Text(
                says="set back, all is as it was, after two changes with their people",
                command="audit diff 2025-06-02 2025-06-08",
                has=(
                    "No row differs between the two instants, but 1 row changed only in between.",
                    " v2, 2025-06-05T10:00:00Z, by harbour/olga",
                    " v1, 2025-06-07T10:00:00Z, by harbour/petr",
                ),
                never=("Nothing changed.",),
            ),
            Text(
                says="the document in force is that of the first version",
                command="policy show hoist --document",
                has=("version v1, since 2025-06-07T10:00:00Z", "obs:object:GetObject"),
                never=("obs:*:*",),
            ),
        ),
    ),
    Case(
        name="33c-inline-policy-put-again",
        kind="an inline policy that is widened, narrowed, and put without its text",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("tug", "AROATUG", "06-01T10:00:00"),
                _put("06-01T10:01:00", _READS),
                _put("06-03T10:00:00", _READS, _WRITES, by="erik"),
                _put("06-05T10:00:00", _WRITES, by="fay"),
                _put("06-07T10:00:00", by="fay"),
            ],
        },
        steps=(
            Rows(
                says="it is granted since it was put first, by the person who put it first",
                command="view regions",
                columns="policy status since actor document document_since",
                rows=[
                    (
                        *("pull", "granted", "2025-06-01T10:01:00Z", user("dana")),
                        *("", "2025-06-07T10:00:00Z"),
                    )
                ],
            ),
            Text(
                says="narrowed, the difference has the statement that was removed",
                command="audit diff 2025-06-04 2025-06-06",
                has=('- {"Action":["obs:object:GetObject"],"Effect":"Allow"}', user("fay")),
                never=("+ {",),
            ),
            Text(
                says="put without its text, the content is not told",
                command="audit diff 2025-06-06 2025-06-08",
                has=("content not told",),
                never=("Nothing changed",),
            ),
        ),
    ),
    Case(
        name="15a-boundary-exchanged",
        kind="a boundary that is exchanged, and one that ends with its role",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("tug", "AROATUG", "06-01T10:00:00", trust=trusting(account="5" * 12)),
                *(
                    on_role(
                        "PutRolePermissionsBoundary",
                        "tug",
                        at,
                        request={"permissionsBoundary": f"arn:aws:iam::444455556666:policy/{name}"},
                        by=by,
                    )
                    for at, name, by in (
                        ("06-02T10:00:00", "narrow", "erik"),
                        ("06-04T10:00:00", "wide", "fay"),
                    )
                ),
                on_role("DeleteRole", "tug", "06-08T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="the boundary of each time, and who set it",
                command="view boundaries --as-of 2025-06-03",
                columns="agency boundary status since actor",
                rows=[
                    (
                        *("tug", "arn:aws:iam::444455556666:policy/narrow", "set"),
                        *("2025-06-02T10:00:00Z", user("erik")),
                    )
                ],
            ),
            Text(
                says="the difference has both boundaries",
                command="audit diff 2025-06-03 2025-06-05",
                has=("policy/narrow set", "policy/wide set"),
            ),
            Rows(
                says="it ends with the role",
                command="view boundaries",
                columns="agency boundary status since",
                rows=[("tug", "", "ended", "2025-06-08T10:00:00Z")],
            ),
        ),
    ),
)
