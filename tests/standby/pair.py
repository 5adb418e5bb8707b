"""A primary and its synchronous standby, run by the script in docs/howto."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from signal import SIGKILL
from typing import Any, Final
from urllib.parse import quote

import psycopg

from tests.postgres import Server

SCRIPT: Final = Path(__file__).parents[2] / "docs" / "howto" / "postgresql-pair.sh"
PATIENCE_S: Final = 60
_SETTINGS: Final = """
shared_buffers = 32MB
max_connections = 60
autovacuum = off
jit = off
log_min_messages = log
"""
_numbers = count(1)


def until(holds: Callable[[], object], condition: str) -> None:
    """Wait until `holds` is true; `condition` describes it."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"not within {PATIENCE_S} s: {condition}"
        time.sleep(0.02)


class Pair:
    """Two servers, `one` and `two`; which of them is the primary changes."""

    def __init__(self, binaries: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pair-"))
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PG_BIN": str(binaries),
            "PAIR_FSYNC": "off",  # The tests kill processes, not the machine.
            "PAIR_SETTINGS": _SETTINGS,
        }
        self.url = self.run("start").splitlines()[-1]
        """Names both hosts and selects the one that accepts writes."""
        self.primary, self.standby = "one", "two"

    def run(self, verb: str, *which: str) -> str:
        """Run the script and return its output."""
        done = self.tried(verb, *which)
        assert done.returncode == 0, f"{verb}: {done.stdout}{done.stderr}\n{self.logs()}"
        return done.stdout.strip()

    def tried(self, verb: str, *which: str) -> subprocess.CompletedProcess[str]:
        return self.tried_elsewhere(verb, self.folder, *which)

    def tried_elsewhere(
        self, verb: str, folder: Path, *which: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, verb, folder, *which],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def logs(self) -> str:
        return "\n".join(
            f"{path.name}: {path.read_text()[-1500:]}" for path in self.folder.glob("*.log")
        )

    def port(self, name: str) -> int:
        ports = dict(line.split("=") for line in (self.folder / "ports").read_text().split())
        return int(ports[name])

    def url_of(self, name: str, database: str, role: str = "ledger") -> str:
        """The URL of one server, through its socket."""
        host = quote(str(self.folder), safe="")
        return f"postgresql://{role}@/{database}?host={host}&port={self.port(name)}"

    def network_url(self, database: str) -> str:
        """The URL with both servers, as writers use it."""
        return self.url.replace("/ledger?", f"/{database}?")

    @contextmanager
    def connection(
        self, name: str, database: str = "postgres"
    ) -> Iterator[psycopg.Connection[Any]]:
        """A connection of the superuser."""
        url = self.url_of(name, database, "postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def value(self, name: str, statement: str) -> Any:
        with self.connection(name) as db:
            row = db.execute(statement.encode()).fetchone()
            return row and row[0]

    def make_database(self) -> str:
        """Create an empty database on both servers; return its name."""
        name = f"ledger{next(_numbers)}"
        with self.connection(self.primary) as db:
            db.execute(f"CREATE DATABASE {name} OWNER ledger".encode())
        self.replayed()
        return name

    def replayed(self) -> None:
        """Wait until the standby shows everything that the primary has."""
        at = self.value(self.primary, "SELECT pg_current_wal_insert_lsn()::text")
        until(
            lambda: self.value(self.standby, f"SELECT pg_last_wal_replay_lsn() >= '{at}'::pg_lsn"),
            "the standby replays",
        )

    def pid(self, name: str) -> int:
        return int((self.folder / name / "postmaster.pid").read_text().split()[0])

    def kill(self, name: str) -> None:
        """Kill all processes of a server with SIGKILL, and wait until they are gone."""
        pid = self.pid(name)
        for each in (*_children(pid), pid):
            with suppress(ProcessLookupError):
                os.kill(each, SIGKILL)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the killed server's process ends")

    def promote(self) -> None:
        self.run("promote")
        self.primary, self.standby = self.standby, self.primary

    def mend(self) -> None:
        """Start both servers, with the standby following, after any previous test."""
        if self._standby() is None:
            self.run("rejoin")
        else:
            self.run("start")
        standby = self._standby()
        assert standby is not None
        self.primary, self.standby = ("two", "one") if standby == "one" else ("one", "two")

    def _standby(self) -> str | None:
        names = [
            name for name in ("one", "two") if (self.folder / name / "standby.signal").exists()
        ]
        return names[0] if names else None

    def remove(self) -> None:
        self.tried("remove")
        shutil.rmtree(self.folder, ignore_errors=True)


def _children(pid: int) -> list[int]:
    """The child processes of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(each) for each in task.read_text().split()]
    return found


@contextmanager
def running_pair(server: Server) -> Iterator[Pair]:
    """A pair of servers, with the same binaries as the server of the other tests."""
    pair = Pair(server.binaries)
    try:
        yield pair
    finally:
        pair.remove()
