"""The files of a ledger: who may read them, what a second user leaves behind, read-only media."""

from __future__ import annotations

import grp
import os
import shlex
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.cli.conftest import Cli
from tests.second_user import NOBODY, as_nobody, as_root, reachable

READINGS = (
    "view regions",
    "audit trail",
    "query 'SELECT count(*) AS n FROM regions'",
    "projection status",
    "log prove 1",
    "log verify",
)


@pytest.fixture
def signed(cli: Cli, config: Path) -> Cli:
    """A ledger with some consents, whose log has a key."""
    cli.done("log init --origin example.com/files")
    cli.authorize()
    return cli


@pytest.fixture
def wide_open() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.usefixtures("wide_open")
def test_a_new_ledger_its_views_and_their_logs_are_their_owners_alone(cli: Cli) -> None:
    cli.authorize()
    cli.done("view regions")
    with Ledger(cli.ledger), closing(sqlite3.connect(f"{cli.ledger}.views")) as views:
        views.execute("SELECT count(*) FROM tracking").fetchone()
        modes = {each.name: mode_of(each) for each in cli.folder.glob("ledger.db*")}
    assert set(modes.values()) == {0o600}, modes
    assert len(modes) == 6, modes


@pytest.mark.usefixtures("wide_open")
def test_a_ledger_that_its_owner_opened_to_others_keeps_its_mode(cli: Cli) -> None:
    cli.authorize()
    cli.ledger.chmod(0o640)
    cli.authorize("ap-southeast-3")
    cli.done("view regions")
    assert mode_of(cli.ledger) == 0o640
    assert mode_of(Path(f"{cli.ledger}.views")) == 0o640


def test_views_are_never_open_to_more_people_than_their_ledger(cli: Cli) -> None:
    cli.authorize()
    cli.done("view regions")
    views = Path(f"{cli.ledger}.views")
    views.chmod(0o644)
    cli.done("view regions")
    assert mode_of(views) == 0o600


# -- a second user --------------------------------------------------------------------------------


@as_root
def test_a_second_user_cannot_read_a_ledger_that_is_its_owners_alone(cli: Cli) -> None:
    cli.authorize()
    reachable(cli.folder)
    said = as_nobody("view", "regions", "--ledger", cli.ledger)
    assert said.returncode == 7
    assert "Check" in said.stderr
    assert names_in(cli.folder) == ["ledger.db"]


@as_root
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("folder", [0o777, 0o755], ids=oct)
def test_a_second_users_reading_leaves_nothing_that_blocks_the_owner(
    signed: Cli, reading: str, folder: int
) -> None:
    reachable(signed.folder)
    signed.folder.chmod(folder)
    signed.ledger.chmod(0o644)
    before = names_in(signed.folder)
    key = signed.done("log key show").out.split()[-1]
    words = [*shlex.split(reading), *(("--key", key) if reading == "log verify" else ())]
    said = as_nobody(*words, "--ledger", signed.ledger)
    assert said.returncode == 0, said.stderr
    assert names_in(signed.folder) == before
    signed.authorize("ap-southeast-3")
    assert "ap-southeast-3" in signed.done("view regions").out


@as_root
def test_a_second_user_reads_along_while_the_owner_has_the_ledger_open(signed: Cli) -> None:
    reachable(signed.folder)
    signed.folder.chmod(0o777)
    signed.ledger.chmod(0o644)
    with Ledger(signed.ledger) as ledger:
        signed.authorize("ap-southeast-3")  # Into the write-ahead log, not into the file.
        before = names_in(signed.folder)
        said = as_nobody("view", "regions", "--ledger", signed.ledger)
        assert "ap-southeast-3" in said.stdout, said.stderr
        assert names_in(signed.folder) == before
        assert {each.stat().st_uid for each in signed.folder.iterdir()} == {0}
        assert ledger.last_position() > 0


@as_root
def test_a_second_users_views_are_kept_in_his_cache_folder(signed: Cli, tmp_path: Path) -> None:
    reachable(signed.folder)
    signed.ledger.chmod(0o644)
    cache = tmp_path / "cache"
    said = as_nobody("view", "regions", "--ledger", signed.ledger, cache=cache)
    assert said.returncode == 0, said.stderr
    kept = [each for each in cache.rglob("*.views") if each.is_file()]
    assert [(each.stat().st_uid, mode_of(each)) for each in kept] == [(NOBODY, 0o600)]


@as_root
def test_a_file_that_root_makes_beside_a_ledger_belongs_to_the_ledgers_owner(cli: Cli) -> None:
    cli.authorize()
    reachable(cli.folder)
    os.chown(cli.folder, NOBODY, NOBODY)
    os.chown(cli.ledger, NOBODY, NOBODY)
    cli.done("view regions")
    assert Path(f"{cli.ledger}.views").stat().st_uid == NOBODY
    said = as_nobody("view", "regions", "--ledger", cli.ledger)
    assert said.returncode == 0, said.stderr


@as_root
def test_views_that_another_user_left_behind_do_not_block_the_owner(cli: Cli) -> None:
    cli.authorize()
    reachable(cli.folder)
    views = Path(f"{cli.ledger}.views")
    views.touch(mode=0o600)
    os.chown(cli.folder, NOBODY, NOBODY)
    os.chown(cli.ledger, NOBODY, NOBODY)
    said = as_nobody("view", "regions", "--ledger", cli.ledger)
    assert "cn-north-4" in said.stdout, said.stderr


