"""Records of CloudTrail in any number; and the bytes of entries without what chance gives them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ledger.application import Ledger
from ledger.persistence.entry import encode
from tests.sources.cloudtrail.making import ADMIN, Record, record


def records(count: int) -> Iterator[Record]:
    """Grants, each by one of a few people."""
    for n in range(count):
        yield record(
            "AttachRolePolicy",
            eventID=f"e-{n}",
            eventTime=f"2026-02-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z",
            sourceIPAddress=f"192.0.2.{n % 9}",
            requestParameters={"roleName": f"role-{n % 7}", "policyArn": ADMIN},
        )


def lines(count: int) -> bytes:
    return "".join(f"{json.dumps(each)}\n" for each in records(count)).encode()


_SURROGATE = re.compile(r"\b[a-z]{1,8}-[0-9a-f]{20,40}\b")
_CHANCE = re.compile(r'"(recorded_at|commitment)":"[^"]*"')


def entries(ledger: Ledger) -> list[str]:
    """The bytes of all entries; surrogate ids as numbers, without recorded times and commitments.
    Registrations happen when they are recorded.
    """
    numbers: dict[str, str] = {}
    return [
        _SURROGATE.sub(
            lambda found: numbers.setdefault(found[0], f"#{len(numbers)}"),
            _CHANCE.sub("", _timed(each.type, encode(each).decode())),
        )
        for each in ledger.history()
    ]


def _timed(kind: str, line: str) -> str:
    is_registration = kind == "SubjectRegistered"
    return re.sub(r'"effective_at":"[^"]*"', "", line) if is_registration else line


def children(of: int | None = None) -> list[int]:
    """The processes that a process began, and that are not waited for."""
    pid = os.getpid() if of is None else of
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(each) for each in text.split()]
