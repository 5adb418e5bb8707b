"""Database servers that a benchmark starts for itself, in a folder of their own, and ends again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

START_S_MAX: Final = 30.0
STOP_S_MAX: Final = 30.0
LOOK_AGAIN_S: Final = 0.05

DEBIAN: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps each major version's programs, which are not on the path."""
OWNER: Final = "postgres"
"""Who runs the server if root asks for it, which PostgreSQL refuses to run as."""
PROGRAMS: Final = ("initdb", "postgres", "psql", "createdb")


class CannotRun(Exception):
    """What an alternative needs is not here, or did not start; its row says so."""


# -- PostgreSQL ----------------------------------------------------------------------------------


@contextmanager
def postgresql() -> Iterator[dict[str, str]]:
    """A new PostgreSQL that waits for the disk, behind a socket that only its owner can reach.

    Yields the environment by which its clients, libpq and psql, find it. Raises CannotRun.
    """
    programs = _programs()
    owner = _owner()
    with tempfile.TemporaryDirectory(prefix="authledger-postgresql-") as folder:
        if owner:
            shutil.chown(folder, owner, owner)
        data = f"{folder}/data"
        # C: a collation that is compared by bytes, as SQLite's, and is everywhere.
        words = ("--username", OWNER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C")
        run([f"{programs}/initdb", "--pgdata", data, *words], user=owner)
        # The defaults, spelled out: a commit has reached the disk, whole pages are in the log.
        durable = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
        settings = (*durable, "listen_addresses=", f"unix_socket_directories={folder}")
        command = [f"{programs}/postgres", "-D", data]
        command += [word for setting in settings for word in ("-c", setting)]
        path = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = {"PATH": path, "PGHOST": folder, "PGUSER": OWNER}

        def answers() -> bool:
            asked = ("psql", "--no-psqlrc", "--quiet", "--command", "SELECT 1", OWNER)
            return _run([*asked], environment).returncode == 0

        with _running("PostgreSQL", command, answers, owner):
            yield environment


def _programs() -> str:
    """The folder of the newest PostgreSQL."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda each: float(each.parent.name), reverse=True)
    for folder in folders:
        if all((folder / program).exists() for program in PROGRAMS):
            return str(folder)
    raise CannotRun(f"no PostgreSQL here ({', '.join(PROGRAMS)}): apt install postgresql")


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(OWNER).pw_name
    except KeyError:
        raise CannotRun(f"PostgreSQL never runs as root, and there is no user {OWNER}") from None


# -- UmaDB ---------------------------------------------------------------------------------------


@contextmanager
def umadb(database: Path) -> Iterator[str]:
    """The server that UmaDB's wheel brings along, at a new file. Yields its address."""
    program = Path(sys.executable).with_name("umadb")
    if not program.exists():
        raise CannotRun(f"there is no {program.name} beside {Path(sys.executable).name}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()

    def answers() -> bool:
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            return False
        return True

    address = f"{host}:{port}"
    command = [str(program), "--listen", address, "--db-path", os.fspath(database)]
    with _running("UmaDB", command, answers):
        yield f"http://{address}"


# -- processes -----------------------------------------------------------------------------------


@contextmanager
def _running(
    name: str, command: Sequence[str], answers: Callable[[], bool], user: str | None = None
) -> Iterator[None]:
    """A server that has been heard to answer; it is ended by its own id."""
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(  # noqa: S603  Our own words.
            command,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
            # Where whoever runs the server may be; the folder of the benchmark may not.
            cwd="/",
            user=user,
            group=user,
            extra_groups=[] if user else None,
        ) as server,
    ):
        try:
            patience = time.monotonic() + START_S_MAX
            while not answers():
                if server.poll() is not None or time.monotonic() > patience:
                    told.seek(0)
                    raise CannotRun(f"{name} did not start: {_last_line(told.read())}")
                time.sleep(LOOK_AGAIN_S)
            yield
        finally:
            _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # To PostgreSQL: fast, without waiting for its clients.
    try:
        server.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        server.kill()


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, user: str | None = None
) -> None:
    """Run a program to its end. Raises CannotRun with the last thing that it said."""
    try:
        done = _run(command, environment, user)
    except OSError as error:
        raise CannotRun(f"{Path(command[0]).name} could not be run: {error}") from error
    if done.returncode != 0:
        raise CannotRun(f"{Path(command[0]).name} failed: {_last_line(done.stdout)}")


def _run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, user: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  Our own words.
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/",
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )


def _last_line(told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
