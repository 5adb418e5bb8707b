"""authledger log key rotate and retire."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

VERIFY = Path(__file__).parents[2] / "independent" / "verify.sh"

pytestmark = pytest.mark.usefixtures("config")


@pytest.fixture
def old(cli: Cli) -> str:
    """A signed ledger; its verifier key."""
    cli.authorize()
    return cli.done("log init --origin example.com/authledger").out.strip()


def test_either_key_verifies_until_the_old_one_is_retired(cli: Cli, old: str) -> None:
    said = cli.done("log key rotate --reason 'the quarter is over'")
    new = said.out.strip()
    assert new != old
    assert "announces the new key, signed by the old one" in said.err
    for key in (old, new):
        cli.done(f"log verify --key {key}")
    cli.done("console login --region cn-east-3 --user bob")
    for key in (old, new):
        cli.done(f"log verify --key {key}")
    assert cli.done("log key show").out.strip() == new
    said = cli.done("log key retire")
    assert old in said.err
    cli.done("console login --region cn-east-3 --user bob")
    cli.done(f"log verify --key {new}")
    refused = cli(f"log verify --key {old}")
    assert refused.code == 6
    assert "No trusted key signed" in refused.out


def test_the_old_key_signs_the_entry_that_announces_the_new_one(cli: Cli, old: str) -> None:
    new = cli.done("log key rotate --actor alice").out.strip()
    (entry,) = cli.done("audit trail --event KeyRotated -o json").json
    cli.done(f"log prove {entry['position']}")
    cli.done(f"log verify-proof {entry['position']}.tlog-proof --key {old}")
    assert new in cli.done(f"audit show {entry['position']}").out
    assert entry["actor_name"] == "alice"


def test_openssl_verifies_the_signature_of_either_key(cli: Cli, old: str) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    new = cli.done("log key rotate").out.strip()
    cli.done("log prove 1")
    for key in (old, new):
        subprocess.run(["bash", VERIFY, key, "1.tlog-proof", "1.entry"], check=True)


def test_retiring_without_a_rotation_is_refused(cli: Cli, old: str) -> None:
    assert old
    said = cli("log key retire")
    assert said.code == 4
    assert "there is none to retire" in said.err


def test_a_second_rotation_during_the_first_appends_nothing(cli: Cli, old: str) -> None:
    assert old
    cli.done("log key rotate")
    before = cli.done("log checkpoint").out
    said = cli("log key rotate")
    assert said.code == 7
    assert "log key retire" in said.err
    assert cli.done("log checkpoint").out == before


def test_replay_prints_key_events(cli: Cli, old: str) -> None:
    cli.done("log key rotate --actor alice")
    cli.done("log key retire --actor alice")
    printed = cli.done("audit replay").out
    assert "alice gave the log example.com/authledger another key" in printed
    assert f"alice retired the key {old}" in printed
