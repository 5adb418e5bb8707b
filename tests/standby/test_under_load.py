"""A server fails while several processes write: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import OutcomeUnknown, StoreFull, StoreUnavailable
from ledger.persistence.postgres import connections as postgres_connections
from tests.cli.conftest import BEIJING, Cli
from tests.ledger.scenario import login
from tests.ledger.worlds import consent, sound, texts
from tests.postgres import Server
from tests.standby.load import writers
from tests.standby.pair import Pair

_ALL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_nothing_is_lost_when_a_server_restarts_under_four_writers(
    pair: Pair, database: str, tmp_path: Path
) -> None:
    """A fast restart cuts off every transaction, also those that wait for the standby."""
    url = pair.network_url(database)
    Ledger(url).close()
    with writers(url, tmp_path) as some:
        for _ in range(2):
            some.wait_for_more(5)
            pair.run("stop", pair.primary)
            pair.run("start", pair.primary)
        some.wait_for_more(5)
    some.kept(pair.url_of(pair.primary, database))


def test_nothing_is_lost_when_connections_are_cut_under_four_writers(
    pair: Pair, database: str, tmp_path: Path
) -> None:
    url = pair.network_url(database)
    Ledger(url).close()
    with writers(url, tmp_path) as some, pair.connection(pair.primary, database) as db:
        some.wait_for_more(2)
        cut = 0
        for _ in range(40):
            cut += (db.execute(_ALL.encode()).fetchone() or (0,))[0]
            time.sleep(0.05)  # Some of them reach the commit.
        some.wait_for_more(2)
    assert cut > 20
    some.kept(pair.url_of(pair.primary, database))


def test_a_lock_held_too_long_ends_a_command_with_7(
    pair: Pair, database: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = pair.url_of(pair.primary, database)
    ledger = f"--ledger {shlex.quote(url)}"
    cli.done(f"{ledger} console login --region {BEIJING}")
    monkeypatch.setattr("ledger.application.Ledger.__init__", _impatient(Ledger.__init__))
    with psycopg.connect(pair.url_of(pair.primary, database, "postgres")) as other:
        other.execute("LOCK TABLE ledger.append_lock")
        said = cli(f"{ledger} console login --region ap-southeast-3")
        assert said.code == 7
        assert "locked by another process" in said.err
        assert "Try again" in said.err
        assert cli(f"{ledger} audit trail").code == 0
    cli.done(f"{ledger} console login --region ap-southeast-3")
    sound(url)


def _impatient(init: object) -> object:
    def patched(self: Ledger, *args: object, **options: object) -> None:
        init(self, *args, **options, lock_timeout_s=1)  # type: ignore[operator]

    return patched


@pytest.fixture
def cramped(server: Server) -> Iterator[tuple[Server, Path]]:
    """A server whose write-ahead log is on a small disk of its own, and that disk."""
    server = Server(restart_after_crash="on", min_wal_size="32MB")
    disk = server.folder / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=50m,mode=700", "none", disk],
        check=False,
        capture_output=True,
    )
    try:
        if mount.returncode:
            pytest.skip(f"cannot mount here: {mount.stderr.decode().strip()}")
        server.give(disk)
        shutil.copytree(server.data / "pg_wal", disk / "pg_wal")
        for each in (disk / "pg_wal", *(disk / "pg_wal").rglob("*")):
            server.give(each)
        shutil.rmtree(server.data / "pg_wal")
        (server.data / "pg_wal").symlink_to(disk / "pg_wal")
        server.start()
        yield server, disk
    finally:
        server.stop()
        if not mount.returncode:
            subprocess.run(["umount", disk], check=True)
        server.remove()


def fill(disk: Path) -> Path:
    """Fill the disk with a file; return its path."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))
    assert shutil.disk_usage(disk).free < 65_536
    return ballast


def test_nothing_is_lost_when_the_disk_of_the_write_ahead_log_is_full(
    cramped: tuple[Server, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server panics, and starts again when there is space. The command that was being
    committed may be on the disk or not: the error says so, and its command id settles it.
    """
    server, disk = cramped
    monkeypatch.setattr(postgres_connections, "RETRY_S", 1)
    url = server.url("postgres")
    commands = ((login(f"r{number % 7}"), f"c{number}") for number in range(100_000))
    command, command_id = next(commands)
    with Ledger(url) as ledger:
        consent(ledger, BEIJING)
        acknowledged = ledger.last_position()
        ballast = fill(disk)
        with pytest.raises(StoreUnavailable) as raised:
            for command, command_id in commands:
                ledger.execute(command, command_id=command_id)
                acknowledged = ledger.last_position()
    assert not isinstance(raised.value, StoreFull), "the server may have committed it"
    ballast.unlink()
    server.stop()
    server.start()
    with Ledger(url) as ledger:
        is_there = ledger.last_position() > acknowledged
        if not isinstance(raised.value, OutcomeUnknown):
            assert not is_there, "the error did not say that the outcome is unknown"
        assert ledger.execute(command, command_id=command_id).repeated == is_there
        assert len(texts(ledger)) == ledger.last_position() == acknowledged + 1
    sound(url)
