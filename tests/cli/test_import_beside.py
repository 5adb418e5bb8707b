"""`import --jobs 2`: the same ledger and the same words, and nothing left behind when it ends."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from ledger.application import Ledger
from ledger.verification.entries import verify_entries
from tests.cli.conftest import Cli
from tests.ledger.importing.traces import children, entries, lines

COUNT = 6_500
PATIENCE_S = 60.0


def run(folder: Path, *args: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """`authledger import cloudtrail …`, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--ledger", str(folder / "ledger.db"), *args],
        cwd=Path(__file__).parents[2],
        start_new_session=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def is_running(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def eventually(is_so: Callable[[], object]) -> None:
    until = monotonic() + PATIENCE_S
    while not is_so():
        assert monotonic() < until
        sleep(0.02)


def appended(folder: Path) -> int:
    place = f"file:{folder / 'ledger.db'}?mode=ro"
    with (
        suppress(sqlite3.OperationalError),  # There is none yet.
        closing(sqlite3.connect(place, uri=True)) as file,
    ):
        return int(file.execute("SELECT count(*) FROM events").fetchone()[0])
    return 0


@contextmanager
def waiting(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """An import that has appended some facts, and waits for more of its file; and its reader."""
    path = folder / "traces.jsonl"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    try:
        with run(folder, "import", "cloudtrail", str(path), "--jobs", "2") as process:
            try:
                [reader] = _written(process, pipe, folder)
                yield process, reader
            finally:
                process.kill()
                process.communicate()
    finally:
        os.close(pipe)
        path.unlink()


def _written(process: subprocess.Popen[bytes], pipe: int, folder: Path) -> list[int]:
    eventually(lambda: children(process.pid))
    rest = memoryview(lines(COUNT))
    while rest:
        rest = rest[os.write(pipe, rest[: 1 << 16]) :]
    eventually(lambda: appended(folder) >= 5_000)
    return children(process.pid)


def goes_on(folder: Path) -> None:
    """The ledger is sound, and the whole file completes it."""
    assert not verify_entries(folder / "ledger.db").count
    before = appended(folder)
    path = folder / "traces.jsonl"
    path.write_bytes(lines(COUNT))
    with run(folder, "import", "cloudtrail", str(path), "--jobs", "2", "-o", "json") as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    said = json.loads(out)
    assert (said["known_traces"], said["new_traces"]) == (5_000, COUNT - 5_000)
    assert said["entries_appended"] == appended(folder) - before
    assert not verify_entries(folder / "ledger.db").count


def test_a_killed_reader_is_an_error_that_says_what_was_imported_and_how_to_go_on(
    tmp_path: Path,
) -> None:
    with waiting(tmp_path) as (process, reader):
        os.kill(reader, signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 7
    complained = [line for line in said.decode().splitlines() if not line.startswith("reading")]
    last = appended(tmp_path)
    assert " ".join(complained[1:]) == (
        "Error: The process that reads the traces was ended by the signal SIGKILL, in "
        f"traces.jsonl, after 6000 records. {last} entries were appended, positions 1 to {last}. "
        "Import the same files again: traces that the ledger knows append nothing. With --jobs 1 "
        "no other process is needed."
    )
    goes_on(tmp_path)


def test_after_ctrl_c_no_process_is_left_and_the_ledger_is_sound(tmp_path: Path) -> None:
    with waiting(tmp_path) as (process, reader):
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert b"Interrupted.\n" in said
    assert f"{appended(tmp_path)} entries were appended".encode() in said
    assert not is_running(reader)
    goes_on(tmp_path)


def test_the_reader_ends_with_a_killed_writer(tmp_path: Path) -> None:
    with waiting(tmp_path) as (process, reader):
        assert is_running(reader)
        process.kill()
        eventually(lambda: not is_running(reader))
    goes_on(tmp_path)


def test_the_standard_input_is_the_readers_too(tmp_path: Path) -> None:
    process = run(
        tmp_path, "import", "cloudtrail", "/dev/stdin", "--jobs", "2", stdin=subprocess.PIPE
    )
    out, said = process.communicate(lines(1_200), timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert b"new traces        1200\n" in out


@pytest.mark.parametrize("options", ["--strict", "--account 444455556666", "-o json --documents"])
def test_it_says_and_appends_what_one_process_does(cli: Cli, options: str) -> None:
    (cli.folder / "a.jsonl").write_bytes(lines(700))
    (cli.folder / "b.jsonl").write_bytes(
        lines(20) + lines(20).replace(b"role-", b"other-") + b"[1, \xff]\n"
    )
    found = []
    for jobs in (1, 2):
        place = cli.folder / f"{jobs}.db"
        said = cli(f"--ledger {place} import cloudtrail a.jsonl b.jsonl --jobs {jobs} {options}")
        with closing(Ledger(place)) as ledger:
            found.append((said.code, said.out, said.err.replace(str(place), ""), entries(ledger)))
    assert found[0] == found[1]
    assert found[0][0] == 9
    assert "conflict" in found[0][1]
    assert "b.jsonl: line 41" in found[0][2]


def test_a_dry_run_and_wrong_numbers_append_nothing(cli: Cli) -> None:
    (cli.folder / "a.jsonl").write_bytes(lines(7))
    assert "Dry run" in cli.done("import cloudtrail a.jsonl --jobs 2 --dry-run").err
    for jobs in (0, 3):
        said = cli(f"import cloudtrail a.jsonl --jobs {jobs}")
        assert (said.code, "--jobs" in said.err) == (2, True), said.err
    assert not cli.ledger.exists()
