"""The calls of agencies are summed up file by file, in the same way for all clouds."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.account.activity import (
    OTHER_ACTIONS,
    TRACES_KEPT_MAX,
    AgencyActed,
    AgencyActionFailed,
)
from ledger.sources import uses
from ledger.sources.files import PIECE_BYTES
from ledger.values import instant
from tests.sources.reading import ledger, read, used

ACCOUNT = "111122223333"
DOMAIN = "0c1d2e3f405162738495a6b7c8d9e0f1"
Record = dict[str, Any]


def by_role(event_id: str, at: str, name: str = "RunInstances", **more: Any) -> Record:
    """A call of the role `builder`."""
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROABUILDER:night",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/builder/night",
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROABUILDER",
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/team/builder",
                    "accountId": ACCOUNT,
                    "userName": "builder",
                }
            },
        },
        "eventTime": f"2026-02-03T{at}Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "eventID": event_id,
        "recipientAccountId": ACCOUNT,
    } | more


def by_agency(trace_id: str, at_ms: int, **more: Any) -> Record:
    """A call of the agency `asm_admin_trust`."""
    return {
        "trace_id": trace_id,
        "trace_name": "createLoadbalancer",
        "service_type": "ELB",
        "trace_rating": "normal",
        "time": at_ms,
        "user": {
            "type": "AssumedAgency",
            "name": "acme/asm_admin_trust",
            "domain": {"id": DOMAIN, "name": "acme"},
            "principal_id": "0a0b0c0d0e0f:mesh",
            "principal_urn": f"sts::{DOMAIN}:assumed-agency:asm_admin_trust/mesh",
        },
        "endpoint": "https://elb.cn-north-4.myhuaweicloud.com",
    } | more


def written(path: Path, *records: Record, envelope: str = "Records") -> Path:
    path.write_text(json.dumps({envelope: records}))
    return path


def sums(kind: str, path: Path) -> list[tuple[Any, ...]]:
    """Each sum: what was called, how it ended, how often, first, last."""
    found = []
    for observation in used(kind, path):
        [event] = observation.events
        assert isinstance(event, AgencyActed | AgencyActionFailed)
        how = "succeeded" if isinstance(event, AgencyActed) else event.outcome
        first, last = (f"{at:%d %H:%M:%S}" for at in (event.first_at, event.last_at))
        found.append((f"{event.service}:{event.action}", how, event.calls, first, last))
    return found


def test_calls_of_one_day_are_one_sum_with_the_first_and_the_last(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        by_role("e-2", "10:00:00"),
        by_role("e-3", "17:30:00"),
        by_role("e-1", "08:15:00"),
    )
    assert sums("cloudtrail", path) == [
        ("ec2:RunInstances", "succeeded", 3, "03 08:15:00", "03 17:30:00")
    ]


def test_a_sum_tells_the_account_the_role_and_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", by_role("e-1", "08:15:00"))
    [observation] = used("cloudtrail", path)
    assert observation.account == ACCOUNT
    assert observation.effective_at == instant("2026-02-03T08:15:00Z")
    assert observation.events == (
        AgencyActed(
            agency="builder",
            agency_id="AROABUILDER",
            region="eu-west-1",
            service="ec2",
            action="RunInstances",
            calls=1,
            first_at=instant("2026-02-03T08:15:00Z"),
            last_at=instant("2026-02-03T08:15:00Z"),
            file_digest=hashlib.sha256(path.read_bytes()).hexdigest(),
            traces=hashlib.sha256(b"e-1").hexdigest()[:12],
        ),
    )


def test_refused_and_failed_calls_are_sums_of_their_own(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        by_role("e-1", "08:00:00"),
        by_role("e-2", "09:00:00", errorCode="Client.UnauthorizedOperation"),
        by_role("e-3", "09:30:00", errorCode="AccessDenied"),
        by_role("e-4", "10:00:00", errorCode="Client.VcpuLimitExceeded"),
    )
    assert [each[1:4] for each in sums("cloudtrail", path)] == [
        ("failed", 1, "03 10:00:00"),
        ("refused", 2, "03 09:00:00"),
        ("succeeded", 1, "03 08:00:00"),
    ]


def test_each_day_and_each_region_has_a_sum_of_its_own(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        by_role("e-1", "23:59:59"),
        by_role("e-2", "00:00:00", eventTime="2026-02-04T00:00:00Z"),
        by_role("e-3", "23:59:59", awsRegion="us-east-1"),
    )
    assert sorted(each[3] for each in sums("cloudtrail", path)) == [
        "03 23:59:59",
        "03 23:59:59",
        "04 00:00:00",
    ]


def test_the_account_is_the_one_of_the_role(tmp_path: Path) -> None:
    """A role calls another account, whose trail has the record too."""
    path = written(
        tmp_path / "a.json", by_role("e-1", "08:00:00", recipientAccountId="999988887777")
    )
    assert [each.account for each in used("cloudtrail", path)] == [ACCOUNT]


def test_a_record_counts_whatever_else_it_is(tmp_path: Path) -> None:
    """A fact, a read-only call, and a call that is not understood."""
    path = written(
        tmp_path / "a.json",
        by_role("e-1", "08:00:00", "DescribeInstances", readOnly=True),
        by_role(
            "e-2",
            "09:00:00",
            "DeleteRole",
            eventSource="iam.amazonaws.com",
            requestParameters={"roleName": "old"},
        ),
        by_role("e-3", "10:00:00"),
    )
    found, report = read("cloudtrail", path)
    assert len(found) == 1
    assert report.accounted() == 3
    assert [each[0] for each in sums("cloudtrail", path)] == [
        "ec2:DescribeInstances",
        "ec2:RunInstances",
        "iam:DeleteRole",
    ]


def test_a_record_that_a_file_has_twice_counts_once(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", by_role("e-1", "08:00:00"), by_role("e-1", "08:00:00"))
    assert [each[2] for each in sums("cloudtrail", path)] == [1]


def test_a_sum_names_its_traces_while_they_are_few(tmp_path: Path) -> None:
    names = {}
    for count in (TRACES_KEPT_MAX, TRACES_KEPT_MAX + 1):
        records = [by_role(f"e-{n}", "08:00:00") for n in range(count)]
        [observation] = used("cloudtrail", written(tmp_path / "a.json", *records))
        [event] = observation.events
        assert isinstance(event, AgencyActed)
        names[count] = event.traces
    digests = sorted(hashlib.sha256(f"e-{n}".encode()).hexdigest()[:12] for n in range(32))
    assert names == {TRACES_KEPT_MAX: "".join(digests), TRACES_KEPT_MAX + 1: None}


def test_an_agency_of_huawei_cloud_counts_by_its_name_and_id(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        by_agency("t-1", 1769990400000),
        by_agency("t-2", 1769990460000, trace_rating="warning", code="403"),
        by_agency("t-3", 1769990520000, trace_rating="incident", code="500"),
        envelope="traces",
    )
    found = used("cts", path)
    assert {each.account for each in found} == {DOMAIN}
    named = {(e.agency, e.agency_id, e.region) for each in found for e in each.events}  # type: ignore[attr-defined]
    assert named == {("asm_admin_trust", "0a0b0c0d0e0f", "cn-north-4")}
    assert [each[:3] for each in sums("cts", path)] == [
        ("elb:createLoadbalancer", "failed", 1),
        ("elb:createLoadbalancer", "refused", 1),
        ("elb:createLoadbalancer", "succeeded", 1),
    ]


USERS: Mapping[str, object] = {
    "an object in a text": json.dumps(by_agency("t", 1)["user"]),
    "without the session's URN": {
        "type": "AssumedAgency",
        "name": "acme/asm_admin_trust",
        "domain": {"id": DOMAIN},
        "principal_id": "0a0b0c0d0e0f:mesh",
    },
    "of an older trace, by its name alone": {
        "name": "asm_admin_trust",
        "domain": {"id": DOMAIN},
        "assumedBy": {"user": {"name": "ann"}},
    },
    "the issuer of the session": {
        "domain": {"id": DOMAIN},
        "session_context": {"session_issuer": {"type": "Agency", "user_name": "asm_admin_trust"}},
    },
}


@pytest.mark.parametrize("user", USERS.values(), ids=list(USERS))
def test_an_agency_is_known_in_each_shape_of_the_user(tmp_path: Path, user: object) -> None:
    path = written(
        tmp_path / "a.json", by_agency("t-1", 1769990400000, user=user), envelope="traces"
    )
    [observation] = used("cts", path)
    assert observation.account == DOMAIN
    assert [event.agency for event in observation.events] == ["asm_admin_trust"]  # type: ignore[attr-defined]


def test_a_file_that_is_read_again_is_known(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", by_role("e-1", "08:00:00"), by_role("e-2", "09:00:00"))
    with ledger(tmp_path) as opened:
        first, again = (opened.observe(used("cloudtrail", path)) for _ in range(2))
    assert (first.by_type["AgencyActed"], again.entries) == (1, 0)
    assert first.new_traces == again.known_traces == 0, "a sum is not a trace"


_MUCH: Final = b"x" * 3 * PIECE_BYTES
"""So much follows the break that it is not read by chance."""


def _damaged_gzip(whole: bytes) -> bytes:
    return gzip.compress(whole) + b"not gzip" + _MUCH


def _damaged_json(whole: bytes) -> bytes:
    return whole[:-2] + b"; " + _MUCH


@pytest.mark.parametrize("broken", [_damaged_gzip, _damaged_json])
def test_a_file_that_breaks_has_the_sums_of_what_was_read(
    tmp_path: Path, broken: Callable[[bytes], bytes]
) -> None:
    records = [by_role(f"e-{n}", "08:00:00") for n in range(50)]
    path = written(tmp_path / "a.json", *records)
    path.write_bytes(broken(path.read_bytes()))
    [observation] = used("cloudtrail", path)
    [event] = observation.events
    assert isinstance(event, AgencyActed)
    assert event.calls == 50
    assert event.file_digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_of_too_many_names_sums_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "KEYS_MAX", 3)
    records = [by_role(f"e-{n}", "08:00:00", f"Call{n}") for n in range(10)]
    found = sums("cloudtrail", written(tmp_path / "a.json", *records))
    assert len(found) == 4
    assert (f"other:{OTHER_ACTIONS}", "succeeded", 7, "03 08:00:00", "03 08:00:00") in found


@pytest.mark.parametrize(
    "odd",
    [
        {"eventTime": "soon"},
        {"eventTime": None},
        {"eventTime": "2099-01-01T00:00:00Z"},
        {"eventSource": ["ec2"]},
        {"eventName": {}},
        {"userIdentity": {"type": "AssumedRole"}},
        {"userIdentity": {"type": ["AssumedRole"]}},
        {"userIdentity": {"type": "AssumedRole", "arn": 7, "accountId": {}, "sessionContext": []}},
    ],
)
def test_a_record_of_odd_shape_does_not_count_and_hinders_nothing(
    tmp_path: Path, odd: Record
) -> None:
    path = written(
        tmp_path / "a.json", by_role("e-1", "08:00:00", **odd), by_role("e-2", "09:00:00")
    )
    assert [each[2:4] for each in sums("cloudtrail", path)] == [(1, "03 09:00:00")]


def test_odd_words_become_words_that_an_entry_can_have(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        by_role("e-1", "08:00:00", "A\nB" * 200, eventSource="Ärger mit.X", awsRegion="a b"),
        by_role("e-2", "08:00:00", userIdentity=by_role("", "")["userIdentity"] | {"arn": "x"}),
    )
    [first, second] = used("cloudtrail", path)
    events = {e.service: e for each in (first, second) for e in each.events}  # type: ignore[attr-defined]
    assert set(events) == {"ec2", "rger-mit.x"}
    assert events["rger-mit.x"].region is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("account", ["\ud800", "a b", "x" * 65])
def test_an_account_that_no_ledger_can_have_does_not_count(tmp_path: Path, account: str) -> None:
    path = written(
        tmp_path / "a.json",
        by_agency(
            "t-1", 1769990400000, user={"type": "AssumedAgency", "name": "x", "account_id": account}
        ),
        by_agency("t-2", 1769990400000),
        envelope="traces",
    )
    with ledger(tmp_path) as opened:
        assert opened.observe(used("cts", path)).by_type["AgencyActed"] == 1
