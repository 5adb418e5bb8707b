"""Failures to write or read are reported clearly, and nothing that was acknowledged is lost."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import (
    LedgerError,
    NewerFormat,
    NotALedger,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnavailable,
)
from ledger.persistence.columns import FORMAT_VERSION
from ledger.persistence.failures import as_store_errors
from tests.ledger.children import finished, python
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.worlds import consent, raw, sound, texts, traces

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        consent(ledger, BEIJING)
    return path


def assert_clear(error: LedgerError, path: Path) -> None:
    """It names the file and says what to do."""
    assert str(path) in error.message
    assert error.remedy
    assert len(str(error).splitlines()) == 1


# -- a full disk ---------------------------------------------------------------------------------


def test_on_a_full_disk_nothing_is_lost_and_writing_continues_with_space(
    small_disk: Path,
) -> None:
    path = small_disk / "ledger.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 300_000)
    with Ledger(path) as ledger:
        acknowledged = 0
        with pytest.raises(StoreFull, match=r"Nothing was appended\.") as raised:
            for number in range(10_000):
                consent(ledger, f"region-{number}")
                acknowledged = ledger.last_position()
        assert_clear(raised.value, path)
        assert acknowledged > 100
        assert len(texts(ledger)) >= acknowledged, "it can be read still"
        with pytest.raises(StoreFull):
            ledger.observe(traces(900))
        ballast.unlink()
        consent(ledger, "after")
        assert len(texts(ledger)) > acknowledged
    sound(path)


def test_a_ledger_cannot_be_created_on_a_full_disk(small_disk: Path) -> None:
    with contextlib.suppress(OSError):
        (small_disk / "ballast").write_bytes(b"x" * 4_000_000)
    with pytest.raises(StoreFull) as raised:
        Ledger(small_disk / "ledger.db")
    assert_clear(raised.value, small_disk / "ledger.db")
    (small_disk / "ballast").unlink()
    with Ledger(small_disk / "ledger.db") as ledger:
        consent(ledger, BEIJING)


FILL = """
import resource, signal, sys
from pathlib import Path
from ledger.application import Ledger
from ledger.errors import StoreUnavailable
from tests.ledger.worlds import consent

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
with Ledger(Path(sys.argv[1])) as ledger:
    try:
        for number in range(10_000):
            consent(ledger, f"region-{number}")
            print("appended", ledger.last_position(), flush=True)
    except StoreUnavailable as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
def test_a_file_that_must_not_grow_is_reported_and_keeps_its_entries(path: Path) -> None:
    *acknowledged, last = finished(python("-c", FILL, path))
    assert last.startswith(("StoreUnavailable", "StoreFull"))
    assert "Nothing was appended." in last
    sound(path)
    with Ledger(path) as ledger:
        assert ledger.last_position() >= int(acknowledged[-1].split()[1])
        consent(ledger, "after")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 400_000


# -- what must not be written --------------------------------------------------------------------

AS_NOBODY = """
import os, sys
from pathlib import Path
from ledger.application import Ledger
from ledger.errors import LedgerError
from tests.ledger.scenario import BEIJING, login

os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with Ledger(Path(sys.argv[1])) as ledger:
        print("open", ledger.last_position())
        ledger.execute(login(BEIJING))
        print("written")
except LedgerError as error:
    print(type(error).__name__, error)
"""


def as_nobody(path: Path) -> str:
    """The error that a user without rights gets."""
    for folder in path.parents:
        if len(folder.parts) > 2 and folder.exists() and folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    return finished(python("-c", AS_NOBODY, path))[-1]


@as_root
@pytest.mark.parametrize(
    ("file", "folder"), [(0o444, 0o777), (0o666, 0o555), (0o444, 0o555)], ids=oct
)
def test_a_file_or_folder_without_write_permission_is_reported(
    path: Path, file: int, folder: int
) -> None:
    before = path.read_bytes()
    path.chmod(file)
    path.parent.chmod(folder)
    last = as_nobody(path)
    assert last.startswith(("StoreReadOnly", "StoreUnavailable")), last
    assert str(path) in last
    assert "Check" in last
    assert path.read_bytes() == before
    path.parent.chmod(0o755)
    sound(path)


@as_root
def test_a_file_without_read_permission_is_reported(path: Path) -> None:
    path.chmod(0o000)
    last = as_nobody(path)
    assert last.startswith(("StoreReadOnly", "StoreUnavailable")), last
    assert "Check" in last


@as_root
def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    last = as_nobody(tmp_path / "not" / "allowed" / "ledger.db")
    assert last.startswith("StoreReadOnly"), last
    assert not (tmp_path / "not").exists()


def test_a_read_only_disk_is_reported(small_disk: Path) -> None:
    path = small_disk / "ledger.db"
    with Ledger(path) as ledger:
        consent(ledger, BEIJING)
        before = texts(ledger)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreUnavailable) as raised, Ledger(path) as ledger:
        consent(ledger, "another")
    assert_clear(raised.value, path)
    with pytest.raises(StoreReadOnly):
        Ledger(small_disk / "new" / "ledger.db")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with Ledger(path) as ledger:
        assert texts(ledger) == before


