"""authledger document: list, show and erase the texts that traces brought."""

from __future__ import annotations

import pytest

from ledger.application import Ledger
from tests.cli.conftest import Cli
from tests.ledger.kept import READ, TRUST, change_seen, document, policy_seen, trust_seen
from tests.ledger.scenario import ACCOUNT

READ_DOCUMENT, TRUST_DOCUMENT = document(READ), document(TRUST)


@pytest.fixture
def kept(cli: Cli) -> Cli:
    """A ledger with a policy's document, a trust's, and a text that is not JSON."""
    with Ledger(cli.place) as ledger:
        ledger.observe(
            [
                policy_seen("t1", READ),
                policy_seen("t2", READ, "others"),
                trust_seen("t3", TRUST),
                policy_seen("t4", "not JSON", "odd"),
            ]
        )
    return cli


def test_a_document_is_shown_by_the_first_digits_of_its_digest(kept: Cli) -> None:
    said = kept.done(f"document show {READ_DOCUMENT.digest[:8]}")
    assert said.json == READ
    assert "\n" in said.out.strip(), "indented"
    assert READ_DOCUMENT.digest in said.err
    assert kept.done(f"document show {READ_DOCUMENT.digest} -o json").json == READ


def test_the_exact_text_has_the_digest(kept: Cli) -> None:
    said = kept.done(f"document show {READ_DOCUMENT.digest} -o jsonl")
    assert said.out == f"{READ_DOCUMENT.text}\n"


def test_the_list_says_where_each_document_is_used_and_whether_its_text_is_kept(kept: Cli) -> None:
    rows = kept.done("document list -o json").json
    used = [(r["document"], r["text"], r["policy"], r["agency"], r["type"]) for r in rows]
    odd = document("not JSON").digest
    assert used == [
        (READ_DOCUMENT.digest, "kept", "readers", None, "PolicyCreated"),
        (READ_DOCUMENT.digest, "kept", "others", None, "PolicyCreated"),
        (TRUST_DOCUMENT.digest, "kept", None, "helpers", "AgencyCreated"),
        (odd, "not kept", "odd", None, "PolicyCreated"),
    ]
    assert [row["bytes"] for row in rows][:1] == [READ_DOCUMENT.size]
    assert [row["position"] for row in rows] == [2, 3, 4, 5]


def test_an_erased_document_is_known_by_its_digest_alone(kept: Cli) -> None:
    digest = TRUST_DOCUMENT.digest
    assert kept(f"document erase {digest}").code == 2, "nobody can be asked"
    entries = kept.done(
        f"document erase {digest[:10]} --yes --actor dpo --reason 'a request' -o json"
    ).json
    assert [each["type"] for each in entries] == ["SubjectRegistered", "DocumentErased"]
    said = kept(f"document show {digest}")
    assert said.code == 4
    assert "only the digest is known: it was erased" in said.err
    assert kept(f"document erase {digest} --yes").code == 4
    rows = kept.done("document list -o json").json
    assert {row["text"] for row in rows if row["document"] == digest} == {"erased"}
    assert "erased the text of the document" in kept.done("audit trail").out
    assert "zoe.of.nowhere" not in kept.done("audit trail -o json").out


def test_a_text_that_was_never_kept_says_so(kept: Cli) -> None:
    said = kept(f"document show {document('not JSON').digest}")
    assert said.code == 4
    assert "is not JSON" in said.err


@pytest.mark.parametrize(
    ("digest", "code", "words"),
    [
        ("abc", 2, "is not a valid digest"),
        ("XYZ12345", 2, "is not a valid digest"),
        ("0000000000", 4, "No event refers to a document"),
    ],
)
def test_a_digest_that_names_no_document_is_refused(
    kept: Cli, digest: str, code: int, words: str
) -> None:
    for what in ("show", "erase --yes"):
        said = kept(f"document {what} {digest}")
        assert said.code == code
        assert words in said.err


