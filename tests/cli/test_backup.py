"""authledger backup: consistent, incremental, verified, never overwritten by another history."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("config")


@pytest.fixture
def signed(cli: Cli) -> Cli:
    """A ledger whose log has a key."""
    cli.done("log init --origin example.com/authledger")
    cli.authorize()
    return cli


def altered(path: Path, statement: str) -> None:
    """Alter a file past its triggers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            db.execute(f"DROP TRIGGER {name}")
        db.execute(statement)


def test_a_backup_is_a_ledger_with_the_same_root_and_only_its_owner_reads_it(signed: Cli) -> None:
    (said,) = signed.done("backup kept -o json").json
    kept = signed.folder / "kept"
    assert said["verified"] is True
    assert signed.done("log checkpoint").out == (kept / "checkpoint").read_text()
    about = json.loads((kept / "backup.json").read_text())
    assert (about["size"], about["root"]) == (said["size"], said["root"])
    question = "audit trail -o json"
    assert signed.done(f"{question} --ledger kept/ledger.db").out == signed.done(question).out
    assert {stat.S_IMODE(each.stat().st_mode) for each in kept.iterdir()} == {0o600}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def test_a_later_backup_adds_what_was_appended_since(signed: Cli) -> None:
    (first,) = signed.done("backup kept -o json").json
    signed.authorize("ap-southeast-3")
    (second,) = signed.done("backup kept -o json").json
    assert second["already_there"] == first["size"]
    assert second["copied"] == second["size"] - first["size"] > 0
    (third,) = signed.done("backup kept -o json").json
    assert third["copied"] == 0


def test_a_backup_of_a_ledger_in_use_has_what_is_in_the_write_ahead_log(signed: Cli) -> None:
    with Ledger(signed.ledger) as ledger:
        signed.authorize("ap-southeast-3")
        (said,) = signed.done("backup kept -o json").json
        assert said["size"] == ledger.last_position()


def test_a_backup_of_a_database_is_a_file(
    signed: Cli, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed.done(f"copy --from ledger.db --to '{database}'")
    monkeypatch.setenv("AUTHLEDGER_LEDGER", database)
    signed.done("backup kept")
    assert signed.done("log verify --ledger kept/ledger.db").code == 0


def test_a_rewritten_ledger_does_not_overwrite_its_backup(signed: Cli) -> None:
    signed.done("backup kept")
    kept = signed.folder / "kept"
    before = {each.name: each.read_bytes() for each in kept.iterdir()}
    signed.ledger.unlink()
    signed.authorize("eu-west-101")
    said = signed("backup kept")
    assert said.code == 5
    assert "holds another history" in said.err
    assert {each.name: each.read_bytes() for each in kept.iterdir()} == before


def test_a_ledger_that_is_older_than_its_backup_does_not_overwrite_it(signed: Cli) -> None:
    shutil.copy(signed.ledger, signed.folder / "older.db")
    signed.authorize("ap-southeast-3")
    signed.done("backup kept")
    said = signed("backup kept --ledger older.db")
    assert said.code == 5
    assert "nothing to copy" in said.err


def test_an_altered_entry_is_not_backed_up(signed: Cli) -> None:
    altered(signed.ledger, "UPDATE events SET entry = replace(entry, 'alice', 'mallory')")
    altered(signed.ledger, "UPDATE events SET entry = replace(entry, 'asm', 'asn')")
    said = signed("backup kept")
    assert said.code == 6
    assert not (signed.folder / "kept" / "backup.json").exists()


def test_a_backup_that_was_altered_is_found_by_its_next_run(signed: Cli) -> None:
    signed.done("backup kept")
    kept = signed.folder / "kept"
    before = (kept / "backup.json").read_bytes()
    altered(kept / "ledger.db", "UPDATE events SET entry = replace(entry, 'asm', 'asn')")
    signed.authorize("ap-southeast-3")
    said = signed("backup kept")
    assert said.code == 6
    assert "backup is not verified" in said.err
    assert (kept / "backup.json").read_bytes() == before


def test_a_ledger_is_not_backed_up_onto_itself(signed: Cli) -> None:
    said = signed("backup .")
    assert said.code == 2
    assert "both the source and the target" in said.err


def test_a_restored_backup_that_lacks_entries_is_found_by_the_pin_and_the_record(
    signed: Cli,
) -> None:
    signed.done("backup kept")
    signed.authorize("ap-southeast-3")
    (signed.folder / "pin").write_text(signed.done("log checkpoint").out)
    signed.done("copy --from kept/ledger.db --to restored.db --verify")
    assert signed("log verify --ledger restored.db --since pin").code == 6
    assert signed("log verify --ledger restored.db").code == 6, "the signer's record"
    said = signed("console login --region r --new-region --user a --ledger restored.db")
    assert said.code == 6
    signed.done("backup kept")
    signed.done("copy --from kept/ledger.db --to whole.db --verify")
    assert signed("log verify --ledger whole.db --since pin").code == 0
