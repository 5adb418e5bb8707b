"""AWS: one call is one fact, however often and to whomever its record is delivered."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Import, Rows
from tests.cases.records.aws import (
    HOME,
    PARTNER,
    POWER,
    assume,
    create_role,
    on_role,
    record,
    role_arn,
)

_SCAN: Final = role_arn("audit-scan")
_CALLER: Final = {
    "type": "AssumedRole",
    "principalId": "AROAPARTNER:fleet",
    "arn": f"arn:aws:sts::{PARTNER}:assumed-role/fleet/fleet",
    "accountId": PARTNER,
    "sessionContext": {
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAPARTNER",
            "arn": f"arn:aws:iam::{PARTNER}:role/fleet",
            "accountId": PARTNER,
            "userName": "fleet",
        }
    },
}
_SEEN_FROM_HERE: Final = {
    "type": "AWSAccount",
    "principalId": "AROAPARTNER:fleet",
    "accountId": PARTNER,
}
_DENIED: Final = {
    "errorCode": "AccessDenied",
    "errorMessage": f"User: {_CALLER['arn']} is not authorized to perform: sts:AssumeRole on "
    f"resource: {_SCAN}",
}

CASES: Final = (
    Case(
        name="01a-assumed-by-a-role-of-another-account",
        kind="one call between two accounts, by a role; each account's copy names it differently",
        source="cloudtrail",
        records={
            "partner.json": [
                assume(
                    _SCAN,
                    "06-01T10:00:00",
                    userIdentity=_CALLER,
                    recipientAccountId=PARTNER,
                    sharedEventID="shared-1",
                ),
            ],
            "home.json": [
                assume(
                    _SCAN, "06-01T10:00:00", userIdentity=_SEEN_FROM_HERE, sharedEventID="shared-1"
                ),
            ],
        },
        steps=(
            Rows(
                says="it is one credential, of the role's account",
                command="view usage",
                columns="account agency credentials_issued",
                rows=[(HOME, "audit-scan", 1)],
                only="agency=audit-scan",
            ),
            Rows(
                says="the partner's account has no such role, but the one that called",
                command="view agencies",
                columns="account agency status note",
                rows=[
                    (HOME, "audit-scan", "exists", "creation not seen"),
                    (PARTNER, "fleet", "exists", "creation not seen"),
                ],
            ),
        ),
    ),
    Case(
        name="01b-refused-between-accounts",
        kind="one refused call between two accounts, whose role only the message names",
        source="cloudtrail",
        records={
            "partner.json": [
                record(
                    "AssumeRole",
                    "06-01T10:00:00",
                    None,
                    source="sts",
                    userIdentity=_CALLER,
                    recipientAccountId=PARTNER,
                    sharedEventID="shared-2",
                    **_DENIED,
                ),
            ],
            "home.json": [
                record(
                    "AssumeRole",
                    "06-01T10:00:00",
                    None,
                    source="sts",
                    userIdentity=_SEEN_FROM_HERE,
                    sharedEventID="shared-2",
                    **_DENIED,
                ),
            ],
        },
        steps=(
            Rows(
                says="it is one refusal, of the role's account",
                command="view usage",
                columns="account agency credentials_issued credentials_refused",
                rows=[(HOME, "audit-scan", 0, 1)],
                only="agency=audit-scan",
            ),
            Rows(
                says="a refusal proves nothing of what exists",
                command="view agencies",
                columns="agency",
            ),
        ),
    ),
    Case(
        name="09a-attachment-delivered-again",
        kind="a change of permissions that is delivered again, with an addendum",
        source="cloudtrail",
        records={
            "first.json": [
                create_role("feeder", "AROAFEED", "06-01T10:00:00"),
                {
                    **on_role("AttachRolePolicy", "feeder", "06-01T10:01:00", policy=POWER),
                    "eventID": "original-1",
                },
            ],
            "again.json": [
                {
                    **on_role("AttachRolePolicy", "feeder", "06-01T10:01:00", policy=POWER),
                    "eventID": "updated-1",
                    "addendum": {
                        "reason": "DELIVERY_DELAY",
                        "originalRequestID": "rq",
                        "originalEventID": "original-1",
                    },
                },
            ],
        },
        steps=(
            Rows(
                says="it is one fact",
                command="audit trail --event PermissionGranted",
                columns="agency policy",
                rows=[("feeder", POWER)],
            ),
        ),
    ),
    Case(
        name="09b-only-the-second-delivery",
        kind="a record of which only the second delivery, with its addendum, was kept",
        source="cloudtrail",
        records={
            "again.json": [
                {
                    **assume(role_arn("feeder"), "06-01T10:01:00"),
                    "eventID": "updated-2",
                    "addendum": {"reason": "UPDATED_DATA", "originalEventID": "original-2"},
                },
            ],
        },
        steps=(
            Rows(
                says="it counts once",
                command="view usage",
                columns="agency credentials_issued",
                rows=[("feeder", 1)],
            ),
        ),
    ),
    Case(
        name="10a-one-region-twice",
        kind="records that two trails deliver, in files of different contents",
        source="cloudtrail",
        records={
            "organisation.json": [
                create_role("mapper", "AROAMAP", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "mapper", "06-01T10:01:00", policy=POWER),
            ],
            "account.json": [
                on_role("AttachRolePolicy", "mapper", "06-01T10:01:00", policy=POWER),
                on_role("DetachRolePolicy", "mapper", "06-01T10:02:00", policy=POWER),
                create_role("mapper", "AROAMAP", "06-01T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="each is one fact",
                command="audit trail --agency mapper",
                columns="type",
                rows=[("AgencyCreated",), ("PermissionGranted",), ("PermissionRevoked",)],
            ),
        ),
    ),
    Case(
        name="10b-imported-twice",
        kind="a file that is imported twice",
        source="cloudtrail",
        records={"a.json": [create_role("twice", "AROATWICE", "06-01T10:00:00")]},
        steps=(
            Import("a.json"),
            Import("a.json"),
            Rows(
                says="it is one fact",
                command="audit trail --event AgencyCreated",
                columns="agency",
                rows=[("twice",)],
            ),
        ),
    ),
)