# -- a locked database ---------------------------------------------------------------------------


def test_a_locked_ledger_is_reported_and_can_be_used_afterwards(path: Path) -> None:
    with raw(path) as other, Ledger(path, lock_timeout_s=1) as ledger:
        other.execute("BEGIN IMMEDIATE")
        before = texts(ledger)
        for attempt in (
            lambda: ledger.execute(login("another")),
            lambda: ledger.observe(traces(1)),
        ):
            with pytest.raises(StoreLocked, match="locked by another process") as raised:
                attempt()
            assert_clear(raised.value, path)
        assert texts(ledger) == before, "readers are not kept out"
        other.execute("ROLLBACK")
        ledger.execute(login("another"))
    sound(path)


def test_a_ledger_with_an_exclusive_lock_is_reported(path: Path) -> None:
    with raw(path) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(StoreLocked) as raised, Ledger(path, lock_timeout_s=1) as ledger:
            ledger.last_position()
        assert_clear(raised.value, path)
    sound(path)


# -- not a ledger -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    # Two bytes are the least: SQLite takes a single one for an empty file.
    [b"Dear diary,\n" * 100, b"xy", b"\0" * 4096, b"SQLite format 3\0", b"\x1f\x8b" + b"z" * 600],
    ids=["text", "two letters", "zeros", "half a header", "compressed"],
)
def test_a_file_of_another_kind_is_refused_and_left_unchanged(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable) as raised:
        Ledger(path)
    assert_clear(raised.value, path)
    assert isinstance(raised.value, NotALedger)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["diary.txt"]


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_another_programs_database_is_refused_and_left_unchanged(
    tmp_path: Path, journal: str
) -> None:
    path = tmp_path / "other.db"
    with raw(path) as db:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, note TEXT)")
        db.execute("INSERT INTO events VALUES (1, 'mine')")
    before = path.read_bytes()
    with pytest.raises(NotALedger, match="another program") as raised:
        Ledger(path)
    assert raised.value.remedy
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]


def test_a_database_with_the_application_id_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with raw(path) as db:
        db.execute("PRAGMA application_id = 4711")
    with pytest.raises(NotALedger):
        Ledger(path)


def test_an_empty_file_is_a_new_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch()
    with Ledger(path, create=False) as ledger:
        consent(ledger, BEIJING)
    sound(path)


@pytest.mark.parametrize("keep", [2, 100, 1024, 4096, 5000, 12_288])
def test_a_truncated_ledger_is_reported_and_left_unchanged(path: Path, keep: int) -> None:
    content = path.read_bytes()
    assert len(content) > keep
    path.write_bytes(content[:keep])
    with pytest.raises(StoreUnavailable) as raised, Ledger(path) as ledger:
        list(ledger.history())
        consent(ledger, "another")
    assert_clear(raised.value, path)
    assert path.read_bytes()[:100] == content[: min(keep, 100)]


def test_a_page_of_garbage_is_reported(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged") as raised, Ledger(path) as ledger:
        list(ledger.history())
    assert_clear(raised.value, path)


def test_a_ledger_of_a_newer_format_is_refused_and_left_unchanged(path: Path) -> None:
    with raw(path) as db:
        db.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(
        NewerFormat, match=r"format \d; this program supports formats up to \d"
    ) as raised:
        Ledger(path)
    assert "newer authledger" in raised.value.remedy
    assert path.read_bytes() == before


def test_a_folder_is_not_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened") as raised:
        Ledger(tmp_path)
    assert_clear(raised.value, tmp_path)


def test_a_file_is_not_a_folder(path: Path) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        Ledger(path / "ledger.db")
    assert_clear(raised.value, path / "ledger.db")


# -- the translation -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["locked", "busy", "readonly", "disk is full", "no space left", "permission denied"]
)
def test_the_words_of_a_path_do_not_choose_the_error(tmp_path: Path, word: str) -> None:
    folder = tmp_path / word
    folder.write_text("a file where a folder should be")
    with pytest.raises(StoreUnavailable) as raised:
        Ledger(folder / "x" / "ledger.db")
    assert type(raised.value) is StoreUnavailable


def test_an_unexpected_error_is_reported_with_the_databases_own_text() -> None:
    with (
        pytest.raises(StoreUnavailable, match="no such table: what"),
        as_store_errors("x.db"),
        contextlib.closing(sqlite3.connect(":memory:")) as db,
    ):
        db.execute("SELECT 1 FROM what")


def test_a_bug_is_not_reported_as_a_failure_of_the_disk() -> None:
    with pytest.raises(ZeroDivisionError), as_store_errors("x.db"):
        sys.stdout.write(str(1 / 0))


def test_after_any_failure_the_command_can_be_given_again(path: Path) -> None:
    """The id of a command that failed is free: to try again is safe, whatever had happened."""
    with Ledger(path, lock_timeout_s=1) as ledger:
        ledger.execute(login("another"))
        with raw(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreLocked):
                ledger.execute(grant("another"), command_id="again")
            other.execute("ROLLBACK")
        first = ledger.execute(grant("another"), command_id="again")
        assert not first.repeated
        assert ledger.execute(grant("another"), command_id="again").repeated
    sound(path)
