"""A file that is written durably is the old one or the new one, whatever happens meanwhile."""

from __future__ import annotations

import ast
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import durable_file

ROOT = Path(__file__).parents[2]
OLD, NEW = b"old\n" * 50_000, b"new\n" * 70_000

STEPS = ("open", "fsync", "replace", "fsync of the folder")
KILLED_BEFORE_STEP = f"""
import os, signal, sys
from pathlib import Path
from ledger import durable_file
left = int(sys.argv[2])
def counted(call):
    def counting(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **named)
    return counting
os.open, os.fsync, Path.replace = map(counted, (os.open, os.fsync, Path.replace))
durable_file.write(Path(sys.argv[1]), {NEW[:4]!r} * 70_000)
"""


def unfinished(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(durable_file.UNFINISHED)]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """The calls that reach the disk, in order: `("fsync", inode)`, `("replace", inode)`."""
    made: list[tuple[str, object]] = []
    fsync, replace = os.fsync, Path.replace

    def recorded_fsync(handle: int) -> None:
        made.append(("fsync", os.fstat(handle).st_ino))
        fsync(handle)

    def recorded_replace(self: Path, target: Path) -> Path:
        made.append(("replace", self.stat().st_ino))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    return made


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, calls: list[tuple[str, object]]
) -> None:
    durable_file.write(tmp_path / "file", NEW)
    inode, folder = (tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino
    assert calls == [("fsync", inode), ("replace", inode), ("fsync", folder)]


def test_all_bytes_are_written_before_the_file_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    with durable_file.replacing(tmp_path / "file") as file:
        for _ in range(7):
            file.write(b"a line\n")  # It waits in the file's buffer.
    assert sizes[0] == 7 * len(b"a line\n")


@pytest.mark.parametrize("before", [None, OLD])
@pytest.mark.parametrize("step", range(len(STEPS) + 1))
def test_a_process_killed_before_any_step_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, before: bytes | None, step: int
) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    command = [sys.executable, "-c", KILLED_BEFORE_STEP, str(path), str(step)]
    ended = subprocess.run(command, check=False, cwd=ROOT).returncode
    assert ended == (-signal.SIGKILL if step <= len(STEPS) else 0)
    was_replaced = step > STEPS.index("replace")
    found = path.read_bytes() if path.exists() else None
    assert found == (NEW if was_replaced else before)


def test_a_block_that_raises_changes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with pytest.raises(ZeroDivisionError), durable_file.replacing(path) as file:
        file.write(NEW)
        _ = 1 // 0
    assert path.read_bytes() == OLD
    assert unfinished(tmp_path) == []


def test_a_full_disk_changes_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        durable_file.write(path, NEW)
    assert path.read_bytes() == OLD
    assert unfinished(tmp_path) == []


@pytest.mark.parametrize(("mode", "expected"), [(0o600, 0o600), (0o644, 0o644), (None, 0o640)])
def test_the_mode_is_the_one_asked_for_or_what_the_umask_leaves(
    tmp_path: Path, mode: int | None, expected: int
) -> None:
    before = os.umask(0o027)
    try:
        durable_file.write(tmp_path / "file", NEW, mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == expected


def test_nobody_else_can_read_a_private_file_while_it_is_written(tmp_path: Path) -> None:
    with durable_file.replacing(tmp_path / "file") as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == durable_file.PRIVATE


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(OLD)
    link.symlink_to(target)
    durable_file.write(link, NEW)
    assert target.read_bytes() == OLD
    assert not link.is_symlink()
    assert link.read_bytes() == NEW


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        try:
            durable_file.write(pipe, b"a line\n")
            assert reader.communicate(timeout=30)[0] == b"a line\n"
        finally:
            reader.kill()
    assert pipe.is_fifo()
    assert unfinished(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "expected"), [("/dev/stdout", True), ("/dev/null", True), ("missing", False)]
)
def test_devices_are_never_replaced(path: str, expected: bool) -> None:
    """Root could replace them."""
    assert durable_file._is_device(Path(path)) is expected


def test_a_file_in_the_working_folder_can_be_named_by_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    durable_file.write(Path("file"), NEW)
    assert (tmp_path / "file").read_bytes() == NEW


def test_many_files_are_waited_for_together(
    tmp_path: Path, calls: list[tuple[str, object]]
) -> None:
    for number in range(3):
        durable_file.write(tmp_path / str(number), NEW, synced=False)
    assert [name for name, _ in calls] == ["replace"] * 3


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        durable_file.write(tmp_path / "missing" / "file", NEW)
    assert raised.value.filename == str(tmp_path / "missing" / "file")


WRITES = {"fsync", "mkstemp", "replace", "rename", "write_bytes", "write_text"}
IN_PLACE = {
    "projections/engines/java.py": "a script in a temporary folder",
}


def test_no_other_module_writes_files_by_hand() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("authledger", "cli", "ledger", "projections")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _writes_a_file(node)
    }
    assert found - IN_PLACE.keys() == {"ledger/durable_file.py"}


def _writes_a_file(call: ast.Call) -> bool:
    """Whether it is one of WRITES; `replace` of a text takes two arguments, of a path one."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in WRITES:
        return False
    of_dataclasses = isinstance(function.value, ast.Name) and function.value.id == "dataclasses"
    return function.attr != "replace" or (len(call.args) == 1 and not of_dataclasses)
