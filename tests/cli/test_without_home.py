"""Without HOME and a passwd entry, as in a container under an arbitrary user id, all works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Said

ROOT = Path(__file__).parents[2]
NAMELESS = """
import os, pwd
def getpwuid(user):
    raise KeyError(f"getpwuid(): uid not found: {user}")
pwd.getpwuid = getpwuid
from cli.main import run
run()
"""
KEPT = ("PATH", "LANG", "AUTHLEDGER_ACCOUNT")


def nameless(folder: Path, *words: str, **variables: str) -> Said:
    """Run a command as a user without a home and without a passwd entry."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", NAMELESS, *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("cli", ["sqlite", "postgresql"], indirect=True)
def test_a_ledger_that_is_named_is_written_and_read(cli: Cli) -> None:
    def done(line: str) -> Said:
        said = nameless(cli.folder, "--ledger", str(cli.place), *line.split())
        assert said.code == 0, said.err
        return said

    done("console login --region cn-north-4 --user alice")
    done("authorization grant --region cn-north-4")
    done("view regions -o json")
    actors = {row["actor_name"] for row in done("audit trail -o json").json}
    assert actors >= {"alice", f"uid {os.getuid()}"}


def test_the_settings_of_the_folder_are_read(cli: Cli) -> None:
    (cli.folder / "authledger.toml").write_text('ledger = "here.db"\naccount = "a"\n')
    said = nameless(cli.folder, "console", "login", "--region", "cn-north-4", "--user", "alice")
    assert said.code == 0, said.err
    assert (cli.folder / "here.db").exists()


def test_a_ledger_that_is_not_named_is_asked_for(cli: Cli) -> None:
    said = nameless(cli.folder, "view", "regions")
    assert said.code == 2
    assert "No ledger was given." in said.err
    for way in ("--ledger", "AUTHLEDGER_LEDGER", "authledger.toml"):
        assert way in said.err


def test_the_folder_for_keys_is_asked_for(cli: Cli, config: Path) -> None:
    cli.authorize()
    init = ("--ledger", str(cli.ledger), "log", "init", "--origin", "example.com/authledger")
    said = nameless(cli.folder, *init)
    assert said.code == 2
    assert "AUTHLEDGER_LOG_KEYS" in said.err
    named = nameless(cli.folder, *init, AUTHLEDGER_LOG_KEYS=str(config / "keys"))
    assert named.code == 0, named.err


@pytest.mark.usefixtures("config")
def test_a_log_whose_key_is_elsewhere_is_read_and_grows_without_checkpoints(cli: Cli) -> None:
    cli.authorize()
    key = cli.done("log init --origin example.com/authledger").out.strip()
    place = ("--ledger", str(cli.ledger))
    login = ("console", "login", "--region", "cn-north-4", "--user", "bob")
    assert nameless(cli.folder, *place, "log", "verify", "--key", key).code == 0
    assert nameless(cli.folder, *place, *login).code == 0
    said = nameless(cli.folder, *place, "log", "checkpoint")
    assert said.code == 0
    assert "the key of example.com/authledger is not here" in said.err
    said = nameless(cli.folder, *place, "log", "verify")
    assert said.code == 6
    assert "bug" not in said.err


def test_no_file_can_be_trusted(cli: Cli) -> None:
    """Settings that need a trusted file must be given by hand."""
    file = cli.folder / "authledger.toml"
    file.write_text('log_keys = "keys"\n')
    assert nameless(cli.folder, "trust", "--list").code == 0
    said = nameless(cli.folder, "trust", ".")
    assert said.code == 2
    assert "There is no folder for what is trusted" in said.err
    assert "XDG_CONFIG_HOME" in said.err
    assert nameless(cli.folder, "trust", "--remove", ".").code == 4
    said = nameless(cli.folder, "--ledger", str(cli.ledger), "view", "regions")
    assert said.code == 2
    assert "this file is not trusted" in said.err


def test_a_path_in_a_home_that_is_not_there_is_not_valid(cli: Cli) -> None:
    said = nameless(cli.folder, "--ledger", "~/ledger.db", "view", "regions")
    assert said.code == 2
    assert "'~/ledger.db' is not a valid path: Could not determine home directory.\n" in said.err


def test_folders_that_variables_name_need_no_home(cli: Cli) -> None:
    folders = {f"XDG_{kind}_HOME": str(cli.folder / kind) for kind in ("DATA", "CONFIG")}
    login = ("console", "login", "--region", "cn-north-4", "--user", "alice")
    said = nameless(cli.folder, *login, **folders)
    assert said.code == 0, said.err
    assert (cli.folder / "DATA" / "authledger" / "ledger.db").exists()


def test_a_relative_folder_in_a_variable_is_ignored(cli: Cli) -> None:
    """As the XDG base directory specification says."""
    said = nameless(cli.folder, "view", "regions", XDG_DATA_HOME="data", HOME=str(cli.folder))
    assert f"There is no ledger at {cli.folder}/.local/share/authledger/ledger.db" in said.err
