"""authledger log verify: what it prints, its exit codes, and when it replaces a pin."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.merkle.signing import Algorithm, Signer, Verifier
from ledger.verification.verdict import verify
from tests.cli.conftest import Cli
from tests.ledger.worlds import traces

INIT = "log init --origin example.com/authledger"

pytestmark = pytest.mark.usefixtures("config")


@pytest.fixture
def key(cli: Cli) -> str:
    """A signed ledger; its verifier key."""
    cli.authorize()
    return cli.done(INIT).out.strip()


def delete_an_entry(cli: Cli) -> None:
    with closing(sqlite3.connect(cli.ledger)) as db:
        db.execute("DROP TRIGGER events_are_never_deleted")
        db.execute("DELETE FROM events WHERE position = 3")
        db.commit()


def test_the_verdict_on_an_unaltered_ledger_lists_what_was_not_checked(cli: Cli, key: str) -> None:
    said = cli.done(f"log verify --key {key}")
    assert said.out.startswith("Verified: all ")
    assert "entries of example.com/authledger, against its checkpoint of" in said.out
    assert "Not checked: whether an older, genuine copy" in said.err
    assert "Not checked: the views" in said.err


def test_without_an_option_the_key_of_this_machine_is_used(cli: Cli, key: str) -> None:
    assert cli.done("log verify").out == cli.done(f"log verify --key {key}").out


def test_findings_are_printed_and_the_exit_code_is_6(cli: Cli, key: str) -> None:
    delete_an_entry(cli)
    said = cli(f"log verify --key {key}")
    assert said.code == 6
    assert "position 4: expected position 3 here: an entry was removed" in said.out
    assert "The ledger is not verified" in said.err
    document = cli(f"log verify --key {key} -o json")
    assert document.code == 6
    (verdict,) = document.json
    assert verdict["verified"] is False
    findings = [f"{each['place']}: {each['what']}" for each in verdict["findings"]]
    assert findings == said.lines
    assert verdict["not_checked"]


def test_a_ledger_without_a_checkpoint_is_not_verified(cli: Cli) -> None:
    cli.authorize()
    said = cli("log verify")
    assert said.code == 6
    assert "checkpoint: the ledger stores no checkpoint" in said.out


def test_a_ledger_is_not_verified_without_a_key(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert key
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(tmp_path / "elsewhere"))
    said = cli("log verify")
    assert said.code == 6
    assert "key: no verifier key was given" in said.out


def test_a_ledger_is_not_verified_while_no_checkpoint_covers_its_last_entries(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLEDGER_CHECKPOINT_EVERY", "0")
    cli.done("console login --region cn-east-3 --user alice")
    said = cli(f"log verify --key {key}")
    assert said.code == 6
    assert "tail: the checkpoint covers" in said.out
    cli.done("log checkpoint")
    cli.done(f"log verify --key {key}")


def test_a_pin_is_replaced_after_a_success_only(cli: Cli, key: str, tmp_path: Path) -> None:
    pin = tmp_path / "auditor" / "pin"
    pin.parent.mkdir()
    pin.write_text(cli.done("log checkpoint").out)
    before = pin.read_text()
    cli.done("console login --region cn-east-3 --user alice")
    said = cli.done(f"log verify --key {key} --since {pin}")
    assert "now holds the checkpoint of" in said.err
    assert "older, genuine copy" not in said.err, "that is checked now"
    assert pin.read_text() == cli.done("log checkpoint").out != before
    replaced = pin.read_text()
    delete_an_entry(cli)
    assert cli(f"log verify --key {key} --since {pin}").code == 6
    assert pin.read_text() == replaced
    assert list(pin.parent.iterdir()) == [pin], "no temporary file is left"


def test_a_missing_pin_is_not_found(cli: Cli, key: str) -> None:
    said = cli(f"log verify --key {key} --since nothing-here")
    assert said.code == 4
    assert "authledger log checkpoint > FILE" in said.err


@pytest.mark.parametrize(
    "content", ["", "nonsense", "example.com/other\n1\nAAAA\n\n— x AAAAAAAA\n"]
)
def test_a_pin_that_is_not_a_checkpoint_is_refused(
    cli: Cli, key: str, tmp_path: Path, content: str
) -> None:
    pin = tmp_path / "pin"
    pin.write_text(content)
    said = cli(f"log verify --key {key} --since {pin}")
    assert said.code == 2
    assert "is not a valid checkpoint under the keys given" in said.err


@pytest.mark.parametrize("vkey", ["x", "example.com/authledger+00000000+AAAA"])
def test_a_key_that_is_not_valid_is_refused(cli: Cli, key: str, vkey: str) -> None:
    assert key
    said = cli(f"log verify --key {vkey}")
    assert said.code == 2
    assert "is not a valid verifier key" in said.err


def test_an_unreadable_signers_record_is_a_finding_and_the_rest_is_verified(
    cli: Cli, key: str, config: Path
) -> None:
    """The error of an append says to run this command."""
    next(config.rglob("last-checkpoint")).write_text("torn")
    said = cli(f"log verify --key {key}")
    assert said.code == 6
    (finding,) = said.lines
    assert finding.startswith("the signer's record: ")
    assert "last-checkpoint, the signer's record, cannot be read" in finding


def test_a_missing_record_is_a_finding_and_the_next_checkpoint_makes_a_new_one(
    cli: Cli, key: str, config: Path
) -> None:
    assert key
    next(config.rglob("last-checkpoint")).unlink()
    said = cli("log verify")
    assert said.code == 6
    assert "the signer's record, is missing, although the key is here" in said.out
    cli.done("log checkpoint")
    cli.done("log verify")


def test_only_keys_that_signed_the_checkpoint_are_printed(cli: Cli, key: str) -> None:
    other = Signer("example.com/other", Algorithm.ED25519, bytes(32)).verifier
    said = cli.done(f"log verify --key {key} --key {other}")
    assert f"signed with the key {Verifier.parse(key).key_id.hex()}." in said.out
    assert other.key_id.hex() not in said.out


def test_a_receipt_is_written_and_the_next_run_says_why_it_does_not_rely_on_it(
    cli: Cli, key: str, tmp_path: Path
) -> None:
    """A small ledger has no whole segment."""
    receipt = tmp_path / "receipt.json"
    first = cli.done(f"log verify --key {key} --receipt {receipt}")
    assert "Receipt:" not in first.err
    assert receipt.exists()
    said = cli.done(f"log verify --key {key} --receipt {receipt}")
    assert said.out == first.out
    assert "Receipt: the receipt was not relied on, and everything was checked in full" in said.err
    assert "it covers fewer than 16384 entries" in said.err
    (document,) = cli.done(f"log verify --key {key} --receipt {receipt} -o json").json
    assert document["only_hashed"] == 0
    assert "it covers fewer than" in document["receipt"]


def test_the_table_and_the_document_say_what_was_relied_on(
    cli: Cli, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        verify, "__kwdefaults__", {**(verify.__kwdefaults__ or {}), "segment_size": 256}
    )
    with Ledger(cli.ledger) as ledger:
        ledger.observe(traces(300))
    cli.done("log checkpoint")
    receipt = tmp_path / "receipt.json"
    cli.done(f"log verify --key {key} --receipt {receipt}")
    relied = "were checked in full on "
    assert relied in cli.done(f"log verify --key {key} --receipt {receipt}").err
    (document,) = cli.done(f"log verify --key {key} --receipt {receipt} -o json").json
    assert document["verified"] is True
    assert document["only_hashed"] == 256 < document["entries"]
    assert relied in document["receipt"]


def test_with_findings_the_receipt_stays_as_it_is(cli: Cli, key: str, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    cli.done(f"log verify --key {key} --receipt {receipt}")
    kept = receipt.read_bytes()
    delete_an_entry(cli)
    assert cli(f"log verify --key {key} --receipt {receipt}").code == 6
    assert receipt.read_bytes() == kept


def test_a_file_that_is_not_a_receipt_is_refused_and_stays(
    cli: Cli, key: str, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text("mine")
    said = cli(f"log verify --key {key} --receipt {receipt}")
    assert said.code == 2
    assert "is not a valid receipt. Nothing was verified" in said.err
    assert receipt.read_text() == "mine"


def test_a_receipt_that_cannot_be_written_is_done_in_part(
    cli: Cli, key: str, tmp_path: Path
) -> None:
    said = cli(f"log verify --key {key} --receipt {tmp_path / 'nowhere' / 'receipt.json'}")
    assert said.code == 9
    assert said.out.startswith("Verified: all ")
    assert "the receipt" in said.err