def test_a_prefix_of_two_digests_is_refused(cli: Cli) -> None:
    by_prefix: dict[str, list[object]] = {}
    for number in range(1500):
        value = {"Statement": [number]}
        by_prefix.setdefault(document(value).digest[:4], []).append(value)
    prefix, (one, other, *_) = next(each for each in by_prefix.items() if len(each[1]) > 1)
    with Ledger(cli.place) as ledger:
        ledger.observe([policy_seen("t1", one), policy_seen("t2", other, "others")])
    said = cli(f"document show {prefix}")
    assert said.code == 2
    assert "2 documents begin with" in said.err


def test_verification_says_how_many_texts_are_not_kept(kept: Cli) -> None:
    kept("log init --origin example.com/log")
    found = kept("log verify -o json").json[0]
    clauses = [each for each in found["not_checked"] if "only the digest" in each]
    assert len(clauses) == 1
    assert "1 document:" in clauses[0]


MANY = {"Statement": [{"Effect": "Allow", "Action": [f"ecs:servers:a{n:02}"]} for n in range(14)]}


@pytest.fixture
def changed(kept: Cli) -> Cli:
    """A ledger in which a policy changed to one with many statements."""
    with Ledger(kept.place) as ledger:
        before = ledger.last_position()
        ledger.observe([change_seen("t9", MANY, version=None)])
        assert ledger.last_position() == before + 1
    return kept


def test_a_policy_is_shown_with_the_document_in_force(changed: Cli) -> None:
    digest = document(MANY).digest
    said = changed.done(f"policy show readers --account {ACCOUNT}")
    assert f"document: {digest}, since 2026-" in said.out
    assert "ecs:servers:a00" not in said.out
    whole = changed.done(f"policy show readers --account {ACCOUNT} --document").out
    assert '"ecs:servers:a13"' in whole
    shown = changed.done(f"policy show readers --account {ACCOUNT} -o json").json
    assert shown["policy"][0]["document"] == digest
    assert shown["documents"] == {digest: MANY}


def test_a_policy_whose_text_was_erased_is_shown_by_its_digest(changed: Cli) -> None:
    changed.done(f"document erase {document(MANY).digest} --yes --actor dpo")
    assert (
        "only the digest is known"
        in changed.done(f"policy show readers --account {ACCOUNT} --document").out
    )
    shown = changed.done(f"policy show readers --account {ACCOUNT} -o json").json
    assert shown["documents"] == {document(MANY).digest: None}


def test_a_policy_without_any_document_says_so(cli: Cli) -> None:
    cli.done("agency create asm_admin_trust --actor alice")
    said = cli.done("policy show 'asm admin trust policy'")
    assert "document: none is known" in said.out


def test_a_difference_prints_the_first_statements_and_json_has_all(changed: Cli) -> None:
    said = changed.done("audit diff @5").out
    assert said.count("\n  + {") == 10
    assert "  + … and 4 more (-o json has all)" in said
    assert '  - {"Action":["ecs:servers:get"],"Effect":"Allow"}' in said
    (row,) = changed.done("audit diff @5 -o json").json
    assert (len(row["added"]), row["not_known"]) == (14, None)


def test_a_policy_is_shown_by_the_name_at_the_end_of_its_arn(cli: Cli) -> None:
    ours, theirs = "arn:aws:iam::111122223333:policy/hoist", "arn:aws:iam::aws:policy/x/Hoist"
    with Ledger(cli.place) as ledger:
        ledger.observe([policy_seen("t1", READ, ours), policy_seen("t2", READ, "hoists")])
    assert (
        cli.done(f"policy show hoist --account {ACCOUNT} -o json").json["policy"][0]["policy"]
        == ours
    )
    assert (
        cli.done(f"policy show {ours} --account {ACCOUNT} -o json").json["policy"][0]["policy"]
        == ours
    )
    assert cli(f"policy show hois --account {ACCOUNT}").code == 4
    with Ledger(cli.place) as ledger:
        ledger.observe([policy_seen("t3", READ, theirs)])
    said = cli(f"policy show hoist --account {ACCOUNT}")
    assert said.code == 2
    assert f"2 policies have the name 'hoist': {ours}, {theirs}." in said.err
    assert f"authledger policy show {ours}" in said.err
