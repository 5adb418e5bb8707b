"""Conditions of reading commands: a word that cannot be is refused, an unheard one is named."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import BEIJING, POLICY, Cli


@pytest.fixture
def story(cli: Cli) -> Cli:
    """One region; the deletion of the policy was refused."""
    cli.authorize(BEIJING, "alice")
    cli(f"policy delete {POLICY} --actor mallory")
    return cli


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("audit trail --event AgencyCreate", "Did you mean 'AgencyCreated'"),
        ("audit trail --event Foo", "Accepted: AgencyActed, AgencyActionFailed, "),
        (
            "audit trail --outcome denied",
            "Accepted: refused, failed, carried-out, admitted, dialog, unknown.",
        ),
        ("audit trail --outcome REFUSED", "Did you mean 'refused'? Accepted: "),
        ("audit trail --origin foo", "Accepted: commanded, observed."),
        (
            "view regions --status grantd",
            "Did you mean 'granted'? Accepted: granted, revoked, not known.",
        ),
        ("view capabilities --status granted", "Accepted: works, broken, unknown."),
        ("view policies --status exist", "Did you mean 'exists'?"),
        ("authorization list --status granted,revoked", "Did you mean 'revoked' or 'granted'"),
        ("view agencies --region cn-north-4", "no column 'region'"),
    ],
)
def test_a_word_that_no_row_can_have_is_refused_with_the_accepted_words(
    story: Cli, line: str, says: str
) -> None:
    said = story(line)
    assert (said.code, said.out) == (2, "")
    assert says in said.err


@pytest.mark.parametrize("form", ["", "-o json"])
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("view regions --region cn-nort-4", "region 'cn-nort-4'|Did you mean 'cn-north-4'?"),
        ("audit trail --agency asm_admin", "agency 'asm_admin'|Did you mean 'asm_admin_trust'?"),
        ("audit trail --actor mallroy", "actor|'mallroy'|Did you mean 'mallory'?"),
        ("audit trail --policy asm", "The policy 'asm' occurs in no entry of this ledger."),
        ("audit why --uses elbb", "service 'elbb'|Did you mean 'elb'?"),
        ("authorization list --service asmm", "service 'asmm'|Did you mean 'asm'?"),
        ("view usage --account 0a1b2c3d4e6f", "Did you mean '0a1b2c3d4e5f'?"),
        ("audit diff @1 --region cn-nort-4", "Did you mean 'cn-north-4'?"),
        ("agency list --account other", "The account 'other' occurs in no entry"),
        ("policy list --provider aws", "The provider 'aws' occurs in no entry"),
    ],
)
def test_an_empty_answer_names_the_word_that_never_occurred(
    story: Cli, line: str, says: str, form: str
) -> None:
    said = story.done(f"{line} {form}")
    for part in says.split("|"):
        assert part in said.err


@pytest.mark.parametrize(
    "line",
    [
        "audit trail --actor alice --outcome refused",
        "audit trail --region cn-north-4 --until 2020-01-01",
        "view regions --status revoked",
    ],
)
def test_words_that_occur_are_not_called_unknown(story: Cli, line: str) -> None:
    assert "occurs in no entry" not in story.done(line).err


@pytest.mark.parametrize(
    ("line", "near"),
    [("agency show asm_admin_turst", "asm_admin_trust"), ("policy show asm-admin", "")],
)
def test_a_name_that_is_not_found_is_answered_with_near_ones(
    story: Cli, line: str, near: str
) -> None:
    said = story(line)
    assert said.code == 4
    assert "occurs in no entry of this ledger" in said.err
    assert near in said.err


@pytest.mark.parametrize(
    "line",
    [
        "view regions",
        "audit diff @1",
        "audit trail",
        "audit why --account 111122223333 --provider aws",
    ],
)
def test_a_region_that_never_occurred_is_named_beside_what_holds_in_all_regions(
    story: Cli, line: str
) -> None:
    """The permissions of an AWS role hold in all regions, so they answer any region."""
    record = {
        "eventVersion": "1.08",
        "eventID": "00000000-0000-0000-0000-000000000001",
        "eventTime": "2026-01-02T03:04:05Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "AttachRolePolicy",
        "awsRegion": "us-east-1",
        "userIdentity": {"type": "Root", "accountId": "111122223333"},
        "requestParameters": {"roleName": "mesh", "policyArn": "arn:aws:iam::aws:policy/Admin"},
        "recipientAccountId": "111122223333",
    }
    (story.folder / "trail.json").write_text(json.dumps({"Records": [record]}))
    story.done("import cloudtrail trail.json")
    said = story.done(f"{line} --region cn-nort-4")
    assert "arn:aws:iam::aws:policy/Admin" in said.out, "what holds in all regions"
    assert "The region 'cn-nort-4' occurs in no entry" in said.err
    assert "Did you mean 'cn-north-4'?" in said.err
    assert "occurs in no entry" not in story.done(f"{line} --region {BEIJING}").err


def test_a_service_that_asks_and_one_that_is_used_are_two_conditions(story: Cli) -> None:
    assert {row["service"] for row in story.done("view regions --uses elb -o json").json} == {"elb"}
    rows = story.done("audit trail --uses elb -o json").json
    assert {row["type"] for row in rows} == {"PermissionGranted"}
    rows = story.done("audit trail --service asm -o json").json
    assert "AuthorizationGranted" in {row["type"] for row in rows}
    for line in ("view regions --service asm", "view authorizations --uses elb"):
        said = story(line)
        assert said.code == 2
        assert "which agencies may use" in said.err
        assert "\\n" not in said.err, "each command stands on a line of its own"
    assert story("audit trail --service asm --uses elb").code == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("audit trail --service elb", "a service that agencies use: --uses elb."),
        ("audit why --service elb", "a service that agencies use: --uses elb."),
        ("audit trail --uses asm", "a service that asks: --service asm."),
        ("view regions --uses asm", "a service that asks: --service asm."),
    ],
)
def test_a_service_in_the_other_part_is_pointed_to(story: Cli, line: str, says: str) -> None:
    assert says in story.done(line).err


def test_an_actor_is_also_known_by_the_surrogate_id(story: Cli) -> None:
    [subject] = [
        row["subject"]
        for row in story.done("subject list -o json").json
        if row["name"] == "mallory"
    ]
    line = f"audit trail --actor {subject} --event AgencyCreated"
    assert "No actor" not in story.done(line).err
