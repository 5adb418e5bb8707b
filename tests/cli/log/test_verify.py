"""authledger log verify: what it prints, how it ends, and how a pin moves on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

INIT = "log init --origin example.com/authledger"

pytestmark = pytest.mark.usefixtures("config")


@pytest.fixture
def key(cli: Cli) -> str:
    """A signed ledger; its verifier key."""
    cli.authorize()
    return cli.done(INIT).out.strip()


def altered(cli: Cli) -> None:
    with closing(sqlite3.connect(cli.ledger)) as db:
        db.execute("DROP TRIGGER events_are_never_deleted")
        db.execute("DELETE FROM events WHERE position = 3")
        db.commit()


def test_a_sound_ledger_is_verified_and_what_was_not_checked_is_said(cli: Cli, key: str) -> None:
    said = cli.done(f"log verify --key {key}")
    assert said.out.startswith("Verified: ")
    assert "entries of example.com/authledger, under the checkpoint of" in said.out
    assert "Not checked: whether an older genuine copy" in said.err
    assert "Not checked: the views" in said.err


def test_the_key_of_this_machine_is_taken_where_none_is_given(cli: Cli, key: str) -> None:
    assert cli.done("log verify").out == cli.done(f"log verify --key {key}").out


def test_what_was_found_is_named_and_ends_with_six(cli: Cli, key: str) -> None:
    altered(cli)
    said = cli(f"log verify --key {key}")
    assert said.code == 6
    assert "position 4: it follows on position 2: one was taken out" in said.out
    assert "The ledger is not verified" in said.err
    document = cli(f"log verify --key {key} -o json")
    assert document.code == 6
    (verdict,) = document.json
    assert verdict["verified"] is False
    told = [f"{each['place']}: {each['what']}" for each in verdict["findings"]]
    assert told == said.lines
    assert verdict["not_checked"]


def test_without_a_checkpoint_it_is_not_verified(cli: Cli) -> None:
    cli.authorize()
    said = cli("log verify")
    assert said.code == 6
    assert "checkpoint: there is none" in said.out


def test_without_a_key_it_is_not_verified(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert key
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(tmp_path / "elsewhere"))
    said = cli("log verify")
    assert said.code == 6
    assert "key: none was given" in said.out


def test_a_tail_that_no_checkpoint_covers_is_not_verified(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLEDGER_CHECKPOINT_EVERY", "0")
    cli.done("console login --region cn-east-3 --user alice")
    said = cli(f"log verify --key {key}")
    assert said.code == 6
    assert "tail: no checkpoint covers the last" in said.out
    cli.done("log checkpoint")
    cli.done(f"log verify --key {key}")


def test_a_pin_moves_on_after_a_success_and_only_then(cli: Cli, key: str, tmp_path: Path) -> None:
    pin = tmp_path / "auditor" / "pin"
    pin.parent.mkdir()
    pin.write_text(cli.done("log checkpoint").out)
    before = pin.read_text()
    cli.done("console login --region cn-east-3 --user alice")
    said = cli.done(f"log verify --key {key} --since {pin}")
    assert "moved on from" in said.err
    assert "older genuine copy" not in said.err, "that is checked now"
    assert pin.read_text() == cli.done("log checkpoint").out != before
    moved = pin.read_text()
    altered(cli)
    assert cli(f"log verify --key {key} --since {pin}").code == 6
    assert pin.read_text() == moved
    assert list(pin.parent.iterdir()) == [pin], "nothing is left beside it"


def test_a_pin_that_is_not_there_is_not_found(cli: Cli, key: str) -> None:
    said = cli(f"log verify --key {key} --since nothing-here")
    assert said.code == 4
    assert "authledger log checkpoint > FILE" in said.err


@pytest.mark.parametrize(
    "content", ["", "nonsense", "example.com/other\n1\nAAAA\n\n— x AAAAAAAA\n"]
)
def test_a_pin_that_is_no_checkpoint_is_told(
    cli: Cli, key: str, tmp_path: Path, content: str
) -> None:
    pin = tmp_path / "pin"
    pin.write_text(content)
    said = cli(f"log verify --key {key} --since {pin}")
    assert said.code == 2
    assert "is no checkpoint of these keys" in said.err


@pytest.mark.parametrize("vkey", ["x", "example.com/authledger+00000000+AAAA"])
def test_a_key_that_is_none_is_told(cli: Cli, key: str, vkey: str) -> None:
    assert key
    said = cli(f"log verify --key {vkey}")
    assert said.code == 2
    assert "is no verifier key" in said.err
