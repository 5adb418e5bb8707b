"""Failures after a commit: the command says what was appended, and never that nothing was."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from cli.printing.output import exact
from tests.cli.conftest import Cli

FULL = Path("/dev/full")
has_full_device = pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")


def run(
    *args: str, stdout: int | IO[str] = subprocess.PIPE, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *args],
        check=False,
        env={**os.environ, **variables},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
    )


def run_on_a_full_disk(*args: str) -> subprocess.CompletedProcess[bytes]:
    with FULL.open("w") as full:
        return run(*args, stdout=full)


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def positions(cli: Cli) -> int:
    """How many entries the ledger has."""
    return len(cli.done("audit trail -o json").json)


@pytest.fixture
def small_partition(config: Path) -> Iterator[Path]:
    """The folder of the log's keys, on a small partition of its own."""
    folder = config / "authledger" / "keys"
    folder.mkdir(parents=True)
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", str(folder))
    done = subprocess.run(mount, check=False, capture_output=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_full_key_partition_is_reported_with_the_positions_that_were_appended(
    cli: Cli, small_partition: Path, form: str
) -> None:
    cli.authorize()
    before = positions(cli)
    cli.done("log init --origin example.com/authledger")
    next(small_partition.glob("*/last-checkpoint")).unlink()
    ballast = small_partition / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    said = cli(f"agency create trust --actor alice -o {form}")
    assert said.code == 7
    assert f"1 entry was appended, at position {before + 1}." in said.err
    assert "the signer's record, could not be written: No space left on device." in said.err
    assert "nothing was appended" not in said.err.lower()
    assert "AgencyCreated" in said.out
    assert positions(cli) == before + 1
    ballast.unlink()
    cli.done("agency create other --actor alice")
    assert "example.com/authledger" in cli.done("log checkpoint").out


def test_a_signer_command_that_fails_says_that_nothing_was_appended(cli: Cli, config: Path) -> None:
    cli.authorize()
    before = positions(cli)
    cli.done("log init --origin example.com/authledger")
    (folder,) = (config / "authledger" / "keys").iterdir()
    (folder / "signer-command").write_text("false\n")
    (folder / "signer-command").chmod(0o600)
    said = cli("agency create trust --actor alice")
    assert said.code == 7
    assert "Nothing was appended." in said.err
    assert positions(cli) == before


@has_full_device
@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_an_answer_that_does_not_fit_on_the_disk_says_what_was_appended(
    cli: Cli, form: str
) -> None:
    cli.authorize()
    before = positions(cli)
    done = run_on_a_full_disk("agency", "create", "trust", "--actor", "alice", "-o", form)
    assert done.returncode == 7
    assert "No space left" in done.stderr.decode()
    assert f"1 entry was appended, at position {before + 1}." in done.stderr.decode()
    assert positions(cli) == before + 1


@has_full_device
def test_a_refusal_that_does_not_fit_on_the_disk_is_still_called_refused(cli: Cli) -> None:
    cli.authorize()
    before = positions(cli)
    done = run_on_a_full_disk(
        *("feature", "use", "mesh", "--region", "eu-west-101", "--actor", "alice")
    )
    assert done.returncode == 7
    assert b"Refused: mesh needs CCE" in done.stderr
    assert b"No space left" in done.stderr
    assert f"1 entry was appended, at position {before + 1}.".encode() in done.stderr


@has_full_device
def test_an_import_whose_answer_does_not_fit_on_the_disk_says_what_was_appended(cli: Cli) -> None:
    traces = Path(__file__).parents[1] / "sources" / "fixtures" / "cts.json"
    shutil.copy(traces, "traces.json")
    done = run_on_a_full_disk("import", "cts", "traces.json")
    assert done.returncode == 7
    last = positions(cli)
    assert last > 0
    assert f"{last} entries were appended, positions 1 to {last}." in done.stderr.decode()


def test_a_failure_while_names_are_read_says_what_was_appended(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.application.Ledger.names", no_space)
    said = cli("console login --region cn-north-4 --user alice")
    assert said.code == 7
    assert "entries were appended, positions 1 to" in said.err


@pytest.mark.parametrize(("error", "code"), [(ZeroDivisionError, 1), (KeyboardInterrupt, 130)])
def test_a_bug_and_an_interruption_after_a_commit_say_what_was_appended(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], code: int
) -> None:
    def broken(*_: object) -> None:
        raise error

    cli.authorize()
    before = positions(cli)
    monkeypatch.setattr("cli.writing.show_entries", broken)
    said = cli("agency create trust --actor alice")
    assert said.code == code
    assert f"1 entry was appended, at position {before + 1}." in said.err


def test_an_entry_stays_if_the_reader_of_the_output_leaves_after_the_commit(cli: Cli) -> None:
    cli.authorize()
    before = positions(cli)
    reader, writer = os.pipe()
    os.close(reader)
    done = run("agency", "create", "trust", "--actor", "alice", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
    assert positions(cli) == before + 1


# -- encodings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "ascii:strict"])
def test_a_name_that_the_encoding_does_not_have_is_printed_as_escapes(
    cli: Cli, encoding: str
) -> None:
    done = run("agency", "create", "北京", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert "\\u5317\\u4eac" in done.stdout.decode("ascii")
    listed = run("agency", "list", PYTHONIOENCODING=encoding)
    assert (listed.returncode, "\\u5317\\u4eac" in listed.stdout.decode("ascii")) == (0, True)
    as_json = run("agency", "list", "-o", "json", PYTHONIOENCODING=encoding)
    assert json.loads(as_json.stdout)[0]["agency"] == "北京"


def test_half_a_character_is_printed_as_its_escape_in_json(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    exact(json.dumps("\ud800", ensure_ascii=False))
    assert json.loads(capfdbinary.readouterr().out) == "\ud800"
