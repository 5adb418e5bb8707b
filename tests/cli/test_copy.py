"""authledger copy: what it prints, how it ends, and that the copy answers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

INIT = "log init --origin example.com/authledger"

pytestmark = pytest.mark.usefixtures("config")


@pytest.fixture
def told(cli: Cli) -> Cli:
    """A signed ledger."""
    cli.authorize()
    cli.done(INIT)
    return cli


def last(cli: Cli) -> int:
    (row,) = cli.done("log checkpoint -o json").json
    return int(row["size"])


def test_a_copy_says_what_it_did(told: Cli) -> None:
    said = told.done("copy --from ledger.db --to new.db --verify")
    size = last(told)
    root = told.done("log checkpoint").lines[2]
    assert [line.split(maxsplit=1) for line in said.lines] == [
        ["source", "ledger.db"],
        ["target", "new.db"],
        ["copied", str(size)],
        ["already", "there  0"],
        ["size", str(size)],
        ["root", root],
        ["names", "copied"],
        ["verified", "yes"],
    ]
    assert f"copying entries: {size} of {size} events" in said.err


def test_a_copy_answers_as_the_ledger_does_and_is_verified_under_its_key(told: Cli) -> None:
    told.done("copy --from ledger.db --to sqlite:///new.db")
    for question in ("log verify", "agency show asm_admin_trust", "log checkpoint", "subject list"):
        assert told.done(f"{question} --ledger new.db").out == told.done(question).out
    assert told.done("agency list --ledger new.db -o json").json[0]["actor_name"] == "alice"


def test_a_copy_to_postgresql_and_back_and_what_came_since(
    told: Cli, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = last(told)
    (first,) = told.done(f"copy --from ledger.db --to '{database}' --verify -o json").json
    assert first["target"] == database
    assert (first["copied"], first["already_there"], first["size"]) == (size, 0, size)
    assert (first["names"], first["verified"]) == ("copied", True)
    told.done("console login --region ap-southeast-3 --user bob")
    (second,) = told.done(f"copy --from ledger.db --to '{database}' -o jsonl").lines
    assert f'"already_there": {size}' in second
    told.done(f"copy --from '{database}' --to back.db --verify")
    monkeypatch.setenv("AUTHLEDGER_LEDGER", database)
    verdict = told.done("log verify").out
    assert verdict == told.done("log verify --ledger back.db").out
    assert verdict == told.done("log verify --ledger ledger.db").out


def test_names_can_be_left_out(told: Cli) -> None:
    said = told.done("copy --from ledger.db --to new.db --without-names --verify -o csv")
    assert said.lines[1].endswith(",left out,yes")
    assert "alice" not in told.done("subject list --ledger new.db").out
    assert told("log verify --ledger new.db").code == 0


def test_a_target_with_another_history_is_a_conflict(told: Cli) -> None:
    told.done("console login --region cn-east-3 --user eve --ledger other.db")
    before = (told.folder / "other.db").read_bytes()
    said = told("copy --from ledger.db --to other.db")
    assert said.code == 5
    assert "other.db holds another history than ledger.db: position 1 is the first" in said.err
    assert "Nothing was changed" in said.err
    assert (told.folder / "other.db").read_bytes() == before
    assert said.out == ""


def test_a_source_that_was_altered_ends_with_six(told: Cli) -> None:
    with closing(sqlite3.connect(told.ledger)) as db:
        db.execute("DROP TRIGGER events_are_never_changed")
        db.execute("UPDATE events SET entry = replace(entry, 'alice', 'eve') || ' '")
        db.commit()
    said = told("copy --from ledger.db --to new.db")
    assert said.code == 6
    assert (
        "position 1: the entry: the entry is not written as canonical JSON (RFC 8785).\n"
        in said.err
    )


def test_a_copy_that_is_not_verified_ends_with_six(told: Cli) -> None:
    told.done("copy --from ledger.db --to new.db")
    with closing(sqlite3.connect(told.folder / "new.db")) as db:
        db.execute("UPDATE commands SET last_position = last_position + 1")
        db.commit()
    said = told("copy --from ledger.db --to new.db --verify")
    assert said.code == 6
    assert "verified       no" in said.out
    assert "command " in said.err
    assert "The copy is not verified" in said.err


def test_what_is_no_ledger_is_told(told: Cli, tmp_path: Path) -> None:
    assert told("copy --from nothing.db --to new.db").code == 4
    assert told("copy --from ledger.db --to mysql://x/y").code == 2
    assert told("copy --from ledger.db --to ledger.db").code == 2
    assert told("copy --from ledger.db").code == 2
    assert told("copy --from ledger.db --to new.db -o xml").code == 2
    with closing(sqlite3.connect(tmp_path / "stranger.db")) as db:
        db.execute("CREATE TABLE mine (a)")
    assert told("copy --from ledger.db --to stranger.db").code == 7
    unreachable = "postgresql://alice:secret@127.0.0.1:1/audit"
    said = told(f"copy --from ledger.db --to {unreachable}")
    assert said.code == 7
    assert "secret" not in said.err
    assert not (tmp_path / "new.db").exists()
