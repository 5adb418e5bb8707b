"""The how-to on backups is followed command by command, on a ledger in use."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.cli.conftest import Cli
from tests.documentation.howto import ROOT

pytestmark = pytest.mark.usefixtures("config")

_SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands() -> list[str]:
    text = (ROOT / "docs" / "howto" / "back-up-and-restore.md").read_text(encoding="utf-8")
    return [line for block in _SHELL.findall(text) for line in block.splitlines()]


def follow(line: str, folder: Path) -> None:
    """Type one line; `authledger` is this program."""
    program = f"{shlex.quote(sys.executable)} -m authledger "
    done = subprocess.run(
        re.sub(r"^authledger ", program, line),
        shell=True,
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_a_ledger_is_backed_up_restored_and_proved(cli: Cli) -> None:
    cli.done("log init --origin example.com/authledger")
    cli.authorize()
    before = cli.done("audit trail -o json --limit 1000").json
    lines = commands()
    with Ledger(cli.ledger):  # It is in use while it is backed up.
        follow(lines[0], cli.folder)
    for line in lines[1:]:
        follow(line, cli.folder)
    assert cli.done("audit trail -o json --limit 1000").json == before
    cli.authorize("ap-southeast-3")
    cli.done("log verify --since pin")
