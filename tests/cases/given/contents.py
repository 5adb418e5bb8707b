"""AWS: what a trust says, what limits a role, and changes that are not on roles' policies."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows, Text

LEAD: Final = "arn:aws:iam::210987654321:user/ops-lead"
TEMP: Final = "arn:aws:iam::210987654321:user/temp-admin"
_OIDC: Final = (
    "federated:arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com"
)
_SUBJECT: Final = "token.actions.githubusercontent.com:sub"
_ALL: Final = "SELECT effective_at, type, agency, policy, actor_name FROM audit_trail"

CASES: Final = (
    Case(
        name="06-trust-condition-removed",
        kind="a trust whose condition is dropped, and one whose condition is widened",
        source="cloudtrail",
        steps=(
            Rows(
                says="while they hold, the conditions are part of the trust",
                command="view trustees --as-of 2026-01-20",
                columns="agency trustee actor_name",
                rows=[
                    ("partner-read", "account:345678901234 if sts:ExternalId [5b09f2ef]", LEAD),
                    ("gh-deploy", f"{_OIDC} if {_SUBJECT} [1a180e97]", LEAD),
                ],
            ),
            Rows(
                says="one is dropped, the other is another one, by the person who did it",
                command="view trustees",
                columns="agency trustee actor_name since",
                rows=[
                    ("partner-read", "account:345678901234", TEMP, "2026-02-05T10:00:00Z"),
                    (
                        "gh-deploy",
                        f"{_OIDC} if {_SUBJECT} [8a8c040c]",
                        TEMP,
                        "2026-02-06T10:00:00Z",
                    ),
                ],
            ),
            Text(
                says="the difference between the instants has both",
                command="audit diff 2026-01-20 2026-03-01 --view trustees",
                has=("partner-read", "gh-deploy", "changed"),
                never=("Nothing changed",),
            ),
            Text(
                says="the difference has the statements with the conditions, and without",
                command="audit diff 2026-01-20 2026-03-01",
                has=(
                    '"StringEquals":{"sts:ExternalId":"k-77"}',
                    '"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}',
                    f"another document, 2026-02-05T10:00:00Z, by {TEMP}",
                ),
            ),
            Rows(
                says="the answer for the role names the change of its trust",
                command="audit why --agency partner-read --account 210987654321 --provider aws",
                columns="event effective_at",
                rows=[
                    ("AgencyCreated", "2026-01-05T10:00:00Z"),
                    ("AgencyTrustChanged", "2026-02-05T10:00:00Z"),
                ],
            ),
            Rows(
                says="every trust has its document's digest",
                command="query \"SELECT agency, entry ->> 'trust_document_bytes' AS bytes FROM "
                "audit_trail WHERE type LIKE 'Agency%'\"",
                columns="agency",
                only="bytes!=",
                rows=[("partner-read",), ("partner-read",), ("gh-deploy",), ("gh-deploy",)],
            ),
        ),
    ),
    Case(
        name="13-other-delegations",
        kind="delegations to services and people by other names",
        source="cloudtrail",
        steps=(
            Rows(
                says="every call is a fact",
                command="query \"SELECT type, agency FROM audit_trail WHERE type NOT LIKE 'Subj%'\"",
                columns="type agency",
                rows=[
                    *[("NotModelled", "")] * 6,
                    ("NotModelled", "app-d"),
                    *[("AgencyChanged", "app-d")] * 4,
                    *[("TrustedServiceEnabled", "")] * 2,
                ],
            ),
            Rows(
                says="the calls on the role prove that it exists",
                command="view agencies",
                columns="agency status note",
                rows=[("app-d", "exists", "creation not seen")],
            ),
            Text(
                says="the trail says what each call was about",
                command="audit trail",
                has=(
                    "let stacksets.cloudformation.amazonaws.com act in every account",
                    "let the account 345678901234 run guardduty.amazonaws.com",
                    "permissionSetArn=arn:aws:sso:::permissionSet/ssoins-1/ps-1",
                    "targetPrincipal=345678901234",
                    "maxSessionDuration=43200",
                ),
            ),
        ),
    ),
    Case(
        name="15-boundary",
        kind="a role that is made with a permissions boundary, and freed of it",
        source="cloudtrail",
        steps=(
            Rows(
                says="both are facts, and the boundary is named",
                command=f"query \"{_ALL} WHERE type LIKE 'Boundary%'\"",
                columns="effective_at type agency policy actor_name",
                rows=[
                    (
                        "2026-01-05T10:00:00Z",
                        "BoundarySet",
                        "dev-pipe",
                        "arn:aws:iam::210987654321:policy/dev-cap",
                        LEAD,
                    ),
                    ("2026-02-05T10:01:00Z", "BoundaryRemoved", "dev-pipe", "", TEMP),
                ],
            ),
            Text(
                says="the difference between the instants has the boundary and its end",
                command="audit diff 2026-01-20 2026-03-01",
                has=("arn:aws:iam::210987654321:policy/dev-cap set", "removed"),
                never=("Nothing changed",),
            ),
            Rows(
                says="the answer for the role names both",
                command="audit why --agency dev-pipe --account 210987654321 --provider aws",
                columns="event",
                rows=[
                    ("AgencyCreated",),
                    ("BoundarySet",),
                    ("PermissionGranted",),
                    ("BoundaryRemoved",),
                ],
            ),
            Rows(
                says="while it holds, the view has it",
                command="view boundaries --as-of 2026-01-20",
                columns="agency boundary status actor_name",
                rows=[("dev-pipe", "arn:aws:iam::210987654321:policy/dev-cap", "set", LEAD)],
            ),
        ),
    ),
    Case(
        name="19-identity-center-actor",
        kind="a caller who is only told as the person on whose behalf it acts",
        source="cloudtrail",
        steps=(
            Rows(
                says="the person is the actor",
                command="audit trail --event TemporaryCredentialIssued",
                columns="agency actor",
                rows=[
                    ("etl", "arn:aws:identitystore::210987654321:identitystore/d-1/7f8a-u1"),
                ],
            ),
        ),
    ),
    Case(
        name="33-policy-content-widened",
        kind="a policy that is widened by a new version, and one that is put again",
        source="cloudtrail",
        steps=(
            Rows(
                says="each version and each text is a fact with its digest",
                command="query \"SELECT type, policy, entry ->> 'document_version' AS version, "
                "entry ->> 'document' AS digest, actor_name FROM audit_trail "
                "WHERE type LIKE 'P%'\"",
                columns="type version actor_name",
                only="digest!=",
                rows=[
                    ("PolicyCreated", "v1", LEAD),
                    ("PermissionGranted", "", LEAD),
                    ("PolicyChanged", "v2", TEMP),
                    ("PermissionGranted", "", TEMP),
                ],
            ),
            Text(
                says="the difference shows both, with their statements",
                command="audit diff 2026-01-20 2026-03-01",
                has=(
                    '+ {"Action":"*","Effect":"Allow","Resource":"*"}',
                    '- {"Action":"s3:GetObject"',
                    f"another document, 2026-02-05T10:00:00Z, by {TEMP}",
                    f"another document, 2026-02-06T10:00:00Z, by {TEMP}",
                ),
                never=("Nothing changed",),
            ),
            Rows(
                says="the answer for the role names the policy's change",
                command="audit why --agency reports --account 210987654321 --provider aws",
                columns="event effective_at",
                only="event=PolicyChanged",
                rows=[("PolicyChanged", "2026-02-05T10:00:00Z")],
            ),
            Rows(
                says="the policy exists since its creation, with the version that is in force",
                command="view policies",
                columns="status since actor_name document_version document_since",
                rows=[
                    ("exists", "2026-01-05T10:00:10Z", LEAD, "v2", "2026-02-05T10:00:00Z"),
                ],
            ),
        ),
    ),
)
