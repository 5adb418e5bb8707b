"""AWS: what a role held, since when and by whom, whatever arrives late."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Import, Rows, Text

ADMIN: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
OWN_POLICY: Final = "arn:aws:iam::210987654321:policy/etl"
LEAD: Final = "arn:aws:iam::210987654321:user/ops-lead"
ALICE: Final = "arn:aws:iam::111122223333:user/alice"
BOB: Final = "arn:aws:iam::111122223333:user/bob"
CAROL: Final = "arn:aws:iam::111122223333:user/carol"
_SHOWN: Final = "policy status since actor note"

CASES: Final = (
    Case(
        name="16-late-events",
        kind="a deletion between two creations that arrives after both",
        source="cloudtrail",
        steps=(
            Import("a.json"),
            Rows(
                says="without it: the second creation proves the end of the first role",
                command="view regions",
                columns=_SHOWN,
                rows=[(ADMIN, "revoked", "2026-01-01T00:00:03Z", "", "end not seen")],
            ),
            Import("late.json"),
            Rows(
                says="with it: the second role exists",
                command="view agencies",
                columns="agency agency_id status since",
                only="status!=deleted",
                rows=[("mover", "AROAM2", "exists", "2026-01-01T00:00:03Z")],
            ),
            Rows(
                says="the permission had ended by the deletion; nobody is named for it",
                command="view regions",
                columns=f"agency_id {_SHOWN}",
                rows=[("AROAM1", ADMIN, "revoked", "2026-01-01T00:00:01Z", "", "end not seen")],
            ),
            Rows(
                says="before the deletion the first role exists",
                command="view agencies --as-of 2026-01-01T00:00:00Z",
                columns="agency_id status",
                rows=[("AROAM1", "exists")],
            ),
            Rows(
                says="and its permission is granted",
                command="view regions --as-of 2026-01-01T00:00:00Z",
                columns=_SHOWN,
                rows=[(ADMIN, "granted", "2025-12-31T23:59:59Z", LEAD, "")],
            ),
            Rows(
                says="after the deletion the first role is deleted",
                command="view agencies --as-of 2026-01-01T00:00:02Z",
                columns="agency_id status since actor",
                rows=[("AROAM1", "deleted", "2026-01-01T00:00:01Z", LEAD)],
            ),
            Rows(
                says="and its permission revoked",
                command="view regions --as-of 2026-01-01T00:00:02Z",
                columns=_SHOWN,
                rows=[(ADMIN, "revoked", "2026-01-01T00:00:01Z", "", "end not seen")],
            ),
            Rows(
                says="by what was known before the deletion arrived, it was granted then",
                command="view regions --as-of 2026-01-01T00:00:02Z --known-at {a.json}",
                columns=_SHOWN,
                rows=[(ADMIN, "granted", "2025-12-31T23:59:59Z", LEAD, "")],
            ),
            Text(
                says="the comparison of both instants shows both ends",
                command="audit diff 2026-01-01T00:00:00Z 2026-01-01T00:00:02Z -o csv",
                has=["deleted", "revoked"],
            ),
        ),
    ),
    Case(
        name="17-policy-recreated",
        kind="a policy that is deleted and made again under its name, attached in the same second",
        source="cloudtrail",
        steps=(
            Rows(
                says="the new policy is attached",
                command="view regions",
                columns="policy policy_id status since actor",
                only="status!=revoked",
                rows=[(OWN_POLICY, "ANPA2", "granted", "2026-01-07T10:00:00Z", LEAD)],
            ),
            Rows(
                says="the new policy exists",
                command="view policies",
                columns="policy policy_id status since",
                only="status!=deleted",
                rows=[(OWN_POLICY, "ANPA2", "exists", "2026-01-07T10:00:00Z")],
            ),
            Rows(
                says="in between, the permission was revoked by the detachment",
                command="view regions --as-of 2026-01-06T12:00:00Z",
                columns="policy policy_id status since actor note",
                rows=[(OWN_POLICY, "ANPA1", "revoked", "2026-01-06T10:00:00Z", LEAD, "")],
            ),
            Rows(
                says="and the policy was deleted",
                command="view policies --as-of 2026-01-06T12:00:00Z",
                columns="policy policy_id status since",
                rows=[(OWN_POLICY, "ANPA1", "deleted", "2026-01-06T10:00:10Z")],
            ),
        ),
    ),
    Case(
        name="54-revocation-arrives-late",
        kind="a detachment that arrives after the deletion of its role",
        source="cloudtrail",
        steps=(
            Import("a.json"),
            Rows(
                says="before it arrives: ended by the deletion at the latest, nobody is named",
                command="view regions",
                columns=_SHOWN,
                rows=[(ADMIN, "revoked", "2024-05-01T12:08:30Z", "", "end not seen")],
            ),
            Import("b.json"),
            Rows(
                says="now: revoked when it was detached, by who detached it",
                command="view regions",
                columns=_SHOWN,
                rows=[(ADMIN, "revoked", "2024-05-01T12:08:00Z", ALICE, "")],
            ),
            Rows(
                says="also as of the time between the detachment and the deletion",
                command="view regions --as-of 2024-05-01T12:08:15Z",
                columns=_SHOWN,
                rows=[(ADMIN, "revoked", "2024-05-01T12:08:00Z", ALICE, "")],
            ),
            Rows(
                says="the role still existed then",
                command="view agencies --as-of 2024-05-01T12:08:15Z",
                columns="agency_id status since actor",
                rows=[("AROA1", "exists", "2024-05-01T12:00:00Z", CAROL)],
            ),
            Rows(
                says="before the detachment the policy was attached",
                command="view regions --as-of 2024-05-01T12:07:59Z",
                columns=_SHOWN,
                rows=[(ADMIN, "granted", "2024-05-01T12:00:10Z", CAROL, "")],
            ),
            Rows(
                says="by what was known before it arrived, it was attached until the deletion",
                command="view regions --as-of 2024-05-01T12:08:15Z --known-at {a.json}",
                columns=_SHOWN,
                rows=[(ADMIN, "granted", "2024-05-01T12:00:10Z", CAROL, "")],
            ),
            Rows(
                says="the role was deleted by somebody else",
                command="view agencies",
                columns="agency_id status since actor",
                rows=[("AROA1", "deleted", "2024-05-01T12:08:30Z", BOB)],
            ),
            Text(
                says="the role is shown with the real revocation, and never as granted",
                command="agency show r --provider aws --account 111122223333 "
                "--as-of 2024-05-01T12:08:15Z",
                has=["revoked", "2024-05-01T12:08:00Z"],
                never=["granted"],
            ),
        ),
    ),
)
