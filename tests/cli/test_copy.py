"""authledger copy: what it prints, its exit codes, and that the copy answers."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

INIT = "log init --origin example.com/authledger"

pytestmark = pytest.mark.usefixtures("config")


@pytest.fixture
def signed(cli: Cli) -> Cli:
    """A signed ledger."""
    cli.authorize()
    cli.done(INIT)
    return cli


def last(cli: Cli) -> int:
    (row,) = cli.done("log checkpoint -o json").json
    return int(row["size"])


def test_a_copy_prints_what_it_did(signed: Cli) -> None:
    said = signed.done("copy --from ledger.db --to new.db --verify")
    size = last(signed)
    root = signed.done("log checkpoint").lines[2]
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


def test_a_copy_answers_as_the_ledger_does_and_is_verified_under_its_key(signed: Cli) -> None:
    signed.done("copy --from ledger.db --to sqlite:///new.db")
    for question in ("log verify", "agency show asm_admin_trust", "log checkpoint", "subject list"):
        assert signed.done(f"{question} --ledger new.db").out == signed.done(question).out
    assert signed.done("agency list --ledger new.db -o json").json[0]["actor_name"] == "alice"


def test_a_copy_to_postgresql_and_back_with_later_entries(
    signed: Cli, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = last(signed)
    (first,) = signed.done(f"copy --from ledger.db --to '{database}' --verify -o json").json
    assert first["target"] == database
    assert (first["copied"], first["already_there"], first["size"]) == (size, 0, size)
    assert (first["names"], first["verified"]) == ("copied", True)
    signed.done("console login --region ap-southeast-3 --user bob")
    (second,) = signed.done(f"copy --from ledger.db --to '{database}' -o jsonl").lines
    assert f'"already_there": {size}' in second
    signed.done(f"copy --from '{database}' --to back.db --verify")
    monkeypatch.setenv("AUTHLEDGER_LEDGER", database)
    verdict = signed.done("log verify").out
    assert verdict == signed.done("log verify --ledger back.db").out
    assert verdict == signed.done("log verify --ledger ledger.db").out


def test_names_can_be_left_out(signed: Cli) -> None:
    said = signed.done("copy --from ledger.db --to new.db --without-names --verify -o csv")
    assert said.lines[1].endswith(",left out,yes")
    assert "alice" not in signed.done("subject list --ledger new.db").out
    assert signed("log verify --ledger new.db").code == 6, "it is not said that it is such a copy"
    assert signed("log verify --ledger new.db --without-names").code == 0


def test_a_target_with_another_history_is_a_conflict(signed: Cli) -> None:
    signed.done("console login --region cn-east-3 --user eve --ledger other.db")
    before = (signed.folder / "other.db").read_bytes()
    said = signed("copy --from ledger.db --to other.db")
    assert said.code == 5
    assert "other.db holds another history than ledger.db: position 1 is the first" in said.err
    assert "Nothing was changed" in said.err
    assert (signed.folder / "other.db").read_bytes() == before
    assert said.out == ""


def test_copying_an_altered_source_ends_with_exit_code_6(signed: Cli) -> None:
    with closing(sqlite3.connect(signed.ledger)) as db:
        db.execute("DROP TRIGGER events_are_never_changed")
        db.execute("UPDATE events SET entry = replace(entry, 'alice', 'eve') || ' '")
        db.commit()
    said = signed("copy --from ledger.db --to new.db")
    assert said.code == 6
    assert (
        "position 1: the entry: the entry is not written as canonical JSON (RFC 8785).\n"
        in said.err
    )


def test_a_copy_that_does_not_verify_ends_with_exit_code_6(signed: Cli) -> None:
    signed.done("copy --from ledger.db --to new.db")
    with closing(sqlite3.connect(signed.folder / "new.db")) as db:
        db.execute("UPDATE commands SET last_position = last_position + 1")
        db.commit()
    said = signed("copy --from ledger.db --to new.db --verify")
    assert said.code == 6
    assert "verified       no" in said.out
    assert "command " in said.err
    assert "The copy is not verified" in said.err


def test_each_place_that_is_not_usable_is_an_error(signed: Cli, tmp_path: Path) -> None:
    missing = signed("copy --from nothing.db --to new.db")
    assert missing.code == 4
    assert "Nothing was copied.\nName the ledger to copy with --from." in missing.err
    assert signed("copy --from ledger.db --to mysql://x/y").code == 2
    assert signed("copy --from ledger.db --to ledger.db").code == 2
    assert signed("copy --from ledger.db").code == 2
    assert signed("copy --from ledger.db --to new.db -o xml").code == 2
    with closing(sqlite3.connect(tmp_path / "stranger.db")) as db:
        db.execute("CREATE TABLE mine (a)")
    assert signed("copy --from ledger.db --to stranger.db").code == 7
    unreachable = "postgresql://alice:secret@127.0.0.1:1/audit"
    said = signed(f"copy --from ledger.db --to {unreachable}")
    assert said.code == 7
    assert "secret" not in said.err
    assert not (tmp_path / "new.db").exists()


def test_all_findings_in_a_copy_are_counted(signed: Cli) -> None:
    for number in range(45):
        signed.done(f"console login --region cn-east-3 --user bob --command-id {number}")
    signed.done("copy --from ledger.db --to new.db")
    with closing(sqlite3.connect(signed.folder / "new.db")) as db:
        db.execute("UPDATE commands SET last_position = last_position + 1")
        (count,) = db.execute("SELECT count(*) FROM commands").fetchone()
        db.execute("UPDATE subjects SET name = name || 'x'")
        db.execute("DROP TRIGGER events_are_never_changed")
        db.execute("UPDATE events SET entry = entry || ' '")
        db.commit()
    said = signed("copy --from ledger.db --to new.db --verify")
    assert said.code == 6
    assert count > 45
    assert "… and " in said.err
    counted = re.search(r"The copy is not verified: (\d+) findings", said.err)
    assert counted is not None
    assert int(counted[1]) > 100
