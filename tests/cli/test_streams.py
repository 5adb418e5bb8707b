"""Commands whose streams are closed, full, or without a reader end with the right exit code."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

ROOT = Path(__file__).parents[2]
AUTHLEDGER = (sys.executable, "-m", "cli.main")
ENDINGS = [("view regions", 0), ("view nothing", 4), ("view regions --status", 2)]
"""Commands, and the exit codes that they end with."""


def shell(line: str, program: tuple[str, ...] = AUTHLEDGER) -> subprocess.CompletedProcess[str]:
    """Run a command line as a shell does, which may close streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{shlex.join(program)} {line}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def code_of(command: str, stdout: int, stderr: int) -> int:
    program = [*AUTHLEDGER, *shlex.split(command)]
    done = subprocess.run(program, cwd=ROOT, stdout=stdout, stderr=stderr, timeout=60, check=False)
    return done.returncode


@pytest.fixture
def left() -> Iterator[int]:
    """A pipe whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.fixture
def printed(cli: Cli) -> Cli:
    """A ledger with something to print."""
    cli.authorize()
    return cli


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize(("command", "code"), ENDINGS)
@pytest.mark.parametrize("streams", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_changes_no_exit_code(command: str, code: int, streams: str) -> None:
    done = shell(f"{command} {streams}")
    assert (done.returncode, done.stderr) == (code, "")


def test_with_all_streams_closed_a_command_is_carried_out(printed: Cli) -> None:
    done = shell("console login --region cn-east-3 --user bob <&- >&- 2>&-")
    assert done.returncode == 0
    assert len(printed.done("view logins --region cn-east-3 -o json").json) == 1


def test_with_its_error_output_closed_a_command_prints_its_data(printed: Cli) -> None:
    done = shell("view regions -o json 2>&-")
    assert json.loads(done.stdout) == printed.done("view regions -o json").json


@pytest.mark.usefixtures("printed")
def test_with_its_input_closed_a_query_is_empty() -> None:
    done = shell("query - <&-")
    assert done.returncode == 2
    assert "The query is empty" in done.stderr


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize(("command", "code"), [("view regions", 141), *ENDINGS[1:]])
def test_a_reader_of_both_streams_that_leaves_changes_no_error(
    left: int, command: str, code: int
) -> None:
    """`2>&1 | head`: an answer without a reader ends as by SIGPIPE; an error stays an error."""
    assert code_of(command, stdout=left, stderr=left) == code


def test_notes_without_a_reader_change_no_answer(printed: Cli, left: int, tmp_path: Path) -> None:
    with (tmp_path / "answer.json").open("w+") as answer:
        assert code_of("view regions -o json", stdout=answer.fileno(), stderr=left) == 0
        answer.seek(0)
        assert json.load(answer) == printed.done("view regions -o json").json


@pytest.mark.usefixtures("printed")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize(("command", "code"), ENDINGS)
def test_notes_on_a_full_disk_change_no_exit_code(command: str, code: int) -> None:
    done = shell(f"{command} 2>/dev/full")
    assert (done.returncode, bool(done.stdout)) == (code, code == 0)


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize("debug", ["", "--debug"])
def test_a_bug_that_cannot_be_described_ends_as_a_bug(debug: str) -> None:
    broken = "import cli.commands.view; cli.commands.view.views_of = None; from cli.main import run; run()"
    done = shell(f"{debug} view regions 2>&-", (sys.executable, "-c", broken))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
