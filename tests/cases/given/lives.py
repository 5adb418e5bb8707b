"""AWS: which role existed when; what ends with it, and what a lost record leaves open."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows, Text

ADMIN: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
LEAD: Final = "arn:aws:iam::210987654321:user/ops-lead"
ACCOUNT: Final = "--account 210987654321 --provider aws"

CASES: Final = (
    Case(
        name="02-recreated-same-name",
        kind="a role that is deleted and made again under its name",
        source="cloudtrail",
        steps=(
            Rows(
                says="the new role exists, under its own id",
                command="view agencies",
                columns="agency agency_id status since",
                only="status!=deleted",
                rows=[("batch-worker", "AROANEW2", "exists", "2026-01-07T10:00:00Z")],
            ),
            Rows(
                says="it has none of its predecessor's permissions",
                command="view regions",
                columns="agency_id policy status",
                only="status!=revoked",
            ),
            Rows(
                says="the predecessor's permission had ended with it at the latest, and nobody is "
                "named for it",
                command="view regions",
                columns="agency_id policy status since actor note",
                rows=[("AROAOLD1", ADMIN, "revoked", "2026-01-06T10:00:00Z", "", "end not seen")],
            ),
            Rows(
                says="only the new role's trustee is trusted",
                command="view trustees",
                columns="agency_id trustee",
                only="status!=ended",
                rows=[("AROANEW2", "account:345678901234")],
            ),
            Rows(
                says="between the two, the role is deleted",
                command="view agencies --as-of 2026-01-06T12:00:00Z",
                columns="agency agency_id status since actor",
                rows=[("batch-worker", "AROAOLD1", "deleted", "2026-01-06T10:00:00Z", LEAD)],
            ),
            Rows(
                says="and nobody is trusted then",
                command="view trustees --as-of 2026-01-06T12:00:00Z",
                columns="agency_id trustee",
                only="status!=ended",
            ),
        ),
    ),
    Case(
        name="03-same-second-recreate",
        kind="a deletion, a creation and an attachment within one second, unordered",
        source="cloudtrail",
        steps=(
            Rows(
                says="the new role exists",
                command="view agencies",
                columns="agency agency_id status since",
                only="status!=deleted",
                rows=[("ci-deployer", "AROANEW2", "exists", "2026-03-01T09:00:05Z")],
            ),
            Rows(
                says="the old one is deleted",
                command="view agencies",
                columns="agency_id status since actor",
                only="status=deleted",
                rows=[("AROAOLD1", "deleted", "2026-03-01T09:00:05Z", LEAD)],
            ),
            Rows(
                says="the policy is attached to the new role only",
                command="view regions",
                columns="agency_id policy status since actor note",
                rows=[("AROANEW2", ADMIN, "granted", "2026-03-01T09:00:05Z", LEAD, "")],
            ),
            Rows(
                says="the new role's trustee is trusted",
                command="view trustees",
                columns="agency_id trustee",
                only="status!=ended",
                rows=[("AROANEW2", "service:lambda.amazonaws.com")],
            ),
        ),
    ),
    Case(
        name="05-service-linked-role",
        kind="a deletion that is a task",
        source="cloudtrail",
        steps=(
            Rows(
                says="after the deletion was asked for, it does not count as existing",
                command="view agencies --as-of 2026-02-05T10:00:05Z",
                columns="agency agency_id status since",
                rows=[
                    (
                        "AWSServiceRoleForAutoScaling",
                        "AROASLR",
                        "deletion asked for",
                        "2026-02-05T10:00:00Z",
                    )
                ],
            ),
            Rows(
                says="nor later, before it is made again",
                command="view agencies --as-of 2026-02-20",
                columns="agency",
                only="status=exists",
            ),
            Rows(
                says="the role that was made again exists; the new creation proves the end of the old",
                command="view agencies",
                columns="agency_id status since",
                only="status=exists",
                rows=[("AROASLR2", "exists", "2026-03-05T10:00:00Z")],
            ),
            Rows(
                says="only the new one still counts",
                command="view agencies",
                columns="agency_id",
                only="status!=deleted",
                rows=[("AROASLR2",)],
            ),
            Rows(
                says="the refused creation, which names the role in its message, is an attempt",
                command="audit trail --event AgencyCreationRefused",
                columns="agency outcome effective_at",
                rows=[("AWSServiceRoleForAutoScaling", "refused", "2026-01-05T11:00:00Z")],
            ),
            Text(
                says="why tells of the request for the deletion",
                command=f"audit why --agency AWSServiceRoleForAutoScaling {ACCOUNT}",
                has=["2026-02-05T10:00:00Z", "deletion"],
            ),
        ),
    ),
    Case(
        name="18-trustee-of-deleted-role",
        kind="a trust that ends with its role",
        source="cloudtrail",
        steps=(
            Rows(
                says="nobody is trusted through the role that is gone",
                command="view trustees",
                columns="agency trustee",
                only="status!=ended",
            ),
            Rows(
                says="nor as of a time after its deletion",
                command="view trustees --as-of 2026-02-01",
                columns="agency trustee",
                only="status!=ended",
            ),
            Rows(
                says="before it, the other account was trusted",
                command="view trustees --as-of 2026-01-05T12:00:00Z",
                columns="agency trustee since",
                only="status!=ended",
                rows=[("vendor-read", "account:345678901234", "2026-01-05T10:00:00Z")],
            ),
            Rows(
                says="the comparison of both instants shows that the trust ended",
                command="audit diff 2026-01-05T12:00:00Z 2026-02-01 --view trustees",
                columns="view",
                rows=[("trustees",)],
            ),
        ),
    ),
    Case(
        name="31-creation-lost",
        kind="a creation that was lost between a deletion and a later success",
        source="cloudtrail",
        steps=(
            Rows(
                says="a role of that name exists, its creation was not seen",
                command="view agencies",
                columns="agency status since actor note",
                only="status!=deleted",
                rows=[("nightly", "exists", "2026-01-08T10:00:00Z", "", "creation not seen")],
            ),
            Rows(
                says="its permission is granted",
                command="view regions",
                columns="agency policy status since actor",
                rows=[("nightly", ADMIN, "granted", "2026-01-08T10:00:00Z", LEAD)],
            ),
            Rows(
                says="right after the deletion, no role is said to exist",
                command="view agencies --as-of 2026-01-07",
                columns="agency",
                only="status=exists",
            ),
            Text(
                says="the role is shown, and not as deleted",
                command=f"agency show nightly {ACCOUNT}",
                has=["exists", "creation not seen", "AdministratorAccess"],
                never=["There is no agency"],
            ),
            Rows(
                says="the old role was deleted, and its id is not that of the new one",
                command="view agencies",
                columns="agency_id status since",
                only="agency_id=AROANY1",
                rows=[("AROANY1", "deleted", "2026-01-06T10:00:00Z")],
            ),
        ),
    ),
)
