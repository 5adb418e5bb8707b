"""Each session of an agency has a sum of its own, with the names behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.account.activity import (
    SESSIONS_MAX,
    AgencyActed,
    AgencyActionFailed,
)
from tests.sources.reading import ledger, used
from tests.sources.test_uses import ACCOUNT, Record, by_agency, by_role, written


def behind(kind: str, path: Path) -> list[tuple[dict[str, str], int]]:
    """The names behind each sum, and its calls."""
    return [
        (dict(each.names), event.calls)
        for each in used(kind, path)
        for event in each.events
        if isinstance(event, AgencyActed | AgencyActionFailed)
    ]


def in_session(event_id: str, session: str, **more: Any) -> Record:
    """A call of the role `builder` in a session."""
    record = by_role(event_id, "08:00:00")
    record["userIdentity"] |= {
        "principalId": f"AROABUILDER:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/builder/{session}",
    }
    record["userIdentity"]["sessionContext"] |= more
    return record


def test_each_session_of_a_role_has_a_sum_with_its_names(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        in_session("e-1", "ann@example.com"),
        in_session("e-2", "i-0abc", sourceIdentity="ben"),
        in_session("e-3", "ann@example.com"),
    )
    assert behind("cloudtrail", path) == [
        ({"session_name": "ann@example.com"}, 2),
        ({"session_name": "i-0abc", "source_identity": "ben"}, 1),
    ]


IDENTITIES: Mapping[str, tuple[Record, dict[str, str]]] = {
    "by the ARN alone": (
        {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/builder/night", "principalId": None},
        {"session_name": "night"},
    ),
    "on behalf of a user of Identity Center": (
        {"onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:store"}},
        {"session_name": "night", "switched_by": "arn:store/u-1"},
    ),
    "the role itself": (
        {
            "type": "Role",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/builder",
            "principalId": "AROABUILDER",
        },
        {},
    ),
}


@pytest.mark.parametrize(("identity", "names"), IDENTITIES.values(), ids=list(IDENTITIES))
def test_a_role_s_session_is_named_in_each_shape_of_the_identity(
    tmp_path: Path, identity: Record, names: dict[str, str]
) -> None:
    record = by_role("e-1", "08:00:00")
    record["userIdentity"] |= identity
    assert behind("cloudtrail", written(tmp_path / "a.json", record)) == [(names, 1)]


AGENTS: Mapping[str, tuple[Record, dict[str, str]]] = {
    "the session's URN": ({}, {"session_name": "mesh"}),
    "its principal id": ({"principal_urn": None}, {"session_name": "mesh"}),
    "a source identity": (
        {"session_context": {"source_identity": "ann"}},
        {"session_name": "mesh", "source_identity": "ann"},
    ),
    "the user who switched": (
        {"assumedBy": {"user": {"name": "ann", "domain": {"name": "acme"}}}},
        {"session_name": "mesh", "switched_by": "acme/ann"},
    ),
}


@pytest.mark.parametrize(("user", "names"), AGENTS.values(), ids=list(AGENTS))
def test_an_agency_s_session_is_named_in_each_shape_of_the_user(
    tmp_path: Path, user: Record, names: dict[str, str]
) -> None:
    record = by_agency("t-1", 1769990400000)
    record["user"] |= user
    path = written(tmp_path / "a.json", record, envelope="traces")
    assert behind("cts", path) == [(names, 1)]


def test_of_too_many_sessions_the_further_ones_have_one_sum_together(tmp_path: Path) -> None:
    records = [in_session(f"e-{n}", f"run-{n}") for n in range(SESSIONS_MAX + 5)]
    records.append(in_session("e-again", "run-0"))
    found = behind("cloudtrail", written(tmp_path / "a.json", *records))
    assert found == [
        ({"session_name": "run-0"}, 2),
        *(({"session_name": f"run-{n}"}, 1) for n in range(1, SESSIONS_MAX)),
        ({}, 5),
    ]
    *_, last = used("cloudtrail", tmp_path / "a.json")
    assert [event.more_sessions for event in last.events] == [True]  # type: ignore[attr-defined]


def test_an_entry_has_neither_the_session_s_name_nor_a_digest_of_it(tmp_path: Path) -> None:
    """A digest of a name without a salt would outlive the name's erasure."""
    one = written(tmp_path / "a.json", in_session("e-1", "ann"), in_session("e-2", "ben"))
    with ledger(tmp_path) as opened:
        opened.observe(used("cloudtrail", one))
        acted = [each for each in opened.history() if isinstance(each.event, AgencyActed)]
        assert [opened.entry_text(each.position or 0).count("ann") for each in acted] == [0, 0]
        names = opened.names(each.event.session_name or "" for each in acted)  # type: ignore[attr-defined]
    assert sorted(names.values()) == ["ann", "ben"]
    ids = {each.source.trace_id.rpartition("/")[2] for each in acted if each.source}
    other = written(tmp_path / "b.json", in_session("e-1", "cid"), in_session("e-2", "dan"))
    assert ids == {each.source.trace_id.rpartition("/")[2] for each in used("cloudtrail", other)}


def test_a_user_and_a_service_are_not_agencies(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        by_role("e-1", "08:00:00", userIdentity={"type": "IAMUser", "userName": "ann"}),
        by_role("e-2", "08:00:00", userIdentity={"type": "AWSService", "invokedBy": "x"}),
        by_role("e-3", "08:00:00", userIdentity=None),
    )
    assert used("cloudtrail", path) == []
