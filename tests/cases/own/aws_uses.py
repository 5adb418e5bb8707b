"""AWS: the calls of roles, from files that hold the same records, a part of them, or others."""

from __future__ import annotations

from typing import Any, Final

from tests.cases.case import Case, Do, Record, Rows, Text
from tests.cases.records.aws import HOME, PARTNER, assume, create_role, record, role_arn

_ACTIVITY: Final = "service action day succeeded refused failed at_least"


def _act(name: str, at: str, account: str = HOME, **more: Any) -> Record:
    """A call of the role `porter`."""
    identity = {
        "type": "AssumedRole",
        "principalId": "AROAPORTER:shift",
        "arn": f"arn:aws:sts::{account}:assumed-role/porter/shift",
        "accountId": account,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAPORTER",
                "arn": role_arn("porter", account=account),
                "accountId": account,
                "userName": "porter",
            }
        },
    }
    return record(name, at, userIdentity=identity, **{"source": "s3", **more})


_MORNING: Final = (_act("GetObject", "06-01T08:00:00"), _act("GetObject", "06-01T09:00:00"))
_NOON: Final = (_act("GetObject", "06-01T12:00:00"),)

CASES: Final = (
    Case(
        name="53a-the-same-records-in-two-files",
        kind="a role acts; two files have all or some of the same records",
        source="cloudtrail",
        records={
            "1-trail.json": [*_MORNING],
            "2-another-trail.json": [*reversed(_MORNING)],
            "3-download.json": [_MORNING[1], *_NOON],
        },
        steps=(
            Rows(
                says="each record counts once",
                command="view activity",
                columns=_ACTIVITY,
                rows=[("s3", "GetObject", "2025-06-01", 3, 0, 0, "no")],
            ),
            Do("import cloudtrail 3-download.json"),
            Rows(
                says="the file again adds nothing",
                command="view activity",
                columns=f"{_ACTIVITY} first_at last_at",
                rows=[
                    (
                        *("s3", "GetObject", "2025-06-01", 3, 0, 0, "no"),
                        *("2025-06-01T08:00:00Z", "2025-06-01T12:00:00Z"),
                    )
                ],
            ),
            Rows(
                says="the first call proves the role",
                command="view agencies",
                columns="agency agency_id status since note",
                rows=[
                    ("porter", "AROAPORTER", "exists", "2025-06-01T08:00:00Z", "creation not seen")
                ],
            ),
        ),
    ),
    Case(
        name="53b-a-file-of-many-calls-that-overlaps",
        kind="so many calls that an entry does not name them, in two files that overlap",
        source="cloudtrail",
        records={
            "1-all.json": [_act("GetObject", f"06-01T08:{n:02}:00") for n in range(40)],
            "2-some.json": [_act("GetObject", f"06-01T08:{n:02}:00") for n in range(30, 40)],
            "3-later.json": [_act("GetObject", "06-01T10:00:00")],
        },
        steps=(
            Rows(
                says="the number is a lower bound",
                command="view activity",
                columns=_ACTIVITY,
                rows=[("s3", "GetObject", "2025-06-01", 41, 0, 0, "yes")],
            ),
        ),
    ),
    Case(
        name="53c-refused-failed-and-over-midnight",
        kind="calls of a role that are refused or fail; two days, two regions",
        source="cloudtrail",
        records={
            "a.json": [
                create_role("porter", "AROAPORTER", "06-01T07:00:00"),
                _act("GetObject", "06-01T23:59:59"),
                _act("GetObject", "06-02T00:00:00"),
                _act("GetObject", "06-02T01:00:00", region="eu-west-1"),
                _act("PutObject", "06-02T02:00:00", errorCode="AccessDenied"),
                _act("PutObject", "06-02T03:00:00", errorCode="NoSuchBucket"),
            ]
        },
        steps=(
            Rows(
                says="each day and each region counts for itself",
                command="view activity",
                columns=f"region {_ACTIVITY}",
                rows=[
                    ("us-east-1", "s3", "GetObject", "2025-06-01", 1, 0, 0, "no"),
                    ("us-east-1", "s3", "GetObject", "2025-06-02", 1, 0, 0, "no"),
                    ("eu-west-1", "s3", "GetObject", "2025-06-02", 1, 0, 0, "no"),
                    ("us-east-1", "s3", "PutObject", "2025-06-02", 0, 1, 1, "no"),
                ],
            ),
            Rows(
                says="a refused call is not the last use",
                command="view usage",
                columns="region agency succeeded refused failed last_used_at",
                rows=[
                    ("us-east-1", "porter", 2, 1, 1, "2025-06-02T00:00:00Z"),
                    ("eu-west-1", "porter", 1, 0, 0, "2025-06-02T01:00:00Z"),
                ],
            ),
            Rows(
                says="as of the first day, only that day",
                command="view usage --as-of 2025-06-01T23:59:59Z",
                columns="region agency succeeded refused",
                rows=[("us-east-1", "porter", 1, 0)],
            ),
        ),
    ),
    Case(
        name="53d-a-role-of-another-account",
        kind="a role of one account acts in the trail of another one",
        source="cloudtrail",
        records={
            "a.json": [_act("GetObject", "06-01T08:00:00", PARTNER, recipientAccountId=HOME)],
        },
        steps=(
            Rows(
                says="the use belongs to the role's account",
                command="view usage",
                columns="account agency succeeded",
                rows=[(PARTNER, "porter", 1)],
            ),
        ),
    ),
    Case(
        name="53e-who-stands-behind-the-session",
        kind="a session with a source identity and a name, which acts",
        source="cloudtrail",
        records={
            "a.json": [
                create_role("porter", "AROAPORTER", "06-01T07:00:00"),
                {
                    **assume(role_arn("porter"), "06-01T07:30:00"),
                    "requestParameters": {
                        "roleArn": role_arn("porter"),
                        "roleSessionName": "dana@example.com",
                        "sourceIdentity": "dana",
                    },
                },
                _act("GetObject", "06-01T08:00:00"),
            ]
        },
        steps=(
            Rows(
                says="usage names the caller, the session and the source identity",
                command="view usage",
                columns="agency switched_by_name session_names_name source_identities_name",
                rows=[
                    (
                        "porter",
                        f"arn:aws:iam::{HOME}:user/dana",
                        "dana@example.com, shift",
                        "dana",
                    )
                ],
            ),
            Text(
                says="so does the trail",
                command="audit trail --event TemporaryCredentialIssued",
                has=["session dana@example.com, source identity dana"],
            ),
            Text(
                says="so does audit why",
                command="audit why --agency porter",
                has=["session dana@example.com, source identity dana"],
            ),
        ),
    ),
    Case(
        name="53f-a-session-outlives-its-role",
        kind="a role is deleted while a session of it still acts",
        source="cloudtrail",
        records={
            "a.json": [
                create_role("porter", "AROAPORTER", "06-01T07:00:00"),
                record("DeleteRole", "06-01T08:00:00", {"roleName": "porter"}),
                _act("GetObject", "06-01T08:00:30"),
            ]
        },
        steps=(
            Rows(
                says="the role stays deleted",
                command="view agencies",
                columns="agency status since",
                rows=[("porter", "deleted", "2025-06-01T08:00:00Z")],
            ),
            Rows(
                says="the call counts",
                command="view usage",
                columns="agency succeeded last_used_at",
                rows=[("porter", 1, "2025-06-01T08:00:30Z")],
            ),
        ),
    ),
)
