"""Writes gzip files of CloudTrail records and CTS traces, as the clouds deliver them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.facts import REGIONS
from benchmarks.generator import BEGINNING, SPAN

ACCOUNTS: Final = 50
USERS: Final = 10
"""The number of people who act in an account."""
ROLES: Final = 8

Record = dict[str, Any]


def write(folder: Path, source: str, records: int, *, files: int, facts_share: float) -> None:
    """Write `records` records into `files` files; `facts_share` of them yield facts."""
    random = Random(records)  # noqa: S311  Repeatable, and nothing is secret here.
    folder.mkdir(parents=True)
    made = _records(_MAKERS[source], random, records, facts_share)
    opening, closing = _WRAPPED[source]
    for number in range(files):
        count = records // files + (number < records % files)
        with gzip.open(folder / f"{number:05}.json.gz", "wt", compresslevel=6) as file:
            file.write(opening)
            for n in range(count):
                file.write(("," if n else "") + json.dumps(next(made), separators=(",", ":")))
            file.write(closing)


def _records(
    make: Callable[[Random, bool, timedelta], Record], random: Random, count: int, share: float
) -> Iterator[Record]:
    for n in range(count):
        yield make(random, random.random() < share, SPAN * (n / count))


def _uuid(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


# -- AWS -----------------------------------------------------------------------------------------

_NOISE: Final = (
    ("ec2", "DescribeInstances", True),
    ("s3", "PutObject", False),
    ("kms", "Decrypt", True),
    ("logs", "CreateLogStream", False),
    ("dynamodb", "DescribeTable", True),
)


def _cloudtrail(random: Random, is_fact: bool, since: timedelta) -> Record:  # noqa: FBT001
    account = f"{100_000_000_000 + random.randrange(ACCOUNTS)}"
    user = f"user{random.randrange(USERS):02}"
    service, name, read_only, request, response = _aws_call(random, is_fact, account)
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{random.getrandbits(64):016X}",
            "arn": f"arn:aws:iam::{account}:user/{user}",
            "accountId": account,
            "accessKeyId": f"AKIA{random.getrandbits(64):016X}",
            "userName": user,
            "sessionContext": {"attributes": {"mfaAuthenticated": "true"}},
        },
        "eventTime": f"{BEGINNING + since:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": random.choice(REGIONS["aws"]),
        "sourceIPAddress": f"198.51.100.{random.randrange(32)}",
        "userAgent": "aws-cli/2.15.0 Python/3.11.6 Linux/5.10 exe/x86_64.amzn.2 prompt/off",
        "requestParameters": request,
        "responseElements": response,
        "requestID": _uuid(random),
        "eventID": _uuid(random),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"},
    }


def _aws_call(
    random: Random,
    is_fact: bool,  # noqa: FBT001
    account: str,
) -> tuple[str, str, bool, Record, Record | None]:
    if not is_fact:
        service, name, read_only = random.choice(_NOISE)
        return service, name, read_only, {"resource": f"r-{random.getrandbits(64):016x}"}, None
    role = f"role-{random.randrange(ROLES)}"
    if random.random() < 0.7:
        asked = {
            "roleArn": f"arn:aws:iam::{account}:role/{role}",
            "roleSessionName": f"session-{random.randrange(100)}",
            "durationSeconds": 3600,
        }
        given = {"credentials": {"expiration": "Feb 3, 2026, 9:00:00 AM"}}
        return "sts", "AssumeRole", True, asked, given
    policy = f"arn:aws:iam::aws:policy/Policy{random.randrange(20)}"
    name = random.choice(("AttachRolePolicy", "DetachRolePolicy"))
    return "iam", name, False, {"roleName": role, "policyArn": policy}, None


# -- Huawei Cloud --------------------------------------------------------------------------------


def _cts(random: Random, is_fact: bool, since: timedelta) -> Record:  # noqa: FBT001
    account = f"{random.randrange(ACCOUNTS):032x}"
    at_ms = int((BEGINNING + since).timestamp() * 1_000)
    region = random.choice(REGIONS["huaweicloud"])
    return {
        "time": at_ms,
        "user": {
            "id": f"{random.getrandbits(128):032x}",
            "name": f"user{random.randrange(USERS):02}",
            "domain": {"id": account, "name": f"company-{account[-4:]}"},
        },
        **_huawei_call(random, is_fact, region),
        "event_type": "system",
        "trace_rating": "normal",
        "trace_type": "ConsoleAction",
        "api_version": "3.0",
        "source_ip": f"203.0.113.{random.randrange(32)}",
        "domain_id": account,
        "project_id": f"{random.getrandbits(128):032x}",
        "record_time": at_ms + 1_000,
        "trace_id": _uuid(random),
        "request_id": _uuid(random),
        "code": "200",
        "tracker_name": "system",
    }


def _huawei_call(random: Random, is_fact: bool, region: str) -> Record:  # noqa: FBT001
    if not is_fact:
        return {
            "service_type": random.choice(("ECS", "EVS", "VPC", "OBS", "CCE")),
            "trace_name": random.choice(("createServer", "attachVolume", "updateSubnet")),
            "resource_type": "server",
            "resource_name": f"ecs-{random.getrandbits(32):08x}",
            "request": json.dumps({"flavor": "s6.large.2", "count": 1}),
            "response": json.dumps({"job_id": f"{random.getrandbits(128):032x}"}),
        }
    if random.random() < 0.6:
        return {
            "service_type": "IAM",
            "trace_name": "login",
            "resource_type": "user",
            "request": "",
            "response": "",
        }
    return {
        "service_type": "IAM",
        "trace_name": random.choice(
            ("assignRoleToAgencyOnProject", "unassignRoleToAgencyOnProject")
        ),
        "resource_type": "roleAgencyProject",
        "resource_name": region,
        "request": {
            "agency_name": f"agency-{random.randrange(ROLES)}",
            "role_name": f"policy {random.randrange(20)}",
        },
        "response": "",
    }


_MAKERS: Final[dict[str, Callable[[Random, bool, timedelta], Record]]] = {
    "cloudtrail": _cloudtrail,
    "cts": _cts,
}
_WRAPPED: Final = {"cloudtrail": ('{"Records":[', "]}"), "cts": ('{"traces":[', "]}")}
