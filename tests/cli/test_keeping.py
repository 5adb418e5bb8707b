"""Imports, projections, and people: what keeps a ledger."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from ledger.sources import SOURCES
from tests.cli.conftest import Cli
from tests.sources.cloudtrail.making import call
from tests.sources.cts.making import AGENCY, trace

FIXTURES = Path(__file__).parents[1] / "sources" / "fixtures"


@pytest.fixture
def trails(cli: Cli) -> Cli:
    """One CloudTrail file: a role created, a role listed, something unheard of."""
    records = [_record("1", "CreateRole"), _record("2", "ListRoles"), _record("3", "Dance")]
    (cli.folder / "trail.json").write_text(json.dumps({"Records": records}))
    return cli


def _record(event_id: str, name: str) -> dict[str, object]:
    return {
        "eventVersion": "1.08",
        "eventID": f"00000000-0000-0000-0000-00000000000{event_id}",
        "eventTime": "2026-01-02T03:04:05Z",
        "eventSource": f"{'ec2' if name == 'Dance' else 'iam'}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDA1",
            "arn": "arn:aws:iam::111122223333:user/carol",
            "accountId": "111122223333",
            "userName": "carol",
        },
        "requestParameters": {"roleName": "mesh", "assumeRolePolicyDocument": "{}"},
        "responseElements": {"role": {"roleName": "mesh", "roleId": "AROA1"}},
        "readOnly": name == "ListRoles",
        "recipientAccountId": "111122223333",
    }


def test_an_import_is_idempotent_and_counts_what_it_does_not_understand(trails: Cli) -> None:
    first = trails.done("import cloudtrail trail.json -o json").json
    again = trails.done("import cloudtrail trail.json -o json").json
    assert first["new_traces"] >= 1
    assert (again["new_traces"], again["entries_appended"]) == (0, 0)
    assert again["known_traces"] == first["new_traces"]
    assert first["by_name"]["not_understood"] == {"ec2:Dance": 1}
    table = trails.done("import cloudtrail trail.json")
    assert "ec2:Dance" in table.out
    assert "of" in table.err


def test_malformed_records_are_reported_with_their_place_and_the_rest_is_imported(
    trails: Cli,
) -> None:
    (trails.folder / "broken.json").write_text('{"Records": [\n  {"eventName": ]}')
    (trails.folder / "cut.json.gz").write_bytes(gzip.compress(b'{"Records": []}')[:-9])
    said = trails("import cloudtrail broken.json cut.json.gz trail.json -o json")
    assert said.code == 9
    assert said.json["new_traces"] >= 1
    assert {place["file"] for place in said.json["places"]} == {"broken.json", "cut.json.gz"}
    assert "broken.json: line 2" in said.err
    assert "2 files were not read to the end; all else was imported" in said.err


@pytest.mark.parametrize(
    ("text", "options", "done"),
    [
        ("nonsense", "", "nothing was imported"),
        ('[{"eventName": }', "", "nothing was imported"),
        ("nonsense", "--dry-run", "nothing was read"),
        ('{"a":1}\n{"b":', "", "nothing was imported"),
    ],
)
def test_an_import_of_which_nothing_could_be_read_says_so(
    cli: Cli, text: str, options: str, done: str
) -> None:
    (cli.folder / "odd.json").write_text(text)
    said = cli(f"import cloudtrail odd.json {options}")
    assert said.code == 9
    assert f"; {done}." in said.err
    assert "the rest was" not in said.err
    assert "all else was" not in said.err


def test_an_import_says_how_many_places_it_does_not_list(trails: Cli) -> None:
    (trails.folder / "broken.jsonl").write_text("{}" + "\n{" * 1_004)
    said = trails("import cloudtrail broken.jsonl -o json")
    assert (said.code, said.json["breaks"], len(said.json["places"])) == (9, 1_004, 1_000)
    assert said.json["places_not_listed"] == 5
    assert "5 more records and places could not be read; they are not listed." in said.err


def test_a_dry_import_appends_nothing(trails: Cli) -> None:
    said = trails.done("import cloudtrail trail.json --dry-run -o json")
    assert said.json["entries_appended"] >= 1
    assert not trails.ledger.exists()


@pytest.mark.parametrize("source", SOURCES)
def test_the_examples_of_every_source_can_be_imported(cli: Cli, source: str) -> None:
    shutil.copy(FIXTURES / f"{source}.json", cli.folder / "traces.json")
    said = cli(f"import {source} traces.json -o json")
    assert said.code in (0, 9)
    assert said.json["records"] > 0


def test_an_import_of_a_missing_file_is_not_found_and_makes_no_ledger(cli: Cli) -> None:
    said = cli("import cts missing.json")
    assert said.code == 4
    assert said.err == "Error: There is no file or folder missing.json. Nothing was imported.\n"
    assert not cli.ledger.exists()


def test_a_rebuild_prints_its_certificate(cli: Cli) -> None:
    cli.authorize()
    certificate = cli.done("projection rebuild -o json")
    assert certificate.json["equal"] is True
    assert certificate.json["first_position"] == 1
    assert {"engine", "code_version", "last_position"} <= certificate.json.keys()
    assert "rebuilding regions:" in certificate.err
    table = cli.done("projection rebuild policies").out
    assert "code version" in table
    assert "agencies" not in table.split("PROJECTION")[1]
    assert cli("projection rebuild nonsense").code == 4


def test_the_status_shows_how_far_each_projection_is_behind(cli: Cli) -> None:
    cli.authorize()
    behind = {row["behind"] for row in cli.done("projection status -o json").json}
    assert behind == {10}
    cli.done("projection catch-up")
    assert {row["behind"] for row in cli.done("projection status -o json").json} == {0}


def test_following_prints_the_positions_reached(cli: Cli) -> None:
    cli.authorize()
    assert cli.done("projection follow --until 1 --interval 0.01").out == "10\n"


def test_a_name_is_erased_and_the_history_stays(cli: Cli) -> None:
    cli.authorize()
    (subject,) = [
        row["subject"] for row in cli.done("subject list -o json").json if row["kind"] == "person"
    ]
    assert cli.done(f"subject show {subject} -o json").json[0]["name"] == "alice"
    assert cli(f"subject erase {subject}").code == 2
    erased = cli.done(f"subject erase {subject} --yes --actor dpo --reason request -o json").json
    assert [each["type"] for each in erased][-1] == "SubjectErased"
    assert "alice" not in cli.done("audit trail").out
    assert subject in cli.done("audit trail").out
    assert cli(f"subject show {subject}").code == 4
    assert cli(f"subject erase {subject} --yes").code == 4


def _trail(trails: Cli, name: str, *records: object) -> None:
    path = trails.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Records": list(records)}))


CREATED = call("CreateRole", roleName="worker")
UNPLACED = call("AttachRolePolicy", policyArn="arn:aws:iam::aws:policy/P") | {"eventID": "e-2"}


def test_a_grant_that_could_not_be_placed_is_named_first_and_fails_a_strict_import(
    trails: Cli,
) -> None:
    _trail(trails, "a.json", CREATED, UNPLACED)
    table = trails.done("import cloudtrail a.json").out
    first, _, *_ = table.splitlines()
    assert first == "grants and deletions that could not be placed, by name:"
    assert "iam:AttachRolePolicy (what changed is not named)" in table
    said = trails("import cloudtrail a.json --strict")
    assert said.code == 9
    assert "1 grant or deletion could not be placed" in said.err
    assert trails("import cloudtrail a.json --strict --dry-run").code == 9


def test_a_conflict_is_named_and_fails_a_strict_import(trails: Cli) -> None:
    _trail(trails, "a.json", CREATED)
    _trail(trails, "b.json", CREATED | {"eventTime": "2026-02-01T11:00:00Z"})
    trails.done("import cloudtrail a.json --strict")
    said = trails.done("import cloudtrail b.json")
    assert said.out.startswith("traces that were known with other content, the first ones:\n")
    assert "b.json: e-1: the time" in said.out
    assert trails.done("import cloudtrail b.json -o json").json["conflicts"] == 1
    said = trails("import cloudtrail b.json --strict")
    assert (said.code, "1 trace known with other content" in said.err) == (9, True)


def test_an_import_for_one_account_passes_over_the_others(trails: Cli) -> None:
    other = CREATED | {"recipientAccountId": "222222222222", "eventID": "e-2"}
    _trail(trails, "a.json", CREATED, other)
    said = trails.done("import cloudtrail a.json --account 222222222222 -o json").json
    assert said["by_name"]["passed_over"] == {"iam:CreateRole (of another account)": 1}
    assert (said["new_traces"], said["passed_over"]) == (1, 1)
    accounts = trails.done("query 'SELECT DISTINCT account FROM agencies' -o json").json
    assert accounts == [{"account": "222222222222"}]
    assert trails("import cloudtrail a.json --account 'a b'").code == 2


def test_the_account_of_a_trace_that_names_none_can_be_said(cli: Cli) -> None:
    record = trace("deleteAgency", **AGENCY, user={"name": "lin"})
    (cli.folder / "a.json").write_text(json.dumps([record]))
    said = cli.done("import cts a.json -o json").json
    assert said["by_name"]["not_placed"] == {"IAM:deleteAgency (no account)": 1}
    assert cli.done("import cts a.json --account acme -o json").json["new_traces"] == 1


def test_other_files_in_a_folder_are_passed_over_and_a_folder_of_them_alone_is_an_error(
    trails: Cli,
) -> None:
    _trail(trails, "logs/trail/a.json", CREATED)
    _trail(trails, "logs/insight/a.json", {"eventCategory": "Insight", "insightDetails": {}})
    (trails.folder / "logs" / "insight" / "b.json").write_text('{"webaclId": "w", "action": 1}')
    (trails.folder / "logs" / "insight" / "c.log.gz").write_bytes(b"")
    said = trails.done("import cloudtrail logs -o json").json
    assert said["by_name"]["passed_over"] == {
        "cloudtrail:insight record": 1,
        "other object (keys: action, webaclId)": 1,
    }
    assert said["by_name"]["files_passed_over"] == {"*.log.gz": 1}
    alone = trails("import cloudtrail logs/insight")
    assert alone.code == 4
    assert "There is no trace of AWS CloudTrail in logs/insight (passed over: " in alone.err
    assert "1 × cloudtrail:insight record" in alone.err
    assert "1 × *.log.gz" in alone.err
    both = trails("import cloudtrail logs/trail logs/insight")
    assert (both.code, "all else was imported" in both.err) == (9, True)


def test_a_damaged_record_in_a_folder_is_never_passed_over(trails: Cli) -> None:
    _trail(trails, "logs/a.json", CREATED, {"eventVersion": "1.08", "eventName": "CreateRole"})
    said = trails("import cloudtrail logs -o json")
    assert (said.code, said.json["malformed"], said.json["passed_over"]) == (9, 1, 0)
