"""Database servers that a benchmark starts for itself, in a folder of their own, and ends again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.postgres import Server

START_S_MAX: Final = 30.0
STOP_S_MAX: Final = 30.0
LOOK_AGAIN_S: Final = 0.05

AS_IT_COMES: Final = {
    # The defaults, spelled out: a commit has reached the disk, whole pages are in the log.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # What the tests turn off or down.
    "autovacuum_naptime": "1min",
    "jit": "on",
    "shared_buffers": "128MB",
}


class CannotRun(Exception):
    """What an alternative needs is not here, or did not start; its row says so."""


# -- PostgreSQL ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database of a server, and how it is reached."""

    url: str
    name: str
    host: str
    port: int
    user: str


@contextmanager
def postgresql() -> Iterator[Server]:
    """A new PostgreSQL that waits for the disk: the server that the tests use, which is found and
    started in one way. Raises CannotRun.
    """
    try:
        from tests.postgres import Server  # noqa: PLC0415  It brings psycopg along.
    except ModuleNotFoundError as missing:
        raise CannotRun(f"psycopg is not installed: {missing}") from missing
    try:
        server = Server(durable=True, **AS_IT_COMES)
    except FileNotFoundError as missing:
        raise CannotRun(f"no PostgreSQL here ({missing}): apt install postgresql") from missing
    try:
        server.start()
        yield server
    except RuntimeError as failure:
        raise CannotRun(f"PostgreSQL did not start: {_last_line(str(failure).encode())}") from None
    finally:
        server.remove()


@contextmanager
def database(server: Server) -> Iterator[Database]:
    """An empty database, emptied again afterwards."""
    from tests.postgres import SUPERUSER  # noqa: PLC0415  The server is there, and so is this.

    name = server.take()
    try:
        yield Database(server.url(name), name, str(server.folder), server.port, SUPERUSER)
    finally:
        server.give_back(name)


def environment(server: Server) -> dict[str, str]:
    """By which programs of the server's own, as psql, find it."""
    from tests.postgres import SUPERUSER, binaries  # noqa: PLC0415  As above.

    return {
        "PATH": f"{binaries()}{os.pathsep}{os.environ.get('PATH', '')}",
        "PGHOST": str(server.folder),
        "PGPORT": str(server.port),
        "PGUSER": SUPERUSER,
    }


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
def _running(name: str, command: Sequence[str], answers: Callable[[], bool]) -> Iterator[None]:
    """A server that has been heard to answer; it is ended by its own id."""
    with (
        tempfile.TemporaryFile() as told,
        subprocess.Popen(  # noqa: S603  Our own words.
            command,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
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
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        server.kill()


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a program to its end. Raises CannotRun with the last thing that it said."""
    try:
        done = subprocess.run(  # noqa: S603  Our own words.
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
        )
    except OSError as error:
        raise CannotRun(f"{Path(command[0]).name} could not be run: {error}") from error
    if done.returncode != 0:
        raise CannotRun(f"{Path(command[0]).name} failed: {_last_line(done.stdout)}")


def _last_line(told: bytes) -> str:
    lines = told.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
