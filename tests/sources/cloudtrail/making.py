"""Records of AWS CloudTrail as tests need them: one call, and the fields that a test is about."""

from __future__ import annotations

from typing import Any, Final

from ledger.account.unmodelled import NotModelled
from ledger.messages import DomainEvent, Observation
from tests.sources.reading import translated

ACCOUNT: Final = "444455556666"
PARTNER: Final = "777788889999"
ZOE: Final = f"arn:aws:iam::{ACCOUNT}:user/zoe"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/deep/path/worker"
SESSION: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/batch"
ADMIN: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
OWN: Final = f"arn:aws:iam::{ACCOUNT}:policy/team/reader"
THEIRS: Final = f"arn:aws:iam::{PARTNER}:role/reader"
CAROL: Final = f"arn:aws:iam::{PARTNER}:user/carol"

Record = dict[str, Any]


def record(name: str, source: str = "iam", **fields: Any) -> Record:
    """A call that succeeded, by zoe, without a request and without a response."""
    return {
        "eventVersion": "1.08",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "eventTime": "2026-02-01T10:00:00Z",
        "eventID": "e-1",
        "awsRegion": "eu-north-1",
        "recipientAccountId": ACCOUNT,
        "userIdentity": {"arn": ZOE, "userName": "zoe", "accountId": ACCOUNT},
        "requestParameters": None,
        "responseElements": None,
    } | fields


def call(name: str, source: str = "iam", /, **request: Any) -> Record:
    """A call that succeeded, by its request."""
    return record(name, source, requestParameters=request)


def refused(
    name: str, message: str | None = None, source: str = "iam", /, **request: Any
) -> Record:
    """A call that AWS refused. Of a call that is not authorized, the request is not recorded."""
    fields = {"errorCode": "AccessDenied", "errorMessage": message}
    return record(name, source, requestParameters=request or None, **fields)


def assume_role(role: str = ROLE, **fields: Any) -> Record:
    request = {"roleArn": role, "roleSessionName": "batch"}
    return record("AssumeRole", "sts", **{"requestParameters": request} | fields)


def policy(principal: object, effect: str = "Allow", **more: object) -> Record:
    """The policy of a resource: one statement, for everything, with this principal."""
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": "*"} | more]}


def observed(said: Record) -> Observation:
    """The observation of a record that yields facts."""
    found = translated("cloudtrail", said)
    assert isinstance(found, Observation), found
    return found


def facts(said: Record) -> tuple[DomainEvent, ...]:
    return observed(said).events


def fact(said: Record) -> Any:
    """The only fact of a record."""
    (event,) = facts(said)
    return event


def kept(said: Record) -> str:
    """The name of a call that is kept as it is, because it may change rights; with the reason."""
    event = fact(said)
    assert isinstance(event, NotModelled), event
    return f"{event.call} ({event.detail})" if event.detail else event.call


def counted(said: Record) -> str:
    """The name under which a record without a fact is counted."""
    found = translated("cloudtrail", said)
    assert isinstance(found, str), found
    return found
