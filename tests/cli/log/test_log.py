"""authledger log init, checkpoint and key show."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from ledger.merkle.note import parse_note
from ledger.merkle.signing import Algorithm, Signer, Verifier, verify_note
from tests.cli.conftest import Cli

INIT = "log init --origin example.com/authledger"

pytestmark = pytest.mark.usefixtures("config")


def test_init_prints_the_verifier_key_and_says_what_to_do_with_it(cli: Cli, config: Path) -> None:
    cli.authorize()
    said = cli.done(INIT)
    assert Verifier.parse(said.out.strip()).name == "example.com/authledger"
    folder = config / "authledger" / "keys" / "example.com_authledger"
    assert str(folder) in said.err
    assert "by another way" in said.err
    assert "proves nothing" in said.err
    assert cli.done("log key show").out == said.out
    assert cli.done("log key show -o json").json[0]["folder"] == str(folder)


def test_init_before_the_first_command_makes_the_ledger(cli: Cli) -> None:
    said = cli.done(INIT)
    assert f"A new ledger: {cli.ledger}" in said.err
    cli.authorize()
    assert cli.done(f"log verify --key {said.out.strip()}").code == 0
    note = cli.done("log checkpoint -o json").json[0]
    assert note["size"] == len(cli.done("audit trail -o json --limit 1000").json)


def test_after_init_every_command_is_covered_by_a_checkpoint(cli: Cli) -> None:
    cli.authorize()
    verifier = Verifier.parse(cli.done(INIT).out.strip())
    cli.done("console login --region cn-east-3 --user bob")
    said = cli.done("log checkpoint")
    note = parse_note(said.out.encode())
    verify_note(note, [verifier])
    (row,) = cli.done("log checkpoint -o json").json
    assert row["note"] == said.out
    assert row["size"] == len(cli.done("audit trail -o json --limit 1000").json)
    assert said.err == ""


def test_a_verdict_says_where_its_key_came_from(
    cli: Cli, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.authorize()
    vkey = cli.done(INIT).out.strip()
    folder = config / "authledger" / "keys" / "example.com_authledger"
    said = cli.done("log verify")
    assert f"The key came from: the folder {folder}, by default" in said.err
    assert "The key came from: --key" in cli.done(f"log verify --key {shlex.quote(vkey)}").err
    keys = shutil.copytree(folder.parent, tmp_path / "other")
    (cli.folder / "authledger.toml").write_text(f'log_keys = "{keys}"\n')
    cli.done("trust .")
    said = cli.done("log verify -o json")
    file = cli.folder / "authledger.toml"
    assert said.json[0]["keys_from"] == f"the folder {keys / folder.name}, log_keys from {file}"
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(keys))
    assert "log_keys from AUTHLEDGER_LOG_KEYS" in cli.done("log verify").err


def test_printing_the_checkpoint_signs_one_that_covers_all_entries(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.authorize()
    cli.done(INIT)
    before = cli.done("log checkpoint").out
    monkeypatch.setenv("AUTHLEDGER_CHECKPOINT_EVERY", "0")
    cli.done("console login --region cn-east-3 --user bob")
    assert cli.done("log checkpoint").out != before


def test_an_older_checkpoint_is_printed_with_a_warning_if_it_cannot_be_signed_anew(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cli.authorize()
    cli.done(INIT)
    before = cli.done("log checkpoint").out
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(tmp_path / "elsewhere"))
    cli.done("console login --region cn-east-3 --user bob")
    said = cli.done("log checkpoint")
    assert said.out == before
    assert "entries, and no newer one could be signed: the key of" in said.err


def test_the_key_folder_can_be_set_in_a_trusted_settings_file(
    cli: Cli, tmp_path: Path, config: Path
) -> None:
    cli.authorize()
    (tmp_path / "authledger.toml").write_text(f'log_keys = "{config}/mine"\n')
    cli.done("trust .")
    cli.done(INIT)
    assert (config / "mine" / "example.com_authledger" / "private.key").exists()


def test_a_key_within_the_ledgers_folder_is_refused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.authorize()
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(cli.folder / "keys"))
    said = cli(INIT)
    assert said.code == 7
    assert "within the ledger's folder" in said.err
    assert "another folder with AUTHLEDGER_LOG_KEYS" in said.err, "there is no such option"


@pytest.mark.parametrize("command", ["log checkpoint", "log key show"])
def test_without_a_key_the_error_says_how_to_make_one(cli: Cli, command: str) -> None:
    cli.authorize()
    said = cli(command)
    assert said.code == 4
    assert "authledger log init --origin" in said.err


def test_init_twice_is_refused(cli: Cli) -> None:
    cli.authorize()
    cli.done(INIT)
    said = cli(INIT)
    assert said.code == 2
    assert "exists already: this ledger has its checkpoints" in said.err


def test_a_signer_command_needs_its_verifier_key(cli: Cli) -> None:
    cli.authorize()
    said = cli(f"{INIT} --signer-command true")
    assert said.code == 2
    assert "go together" in said.err


@pytest.mark.parametrize("name", ["two words", "a+b", ""])
def test_a_log_name_that_no_verifier_key_can_have_is_refused(
    cli: Cli, name: str, config: Path
) -> None:
    cli.authorize()
    said = cli(shlex.join(["log", "init", "--origin", name]))
    assert said.code == 2
    assert "is not a valid key name" in said.err
    assert "example.com/authledger" in said.err
    assert not list(config.rglob("verifier.key"))


def test_a_log_cannot_be_renamed_while_its_key_is_here(cli: Cli, config: Path) -> None:
    """Otherwise the signer's record, which belongs to the name, could be bypassed."""
    cli.authorize()
    cli.done(INIT)
    said = cli("log init --origin example.com/another")
    assert said.code == 2
    assert "is the log example.com/authledger already" in said.err
    assert "log key rotate" in said.err
    shutil.rmtree(config / "authledger" / "keys" / "example.com_authledger")
    cli.done("log init --origin example.com/another")


