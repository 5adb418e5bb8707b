"""authledger audit diff: what passed between two instants, in every form of output."""

from __future__ import annotations

import csv
import io

import pytest

from ledger.account.policy import PolicyChanged
from ledger.account.unmodelled import NotModelled
from ledger.account.witness import RecordingChanged
from ledger.application import Ledger
from tests.cli.conftest import Cli
from tests.ledger.kept import READ, WRITE, at_hour, document, policy_seen

ATTACH = NotModelled(call="organizations:AttachPolicy", named=("targetId=r-1",))


@pytest.fixture
def undone(cli: Cli) -> Cli:
    """A ledger in which a policy was widened and set back, and a call is not modelled."""
    with Ledger(cli.place) as ledger:
        ledger.observe([policy_seen("t1", READ)])
        for trace in (
            at_hour(10, PolicyChanged(policy="readers"), document(WRITE)),
            at_hour(11, PolicyChanged(policy="readers"), document(READ)),
            at_hour(12, ATTACH),
            at_hour(13, ATTACH),
        ):
            ledger.observe([trace])
    return cli


def test_changes_that_were_undone_and_calls_that_are_not_modelled_are_printed(undone: Cli) -> None:
    said = undone.done("audit diff @2")
    assert "Nothing changed" not in said.err
    assert (
        "No row differs between the two instants, but 1 row changed only in between, "
        "of 2 calls in between it is not known what changed." in said.err
    )
    assert f"document {document(WRITE).digest[:12]}, 2026-" in said.out
    assert "called organizations:AttachPolicy on targetId=r-1, 2026-" in said.out


def test_json_has_each_state_and_each_call_in_between(undone: Cli) -> None:
    policy, calls = undone.done("audit diff @2 -o json").json
    assert (policy["view"], policy["change"], policy["before"]) == (
        "policies", "equal", policy["after"],
    )  # fmt: skip
    assert [each["position"] for each in policy["between"]] == [3, 4]
    assert policy["between"][0]["what"] == f"exists, document {document(WRITE).digest[:12]}"
    assert (calls["change"], calls["after"]) == ("not modelled", "2 calls")
    assert [each["position"] for each in calls["between"]] == [5, 6]
    assert {"at", "what", "actor", "actor_name"} <= calls["between"][0].keys()


def test_csv_has_a_row_for_each(undone: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(undone.done("audit diff @2 -o csv").out)))
    assert [row["change"] for row in rows] == ["equal", "not modelled"]
    assert rows[1]["what"].endswith("organizations:AttachPolicy")


def test_a_script_sees_a_change_that_was_undone(undone: Cli) -> None:
    said = undone("audit diff @2 --exit-code")
    assert said.code == 8
    assert "Condition not met: 1 row changed only in between" in said.err
    only_calls = undone("audit diff @4 --exit-code")
    assert only_calls.code == 8
    assert "of 2 calls in between it is not known what changed" in only_calls.err
    assert "Nothing changed." in undone.done("audit diff now --exit-code").err


def test_a_time_without_recording_is_said_instead_of_nothing_changed(cli: Cli) -> None:
    with Ledger(cli.place) as ledger:
        ledger.observe([policy_seen("t1", READ)])
        ledger.observe([at_hour(10, RecordingChanged(recorder="main", change="stopped"))])
    said = cli("audit diff @2 --exit-code")
    assert said.code == 8
    assert "Nothing changed" not in said.err
    assert "recording was off 1 time, so changes may be missing" in said.err
    assert "the recording by main was stopped, and no call switched it on again" in said.out


def test_many_calls_are_printed_in_part_and_json_has_all(cli: Cli) -> None:
    with Ledger(cli.place) as ledger:
        ledger.observe([at_hour(number, ATTACH) for number in range(14)])
    assert "… and 4 more (-o json has all)" in cli.done("audit diff @0").out
    (calls,) = cli.done("audit diff @0 -o json").json
    assert len(calls["between"]) == 14
