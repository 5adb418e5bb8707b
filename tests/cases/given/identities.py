"""AWS: one thing is one row, however a record names it, and one call is one fact."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows

ROLES_ACCOUNT: Final = "210987654321"
ISSUED: Final = "SELECT account, type, actor_name FROM audit_trail WHERE type LIKE 'Temp%'"

CASES: Final = (
    Case(
        name="01-cross-account-two-copies",
        kind="one call between two accounts, delivered to both",
        source="cloudtrail",
        steps=(
            Rows(
                says="it is one credential, of the role's account",
                command="view usage",
                columns="account agency credentials_issued",
                rows=[(ROLES_ACCOUNT, "vendor-scan", 1)],
            ),
            Rows(
                says="it is one fact",
                command="audit trail --event TemporaryCredentialIssued",
                columns="account agency outcome",
                rows=[(ROLES_ACCOUNT, "vendor-scan", "")],
            ),
            Rows(
                says="somebody is named as its actor",
                command="audit trail --event TemporaryCredentialIssued",
                columns="account",
                only="actor!=",
                rows=[(ROLES_ACCOUNT,)],
            ),
            Rows(
                says="the use proves that the role existed; nothing is said of the caller's account",
                command="view agencies",
                columns="account agency status note",
                rows=[(ROLES_ACCOUNT, "vendor-scan", "exists", "creation not seen")],
            ),
        ),
    ),
    Case(
        name="04-name-case",
        kind="a cloud that does not tell names apart by case",
        source="cloudtrail",
        steps=(
            Rows(
                says="it is one role, which was deleted",
                command="view agencies",
                columns="agency agency_id status since actor",
                rows=[
                    (
                        "Data-Export",
                        "AROAEXP",
                        "deleted",
                        "2026-01-07T10:01:00Z",
                        "arn:aws:iam::210987654321:user/ops-lead",
                    )
                ],
            ),
            Rows(
                says="its permission is one, revoked by the detachment and not by the deletion",
                command="view regions",
                columns="agency_id policy status since note",
                rows=[
                    (
                        "AROAEXP",
                        "arn:aws:iam::aws:policy/AdministratorAccess",
                        "revoked",
                        "2026-01-06T10:01:00Z",
                        "",
                    )
                ],
            ),
            Rows(
                says="it was granted in between",
                command="view regions --as-of 2026-01-06T10:00:00Z",
                columns="status since",
                rows=[("granted", "2026-01-05T10:01:00Z")],
            ),
        ),
    ),
    Case(
        name="09-addendum",
        kind="a record that is delivered again, with an addendum",
        source="cloudtrail",
        steps=(
            Rows(
                says="the credential counts once",
                command="view usage",
                columns="agency credentials_issued",
                rows=[("etl", 1)],
            ),
            Rows(
                says="it is one fact",
                command="audit trail --event TemporaryCredentialIssued",
                columns="agency",
                rows=[("etl",)],
            ),
        ),
    ),
    Case(
        name="10-two-trails",
        kind="one record that two trails deliver",
        source="cloudtrail",
        steps=(
            Rows(
                says="the creation is one fact",
                command="audit trail --event AgencyCreated",
                columns="agency",
                rows=[("app-c",)],
            ),
            Rows(
                says="there is one role",
                command="view agencies",
                columns="agency agency_id status since",
                rows=[("app-c", "AROAC", "exists", "2026-01-05T10:00:00Z")],
            ),
        ),
    ),
    Case(
        name="14-path-roles",
        kind="a role with a path, which only its ARN has",
        source="cloudtrail",
        steps=(
            Rows(
                says="there is one role, under its name",
                command="view agencies",
                columns="agency agency_id status note",
                rows=[("m00n", "AROAP", "exists", "")],
            ),
            Rows(
                says="its uses are counted under the same name",
                command="view usage",
                columns="agency credentials_issued credentials_refused",
                rows=[("m00n", 1, 1)],
            ),
            Rows(
                says="the refused deletion is an attempt on it",
                command="view attempts",
                columns="agency refused carried_out",
                rows=[("m00n", 1, 0)],
            ),
        ),
    ),
    Case(
        name="37-partitions",
        kind="ARNs of the other partitions",
        source="cloudtrail",
        steps=(
            Rows(
                says="the role is found in both, in the region of the call",
                command="view usage",
                columns="agency region credentials_issued",
                rows=[("x", "cn-north-1", 1), ("x", "us-gov-west-1", 1)],
            ),
        ),
    ),
    Case(
        name="41-errors-and-dry",
        kind="calls that were refused",
        source="cloudtrail",
        steps=(
            Rows(
                says="the role exists",
                command="view agencies",
                columns="agency agency_id status",
                rows=[("app-f", "AROAF", "exists")],
            ),
            Rows(says="nothing was ever granted", command="view regions", columns="policy"),
            Rows(
                says="one deletion was refused",
                command="view attempts",
                columns="agency refused carried_out",
                rows=[("app-f", 1, 0)],
            ),
            Rows(
                says="the refused changes are in the trail",
                command="audit trail --outcome refused",
                columns="type",
                rows=[
                    ("AgencyDeletionAttempted",),
                    ("PermissionChangeRefused",),
                    ("PermissionChangeRefused",),
                ],
            ),
        ),
    ),
)
