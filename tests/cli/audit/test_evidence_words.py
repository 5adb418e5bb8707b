"""authledger audit evidence: what is said of an answer, and when none is given."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from projections.evidence.make import canonical
from tests.cli.audit.bundle_file import (
    BUNDLE,
    GRANTED,
    NONE,
    parts,
    rewrite,
)
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("question", "code", "saying"),
    [
        ("nothing", 4, "There is no view 'nothing'"),
        ("audit_trail", 4, "audit_trail cannot be used as evidence"),
        ("agencies agency", 2, "write each condition as column=value"),
        ("agencies colour=red", 2, "no column 'colour'"),
        ("", 2, "is not a valid question"),
    ],
)
def test_a_question_that_is_not_valid_is_refused(
    cli: Cli, key: str, question: str, code: int, saying: str
) -> None:
    assert key
    said = cli(f'audit evidence "{question}"')
    assert said.code == code
    assert saying in said.err
    assert not BUNDLE.exists()


def test_without_a_checkpoint_evidence_cannot_be_made(cli: Cli) -> None:
    cli.authorize()
    said = cli(f'audit evidence "{GRANTED}"')
    assert said.code == 4
    assert "no checkpoint" in said.err


def altered_ledger(cli: Cli, alteration: str) -> None:
    with closing(sqlite3.connect(cli.ledger)) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(alteration)
        db.commit()


@pytest.mark.parametrize(
    ("alteration", "question", "finding"),
    [
        (
            "UPDATE events SET entry = replace(entry, 'alice', 'x') || ' '",
            GRANTED,
            "does not match the checkpoint",
        ),
        ("DELETE FROM events WHERE position = 2", NONE, "do not give the root of the checkpoint"),
    ],
)
def test_evidence_is_not_made_from_an_altered_ledger(
    cli: Cli, key: str, alteration: str, question: str, finding: str
) -> None:
    assert key
    cli.done("view regions")
    altered_ledger(cli, alteration)
    said = cli(f'audit evidence "{question}"')
    assert said.code == 6
    assert finding in said.err
    assert "No evidence was written" in said.err
    assert not BUNDLE.exists()


# -- what is said of an answer -------------------------------------------------------------------


NOT_OTHERS = (
    "Not checked: whether other entries change the answer: this evidence does not hold every "
    "entry (--complete)."
)
NOT_LATER = "Not checked: what was appended after the checkpoint, and what was never recorded."
CLAUSES = {GRANTED: [NOT_OTHERS, NOT_LATER], NONE: [NOT_LATER]}


@pytest.mark.parametrize("question", CLAUSES)
def test_every_answer_lists_what_was_not_checked(cli: Cli, key: str, question: str) -> None:
    cli.done(f'audit evidence "{question}"')
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    lines = said.err.splitlines()
    assert [line for line in lines if line.startswith(("Not ", "Note"))] == CLAUSES[question]


OTHER_VERSIONS = {
    "rules": "Note: The evidence was made with the rules other; this program recomputed the answer "
    "with its own, ",
    "catalogue": "Note: The evidence was made with the catalogue other; this program recomputed "
    "the answer with ",
}


@pytest.mark.parametrize("name", OTHER_VERSIONS)
def test_evidence_made_by_another_version_is_noted(cli: Cli, key: str, name: str) -> None:
    """Each of the two by itself, and only the one that differs."""
    cli.done(f'audit evidence "{GRANTED}"')
    of = parts()
    question = json.loads(of["question.json"]) | {name: "other"}
    rewrite({**of, "question.json": canonical(question)})
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    (note,) = (line for line in said.err.splitlines() if line.startswith("Note: "))
    assert note.startswith(OTHER_VERSIONS[name])
    assert note.endswith(", and it is the same.")