# -- read-only media ------------------------------------------------------------------------------


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """A folder that `burn` makes read-only, as a disk that nothing can write."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a disk")
    folder = tmp_path / "media"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "none", folder], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip(f"cannot mount here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def burn(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


def test_a_ledger_on_read_only_media_is_read_verified_queried_copied_and_proved(
    signed: Cli, media: Path, tmp_path: Path
) -> None:
    burnt = media / "ledger.db"
    shutil.copy(signed.ledger, burnt)
    burn(media)
    for reading in READINGS:
        assert signed.done(f"{reading} --ledger {burnt}").out == signed.done(reading).out
    copied = signed.done(f"copy --from {burnt} --to {tmp_path / 'copy.db'} --verify")
    assert "True" in copied.out or "yes" in copied.out
    evidence = tmp_path / "evidence"
    signed.done(f"audit evidence regions --ledger {burnt} -o {evidence}")
    assert names_in(media) == ["ledger.db"]


def test_an_append_to_read_only_media_is_refused_and_says_so(signed: Cli, media: Path) -> None:
    burnt = media / "ledger.db"
    shutil.copy(signed.ledger, burnt)
    burn(media)
    said = signed(f"console login --region cn-north-4 --user alice --ledger {burnt}")
    assert said.code == 7
    assert "cannot be written" in said.err


@pytest.mark.parametrize("suffixes", [("-wal",), ("-wal", "-shm")])
def test_entries_in_a_log_beside_a_file_on_read_only_media_are_read_or_the_file_is_refused(
    signed: Cli, media: Path, suffixes: tuple[str, ...]
) -> None:
    with Ledger(signed.ledger):
        signed.authorize("ap-southeast-3")  # Into the write-ahead log, not into the file.
        for suffix in ("", *suffixes):
            shutil.copy(f"{signed.ledger}{suffix}", media / f"ledger.db{suffix}")
    burn(media)
    said = signed(f"view regions --ledger {media / 'ledger.db'}")
    if "-shm" in suffixes:
        assert "ap-southeast-3" in said.out
    else:
        assert said.code == 7
        assert "Copy both files" in said.err


@as_root
def test_a_ledger_that_nobody_may_change_is_read(signed: Cli) -> None:
    """As root, `chattr +i` is the way to close a file for oneself."""
    done = subprocess.run(["chattr", "+i", signed.ledger], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("this file system has no immutable files")
    try:
        assert "cn-north-4" in signed.done("view regions").out
        signed.done("log verify")
        said = signed("console login --region cn-north-4 --user alice")
        assert said.code == 7
    finally:
        subprocess.run(["chattr", "-i", signed.ledger], check=True)


# -- names and copies -----------------------------------------------------------------------------


def test_a_file_with_two_names_is_refused_until_it_has_one(cli: Cli) -> None:
    cli.authorize()
    other = cli.folder / "other.db"
    os.link(cli.ledger, other)
    for place in (cli.ledger, other):
        said = cli(f"view regions --ledger {place}")
        assert said.code == 7
        assert "2 names (hard links)" in said.err
    other.unlink()
    cli.authorize("ap-southeast-3")


def test_a_copy_without_the_write_ahead_log_lacks_the_newest_entries_and_a_pin_shows_it(
    signed: Cli,
) -> None:
    copied = signed.folder / "copied.db"
    with Ledger(signed.ledger):
        signed.authorize("ap-southeast-3")
        pin = signed.folder / "pin"
        pin.write_text(signed.done("log checkpoint").out)
        shutil.copy(signed.ledger, copied)
    said = signed(f"log verify --ledger {copied} --since {pin}")
    assert said.code == 6
    kept = pin.read_text()
    assert signed.done(f"log verify --since {pin}").code == 0
    assert kept.split("\n")[1] == pin.read_text().split("\n")[1]


# -- a group ---------------------------------------------------------------------------------------


@as_root
@pytest.mark.usefixtures("wide_open")
def test_a_shared_ledger_is_read_and_appended_to_by_the_group_and_its_owner(cli: Cli) -> None:
    shared = cli.folder / "shared"
    shared.mkdir(mode=0o700)
    place = shared / "ledger.db"
    cli.done(f"console login --region cn-north-4 --user alice --ledger {place}")
    said = cli.done(f"database grant --share games --ledger {place}")
    assert "games may read and append" in said.err
    reachable(cli.folder)
    login = ("console", "login", "--region", "cn-north-4", "--user", "bob", "--account", "another")
    member = (grp.getgrnam("games").gr_gid,)
    with Ledger(place):
        for words in (login, ("view", "regions")):
            done = as_nobody(*words, "--ledger", place, groups=member)
            assert done.returncode == 0, done.stderr
        assert {mode_of(each) for each in shared.iterdir()} == {0o660}
        assert {each.stat().st_gid for each in shared.iterdir()} == set(member)
    cli.done(f"view regions --ledger {place}")
    cli.done(f"authorization grant --region cn-north-4 --ledger {place}")
    assert as_nobody("view", "regions", "--ledger", place).returncode == 7, "not of the group"


def test_a_folder_with_other_files_is_not_opened_to_a_group(cli: Cli) -> None:
    cli.authorize()
    (cli.folder / "diary.txt").touch()
    said = cli("database grant --share games")
    assert said.code == 2
    assert "diary.txt" in said.err
    assert mode_of(cli.ledger) == 0o600


def test_a_group_that_does_not_exist_is_named(cli: Cli) -> None:
    cli.authorize()
    said = cli("database grant --share no-such-group")
    assert said.code == 4
    assert "no-such-group" in said.err