SIGNS = """
import sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
sys.stdout.buffer.write(Ed25519PrivateKey.from_private_bytes(bytes(32)).sign(sys.stdin.buffer.read()))
"""


@pytest.mark.parametrize("verb", ["init", "rotate"])
@pytest.mark.parametrize("command", ["false", "echo garbage", "/nonexistent/program", " ", "'"])
def test_a_signer_command_that_does_not_sign_is_refused(
    cli: Cli, config: Path, tmp_path: Path, verb: str, command: str
) -> None:
    """Accepted, it would stop every append, and the key folder could not be used again."""
    vkey = str(Signer("example.com/authledger", Algorithm.ED25519, bytes(32)).verifier)
    cli.authorize()
    line = INIT
    if verb == "rotate":
        cli.done(INIT)
        line = "log key rotate"
    before = cli.done("audit trail -o json").json
    said = cli(f"{line} --signer-command {shlex.quote(command)} --verifier-key {vkey}")
    assert said.code == 7
    assert "did not give a valid signature of example.com/authledger" in said.err
    assert cli.done("audit trail -o json").json == before
    cli.done("console login --region cn-east-3 --user bob")
    program = tmp_path / "sign.py"
    program.write_text(SIGNS)
    works = f"{shlex.quote(sys.executable)} {shlex.quote(str(program))}"
    cli.done(f"{line} --signer-command {shlex.quote(works)} --verifier-key {vkey}")
    assert cli.done(f"log verify --key {vkey}").out.startswith("Verified")


def test_a_verifier_key_of_another_log_is_refused(cli: Cli) -> None:
    vkey = str(Signer("example.com/other", Algorithm.ED25519, bytes(32)).verifier)
    cli.authorize()
    said = cli(f"{INIT} --signer-command true --verifier-key {vkey}")
    assert said.code == 2
    assert "belongs to example.com/other, but the log is example.com/authledger" in said.err


def test_a_checkpoint_interval_that_is_not_a_number_is_refused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHLEDGER_CHECKPOINT_EVERY", "often")
    said = cli("console login --region cn-east-3 --user bob")
    assert said.code == 2
    assert "checkpoint_every 'often' is not valid" in said.err
