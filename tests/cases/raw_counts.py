"""Counts the events in a folder of CloudTrail files, from the files alone, without our code.

Only `json` is used. No two roles in these files have one name, so a name tells the role.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

Counts = dict[str, list[str]]
"""By what was counted, its lines, sorted."""


def counts(folder: Path) -> Counts:
    """The lives of roles and policies, attachments with actor and time, logins, credentials."""
    records = [r for path in folder.glob("*.json") for r in json.loads(path.read_text())["Records"]]
    done = [record for record in records if not record.get("errorCode")]
    granted, revoked = _changes(done, "Attach", "Put"), _changes(done, "Detach", "Delete")
    deleted = {_role(r): r["eventTime"] for r in _called(done, "DeleteRole")}
    held = {tuple(line.split()[1:3]) for line in granted}
    held -= {tuple(line.split()[1:3]) for line in revoked}
    made = {_role(r) for r in _called(done, "CreateRole")}
    used = [(_of_arn(r), r["eventTime"]) for r in _called(done, "AssumeRole")]
    acted = [record for record in records if record["userIdentity"].get("type") == "AssumedRole"]
    first_seen = used + [(_acting(r), r["eventTime"]) for r in acted if not r.get("errorCode")]
    return {
        "roles created": sorted(
            f"{r['eventTime']} {_role(r)} {r['responseElements']['role']['roleId']}"
            for r in _called(done, "CreateRole")
        ),
        "roles deleted, by whom": sorted(
            f"{r['eventTime']} {_role(r)} {_actor(r)}" for r in _called(done, "DeleteRole")
        ),
        "policies attached or put, by whom": granted,
        "policies detached or removed, by whom": revoked,
        "policies whose end was not seen": sorted(
            f"{deleted[role]} {role} {policy}" for role, policy in held if role in deleted
        ),
        "policies created and deleted again": sorted(
            r["requestParameters"]["policyArn"] for r in _called(done, "DeletePolicy")
        ),
        "roles whose creation was not seen, since their first use": sorted(
            f"{min(at for name, at in first_seen if name == role)} {role}"
            for role in {name for name, _ in first_seen} - made
        ),
        "logins": sorted(
            f"{r['eventTime']} {_actor(r)} {r['responseElements']['ConsoleLogin']}"
            for r in _called(records, "ConsoleLogin")
        ),
        "roles assumed": sorted(f"{n} {role}" for role, n in Counter(n for n, _ in used).items()),
        "roles refused": sorted(
            f"{n} {role}"
            for role, n in Counter(
                _of_arn(r) for r in _called(records, "AssumeRole") if r.get("errorCode")
            ).items()
        ),
        "calls of roles, by how they ended": sorted(
            f"{n} {role} {how}"
            for (role, how), n in Counter((_acting(r), _ended(r)) for r in acted).items()
        ),
        "calls of roles, first and last, by day": sorted(
            f"{day} {role} {call} {min(times)} {max(times)}"
            for (day, role, call), times in _times(acted).items()
        ),
    }


def _acting(record: Any) -> str:
    """The role of a session."""
    return str(record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"])


def _ended(record: Any) -> str:
    error = record.get("errorCode")
    if error in ("AccessDenied", "Client.UnauthorizedOperation"):
        return "refused"
    return "failed" if error else "succeeded"


def _times(acted: list[Any]) -> dict[tuple[str, str, str], list[str]]:
    times: dict[tuple[str, str, str], list[str]] = {}
    for record in acted:
        service = record["eventSource"].removesuffix(".amazonaws.com")
        call = f"{record['awsRegion']} {service} {record['eventName']}"
        key = (record["eventTime"][:10], _acting(record), call)
        times.setdefault(key, []).append(record["eventTime"])
    return times


def _called(records: list[Any], name: str) -> list[Any]:
    return [record for record in records if record["eventName"] == name]


def _changes(records: list[Any], *verbs: str) -> list[str]:
    names = {f"{verb}RolePolicy" for verb in verbs}
    return sorted(
        f"{r['eventTime']} {_role(r)} {_policy(r)} {_actor(r)}"
        for r in records
        if r["eventName"] in names
    )


def _role(record: Any) -> str:
    return str(record["requestParameters"]["roleName"])


def _policy(record: Any) -> str:
    asked = record["requestParameters"]
    return str(asked.get("policyArn") or asked["policyName"])


def _actor(record: Any) -> str:
    return str(record["userIdentity"]["arn"])


def _of_arn(record: Any) -> str:
    """The role that was assumed, from the request; of a refused call, from the message."""
    asked = record["requestParameters"]
    text = asked["roleArn"] if asked else record["errorMessage"]
    found = re.search(r":role/(?:[\w.-]+/)*([\w.-]+)", text)
    return found[1] if found else f"no role in {text!r}"
