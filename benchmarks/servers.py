"""Starts and stops database servers for a benchmark, each in a folder of its own."""

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
    # The defaults: a commit waits for the disk, and the write-ahead log has full pages.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Defaults that the tests change.
    "autovacuum_naptime": "1min",
    "jit": "on",
    "shared_buffers": "128MB",
}


class CannotRun(Exception):
    """A competitor is not installed or did not start. Its row gives this reason."""


# -- PostgreSQL ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database of a server, and its address."""

    url: str
    name: str
    host: str
    port: int
    user: str


@contextmanager
def postgresql() -> Iterator[Server]:
    """A new PostgreSQL server that waits for the disk; it is found and started as for the tests.
    Raises CannotRun.
    """
    try:
        from tests.postgres import Server  # noqa: PLC0415  It imports psycopg.
    except ModuleNotFoundError as missing:
        raise CannotRun(f"psycopg is not installed: {missing}") from missing
    try:
        server = Server(durable=True, **AS_IT_COMES)
    except FileNotFoundError as missing:
        raise CannotRun(
            f"PostgreSQL is not installed ({missing}): apt install postgresql"
        ) from missing
    try:
        server.start()
        yield server
    except RuntimeError as failure:
        raise CannotRun(f"PostgreSQL did not start: {_last_line(str(failure).encode())}") from None
    finally:
        server.remove()


@contextmanager
def database(server: Server) -> Iterator[Database]:
    """An empty database, which is emptied again afterwards."""
    from tests.postgres import SUPERUSER  # noqa: PLC0415  It imports psycopg.

    name = server.take()
    try:
        yield Database(server.url(name), name, str(server.folder), server.port, SUPERUSER)
    finally:
        server.give_back(name)


def environment(server: Server) -> dict[str, str]:
    """The environment in which the server's own programs, such as psql, find it."""
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
    """The server from UmaDB's wheel, with a new file. Yields its address."""
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
    """Run a server while the context lasts; enter it when the server answers."""
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(  # noqa: S603  Constant arguments.
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            patience = time.monotonic() + START_S_MAX
            while not answers():
                if server.poll() is not None or time.monotonic() > patience:
                    output.seek(0)
                    raise CannotRun(f"{name} did not start: {_last_line(output.read())}")
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
    """Run a program to its end. Raises CannotRun with the last line of its output."""
    try:
        done = subprocess.run(  # noqa: S603  Constant arguments.
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


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "it printed nothing"
