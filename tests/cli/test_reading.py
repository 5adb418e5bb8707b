"""Views now and then, the audit trail, replay, diff, why, and SQL."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from tests.cli.conftest import BEIJING, POLICY, SINGAPORE, Cli


@pytest.fixture
def story(cli: Cli) -> Cli:
    """Two regions; Singapore was given up again."""
    cli.authorize(BEIJING, "alice")
    cli.authorize(SINGAPORE, "bob")
    cli(f"policy delete {POLICY} --actor mallory")
    cli.done(f"feature use mesh --region {BEIJING} --actor alice")
    cli.done(f"authorization revoke --region {SINGAPORE} --actor bob --reason leaving")
    return cli


def last_position(cli: Cli) -> int:
    return int(cli.done("projection catch-up -o json").json[0]["position"])


@pytest.mark.parametrize(
    "name",
    [
        "regions",
        "region_agencies",
        "agencies",
        "trustees",
        "policies",
        "capabilities",
        "authorizations",
        "usage",
        "logins",
        "attempts",
    ],
)
@pytest.mark.parametrize("when", ["", "--as-of @6", "--as-of -7d", "--as-of -1h --known-at @6"])
def test_every_view_is_read_now_and_as_of(story: Cli, name: str, when: str) -> None:
    rows = story.done(f"view {name} {when} -o json").json
    if not when:
        assert rows


def test_the_list_of_views_is_what_the_read_side_offers(cli: Cli) -> None:
    assert {"regions", "capabilities"} <= {row["view"] for row in cli.done("view -o json").json}
    unknown = cli("view nonsense")
    assert unknown.code == 4
    assert "capabilities" in unknown.err


def test_a_view_as_of_an_earlier_position_ends_at_a_command(story: Cli) -> None:
    said = story.done("view regions --as-of @7 -o json")
    assert said.err == ("as known at position 3, because position 7 is within a transaction\n")
    assert said.json == []


def test_a_view_as_of_an_earlier_time_and_what_was_known(story: Cli) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    today = story.done(f"view regions --as-of {now} --status granted -o json")
    assert {row["region"] for row in today.json} == {BEIJING}
    assert today.err.startswith("as of 2")
    then = story.done(f"view regions --as-of {now} --known-at @20 -o json")
    assert "position" in then.err
    assert len(then.json) == 8


def test_a_position_that_is_not_written_yet_is_a_usage_error(story: Cli) -> None:
    said = story("view regions --as-of @999")
    assert said.code == 2
    assert "not written yet" in said.err


def test_a_view_is_narrowed_by_flags_and_not_by_the_configured_account(story: Cli) -> None:
    story.done("console login --region eu-west-0 --account other")
    accounts = {row["account"] for row in story.done("view authorizations -o json").json}
    assert accounts == {"0a1b2c3d4e5f", "other"}
    rows = story.done("view authorizations --account other -o json").json
    assert {row["account"] for row in rows} == {"other"}
    rows = story.done("--account other view authorizations -o json").json
    assert {row["account"] for row in rows} == {"other"}


def test_an_agency_of_many_accounts_must_be_named_with_its_account(
    story: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.done("console login --region eu-west-0 --account other")
    story.done("authorization grant --region eu-west-0 --account other")
    monkeypatch.delenv("AUTHLEDGER_ACCOUNT")
    said = story("agency show asm_admin_trust")
    assert said.code == 2
    assert "other" in said.err
    assert story.done("agency show asm_admin_trust --account other -o json").json


def test_all_forms_say_the_same(story: Cli) -> None:
    objects = story.done("view regions -o json").json
    lines = [json.loads(line) for line in story.done("view regions -o jsonl").lines]
    table = list(csv.DictReader(io.StringIO(story.done("view regions -o csv").out)))
    assert objects == lines
    texts = [{k: "" if v is None else str(v) for k, v in row.items()} for row in objects]
    assert texts == table
    assert objects[0]["actor_name"] == "bob"
    plain = story.done("view regions").lines
    assert "  ".join(plain[0].split()) == (
        "REGION  ACCOUNT  AGENCY  AGENCY  ID  SERVICE  POLICY  POLICY  ID  STATUS  ACTOR  SINCE  "
        "POSITION"
    )
    assert len(plain) == 1 + len(objects)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("--event AgencyCreated", {"AgencyCreated"}),
        ("--outcome refused", {"PolicyDeletionAttempted"}),
        ("--actor mallory", {"PolicyDeletionAttempted"}),
        (f"--policy {POLICY} --event PolicyDeletionAttempted", {"PolicyDeletionAttempted"}),
        ("--agency asm_admin_trust --event AgencyCreated", {"AgencyCreated"}),
        (f"--region {SINGAPORE} --actor alice", set()),
        ("--account somebody-else", set()),
        ("--until 2020-01-01", set()),
        ("--since 2020-01-01 --event AuthorizationRevoked", {"AuthorizationRevoked"}),
    ],
)
def test_the_trail_is_filtered(story: Cli, filters: str, expected: set[str]) -> None:
    rows = story.done(f"audit trail {filters} -o json").json
    assert {row["type"] for row in rows} == expected
    story.done(f"audit trail {filters}")


def test_the_trail_names_everybody_who_is_registered(story: Cli) -> None:
    """The registrations alone: nobody who acts is on this page."""
    said = story.done("audit trail --event SubjectRegistered").out
    for name in ("alice", "bob", "mallory"):
        assert f"{name} is registered as p-" in said
    assert "not kept" not in said


def test_the_trail_is_paged_until_its_end(story: Cli) -> None:
    seen: list[int] = []
    after = ""
    while True:
        said = story.done(f"audit trail --limit 7 {after} -o json")
        seen += [row["position"] for row in said.json]
        if "There are more entries" not in said.err:
            break
        after = said.err.split("go on with ")[1].strip(".\n")
    assert seen == list(range(last_position(story), 0, -1))


def test_a_time_range_takes_no_position(story: Cli) -> None:
    assert story("audit trail --since @3").code == 2


def test_one_entry_is_shown_as_stored(story: Cli) -> None:
    from ledger.application import Ledger

    with Ledger(story.place) as ledger:
        stored = ledger.entry_text(6)
    assert story.done("audit show 6").out == f"{stored}\n"
    assert story.done("audit show 6 -o json").json == json.loads(stored)
    assert story("audit show 999").code == 4


def test_history_is_replayed_with_the_change_that_each_event_makes(story: Cli) -> None:
    printed = story.done("audit replay -o json").json
    assert [each["position"] for each in printed] == list(range(1, last_position(story) + 1))
    changes = {(each["type"], each["change"]) for each in printed}
    for change in (
        ("AuthorizationGranted", "authorization of asm in cn-north-4: requested → granted"),
        ("AgencyCreated", "agency asm_admin_trust: does not exist → exists"),
        ("PolicyDeletionAttempted", "on record only: nothing changes"),
        ("AuthorizationRevoked", "authorization of asm in ap-southeast-3: granted → revoked"),
    ):
        assert change in changes


def test_a_part_of_history_is_replayed_from_what_was_before_it(story: Cli) -> None:
    whole = story.done("audit replay -o json").json
    part = story.done("audit replay --from 12 --to 20 -o json").json
    assert part == whole[11:20]
    assert "requested → granted" in story.done("audit replay").out
    assert story("audit replay --from 9 --to 3").code == 2
    assert story("audit replay --to 999").code == 2


def test_two_instants_are_compared(story: Cli) -> None:
    changes = story.done("audit diff -7d -o json").json
    assert {row["change"] for row in changes} == {"new"}
    before = next(
        row["position"]
        for row in story.done("audit trail --event AuthorizationRevoked -o json").json
    )
    said = story.done(f"audit diff @{before - 1} --view regions -o json")
    assert {(row["before"], row["after"]) for row in said.json} == {("granted", "revoked")}
    assert story.done(f"audit diff @{before} @{before - 1} -o json").json == []
    assert "Nothing changed." in story.done("audit diff now").err


def test_why_prints_the_chain_of_events(story: Cli) -> None:
    chain = story.done(f"audit why --region {SINGAPORE} --uses elb -o json").json
    printed = [(each["event"], each["role"]) for each in chain]
    assert printed == [
        ("AuthorizationRequested", "cause"),
        ("AuthorizationGranted", "cause"),
        ("PermissionGranted", "change"),
        ("AuthorizationRevoked", "cause"),
        ("PermissionRevoked", "change"),
    ]
    by_position = {each["position"]: each["event"] for each in chain}
    causes = [by_position.get(each["because_of"]) for each in chain]
    assert causes[1:] == [
        "AuthorizationRequested",
        "AuthorizationGranted",
        None,
        "AuthorizationRevoked",
    ]
    nothing = story("audit why")
    assert nothing.code == 2
    assert "Nothing to explain: name a region" in nothing.err


def test_sql_reads_and_never_writes(story: Cli) -> None:
    said = story.done("query 'SELECT count(*) AS n, 1 AS n FROM audit_trail' -o json")
    assert said.json == [{"n": last_position(story), "n_2": 1}]
    for sql in ("DELETE FROM events", "DROP VIEW policies", "PRAGMA user_version = 3", "nonsense"):
        assert story(f"query '{sql}'").code == 2


def test_sql_is_read_from_stdin_and_limited(story: Cli) -> None:
    many = "CAST('inf' AS double precision)" if isinstance(story.place, str) else "9e999"
    said = story.done(f'query "SELECT {many} AS many, -{many} AS few, 0.5 AS half" -o json')
    assert said.json == [{"many": "inf", "few": "-inf", "half": 0.5}]
    headings = story.done("query 'SELECT 1 AS \"max(issued_at)\"'").out
    assert headings.splitlines()[0] == "MAX(ISSUED_AT)"
    assert story("query - -o csv", stdin="SELECT 42 AS answer").out == "answer\n42\n"
    said = story.done("query 'SELECT position FROM audit_trail' --row-limit 3 -o json")
    assert len(said.json) == 3
    assert "more rows than 3" in said.err
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    assert "longer than 0.2 s" in story(f"query '{endless}' --time-limit 0.2").err


def test_the_catalogue_says_what_a_service_asks_for_and_from_where(cli: Cli) -> None:
    assert {row["code"] for row in cli.done("catalogue list -o json").json} >= {"asm"}
    said = cli.done("catalogue show asm").out
    assert "Elastic Load Balance" in said
    assert "sources:" in said
    assert cli.done("catalogue show asm -o json").json["code"] == "asm"
    assert cli("catalogue show nonsense").code == 2


def test_every_service_of_the_catalogue_is_shown_line_by_line(cli: Cli) -> None:
    for row in cli.done("catalogue list -o json").json:
        said = cli.done(f"catalogue show {row['code']} --provider {row['provider']}")
        assert "\ncredentials live" in said.out
        assert "\\n" not in said.out


def test_why_says_which_changes_it_does_not_list(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.authorize()
    assert "are listed" not in cli.done("audit why --service asm").err
    monkeypatch.setattr("projections.audit.why.CHANGES_MAX", 1)
    said = cli.done("audit why --agency asm_admin_trust")
    assert "PermissionGranted: only the first 1 are listed" in said.err


def test_a_second_statement_is_refused(cli: Cli) -> None:
    cli.authorize()
    said = cli("query 'SELECT 1; SELECT 2'")
    assert said.code == 2
    assert ".." not in said.err


@pytest.mark.parametrize(
    "line", ["view regions", "audit trail", "query 'SELECT 1'", "subject list"]
)
def test_reading_commands_open_the_views_and_no_ledger(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    cli.authorize()
    monkeypatch.setattr("ledger.application.Ledger.__init__", lambda *_, **__: 1 / 0)
    assert cli(line).code == 0


@pytest.mark.parametrize(
    "listing", ["view regions", "agency list", "policy list", "authorization list"]
)
def test_a_list_ends_at_its_limit_and_says_so(story: Cli, listing: str) -> None:
    story.done("agency create other --policy mine --actor alice")
    whole = story.done(f"{listing} -o json").json
    some = story.done(f"{listing} --limit 1 -o json")
    assert some.json == whole[:1]
    assert "There are more rows than 1." in some.err
    assert "more rows" not in story.done(f"{listing} --limit {len(whole)}").err
