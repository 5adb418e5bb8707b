"""Records of CloudTrail: the calls on roles and policies, and their uses."""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from tests.cases.case import Record

HOME: Final = "444455556666"
"""The account of all roles here."""
PARTNER: Final = "777788889999"
READ_ONLY: Final = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POWER: Final = "arn:aws:iam::aws:policy/PowerUserAccess"
_NAMES: Final = uuid.UUID("b3c9a7a2-98ab-4a1b-8a53-0d6a0f5b8a11")


def user(name: str, account: str = HOME) -> str:
    """The ARN of a user, as which records name them."""
    return f"arn:aws:iam::{account}:user/{name}"


def record(name: str, at: str, request: dict[str, Any] | None = None, **more: Any) -> Record:
    """A record of a call at a time of 2025, such as `06-01T10:00:00`.

    `more`: `by` a user, `response`, `source` (default: iam), and any field of a record. Its id is a
    digest of all that.
    """
    by, account = more.pop("by", "dana"), more.pop("account", HOME)
    made = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{by.upper()}",
            "arn": user(by, account),
            "accountId": account,
            "userName": by,
        },
        "eventTime": f"2025-{at}Z",
        "eventSource": f"{more.pop('source', 'iam')}.amazonaws.com",
        "eventName": name,
        "awsRegion": more.pop("region", "us-east-1"),
        "sourceIPAddress": "203.0.113.40",
        "requestParameters": request,
        "responseElements": more.pop("response", None),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        **more,
    }
    return {"eventID": str(uuid.uuid5(_NAMES, json.dumps(made, sort_keys=True))), **made}


def trusting(*services: str, account: str | None = None) -> str:
    """A trust policy for services, or for an account."""
    principal = {"AWS": f"arn:aws:iam::{account}:root"} if account else {"Service": services}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create_role(role: str, identity: str, at: str, *, path: str = "/", **more: Any) -> Record:
    trust = more.pop("trust", trusting("ec2.amazonaws.com"))
    request = {"roleName": role, "path": path, "assumeRolePolicyDocument": trust}
    arn = f"arn:aws:iam::{HOME}:role{path}{role}"
    answer = {"roleName": role, "roleId": identity, "arn": arn, "path": path}
    return record("CreateRole", at, request, response={"role": answer}, **more)


def on_role(name: str, role: str, at: str, *, policy: str | None = None, **more: Any) -> Record:
    """A call such as AttachRolePolicy; `policy` is an ARN, or the name of an inline policy."""
    request: dict[str, Any] = {"roleName": role}
    if policy is not None:
        request["policyArn" if policy.startswith("arn:") else "policyName"] = policy
    request |= more.pop("request", {})
    return record(name, at, request, **more)


def create_policy(policy: str, identity: str, at: str, *, path: str = "/", **more: Any) -> Record:
    arn = f"arn:aws:iam::{HOME}:policy{path}{policy}"
    answer = {"policyName": policy, "policyId": identity, "arn": arn}
    request = {"policyName": policy, "path": path, "policyDocument": "{}"}
    return record("CreatePolicy", at, request, response={"policy": answer}, **more)


def assume(arn: str, at: str, **more: Any) -> Record:
    """A role is assumed, unless `errorCode` is given."""
    request = {"roleArn": arn, "roleSessionName": "nightly-job"}
    answer = {"credentials": {"accessKeyId": "ASIA1", "expiration": "Dec 31, 2025, 9:00:00 AM"}}
    response = None if "errorCode" in more else answer
    return record("AssumeRole", at, request, source="sts", response=response, **more)


def role_arn(role: str, *, partition: str = "aws", account: str = HOME, path: str = "/") -> str:
    return f"arn:{partition}:iam::{account}:role{path}{role}"


def refused(made: Record, error: str) -> Record:
    """The record of the same call, refused."""
    return {**made, "responseElements": None, "errorCode": error, "errorMessage": f"{error}!"}
