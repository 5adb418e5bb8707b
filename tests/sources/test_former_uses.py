"""Files whose uses an older version added: all sessions of a role were one sum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.account.activity import AgencyActed
from ledger.messages import Observation
from ledger.sources import uses
from tests.sources.reading import ledger, used
from tests.sources.test_sessions import in_session
from tests.sources.test_uses import by_role, sums, written


def formerly(path: Path) -> list[Observation]:
    """The uses of a file as an older version told them: all sessions of a role are one sum."""
    sums: dict[str, list[Observation]] = {}
    for each in used("cloudtrail", path):
        event = each.events[0]
        assert isinstance(event, AgencyActed)
        place = (each.account, event.agency, event.agency_id, event.region)
        key = (*place, event.service, event.action, "succeeded", event.last_at.toordinal())
        named = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:20]
        sums.setdefault(f"use/{event.file_digest[:32]}/{named}", []).append(each)
    return [_as_one(trace_id, each) for trace_id, each in sums.items()]


def _as_one(trace_id: str, sums: list[Observation]) -> Observation:
    first = sums[0]
    calls = sum(event.calls for each in sums for event in each.events)  # type: ignore[attr-defined]
    return replace(
        first,
        events=(first.events[0].model_copy(update={"calls": calls, "traces": None}),),
        source=replace(first.source, trace_id=trace_id),
        names={},
        former_trace_id=None,
    )


def test_uses_that_an_older_version_added_without_sessions_are_known(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        in_session("e-1", "ann"),
        in_session("e-2", "ben"),
        in_session("e-3", ""),
    )
    with ledger(tmp_path) as opened:
        assert opened.observe(formerly(path)).by_type["AgencyActed"] == 1
        for complete in (False, True):
            assert opened.observe(used("cloudtrail", path), complete=complete).entries == 0
        acted = [each.event for each in opened.history() if isinstance(each.event, AgencyActed)]
    assert [event.calls for event in acted] == [3]


def test_other_uses_of_a_file_that_an_older_version_read_in_part_are_added(tmp_path: Path) -> None:
    records = [in_session(f"e-{n}", f"run-{n}") for n in range(3)]
    path = written(tmp_path / "a.json", *records, by_role("e-9", "08:00:00", "StopInstances"))
    with ledger(tmp_path) as opened:
        opened.observe(each for each in formerly(path) if each.events[0].action == "RunInstances")  # type: ignore[attr-defined]
        added = opened.observe(used("cloudtrail", path))
    assert added.by_type["AgencyActed"] == 1


def test_sessions_do_not_decide_which_actions_have_sums_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "KEYS_MAX", 2)
    records = [in_session(f"e-{n}", f"run-{n}") for n in range(4)]
    path = written(tmp_path / "a.json", *records, by_role("e-9", "08:00:00", "StopInstances"))
    assert [each[0] for each in sums("cloudtrail", path)] == [
        *["ec2:RunInstances"] * 3,
        "ec2:StopInstances",
    ]
