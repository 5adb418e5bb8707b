"""Connections to a PostgreSQL ledger: made when needed, replaced when lost, waiting for locks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any, Final, Self, TypeVar

import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row, tuple_row

from ledger.errors import InvalidInput
from ledger.persistence.location import PostgresDatabase

Answer = TypeVar("Answer")

RETRY_S: Final = 10.0
"""How long a lost connection is retried: a server restarts, or another one takes its place."""
_PAUSE_S: Final = 0.05
_PAUSE_MAX_S: Final = 0.5
_ATTEMPTS_MAX: Final = 5
"""How often a transaction is retried that the server gave up in favour of another."""
_DEFAULTS: Final = {
    "connect_timeout": "3",
    "application_name": "authledger",
    # A server that vanishes is noticed within half a minute, not within two hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "client_encoding": "UTF8",
}
_VARIABLES: Final = {"connect_timeout": "PGCONNECT_TIMEOUT", "application_name": "PGAPPNAME"}
_LOST: Final = ("08", "57P01", "57P02", "57P03")
"""The beginnings of SQLSTATE for a connection that was lost or refused."""
_ENDING: Final = ("FATAL", "PANIC")
"""The severities after which the server has closed the connection, or has stopped: for example if
its write-ahead log is out of space. During a commit, it is unknown then whether it was done.
"""
_GIVEN_UP: Final = ("40001", "40P01")
"""A serialization failure or a deadlock: nothing was done, and a retry helps."""
IDLE_IN_TRANSACTION_S: Final = 20
"""A process that hangs or is unreachable during an append loses the append lock after so long. The
others wait for it for 30 s."""


def connect(url: str, *, lock_timeout_s: int = 0) -> Connection[Any]:
    """Connect, in autocommit mode. Settings of the URL come before our defaults."""
    said = _parameters(url)
    given: dict[str, Any] = {
        name: value
        for name, value in _DEFAULTS.items()
        if name not in said and _VARIABLES.get(name, "") not in os.environ
    }
    connection = Connection.connect(url, autocommit=True, row_factory=dict_row, **given)
    try:
        connection.execute(
            f"SET search_path = ledger, pg_temp; SET lock_timeout = '{lock_timeout_s}s'; "
            "SET default_transaction_isolation = 'read committed'; "
            f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_S}s'; "
            # An acknowledged entry is on the disk. A stricter setting, as remote_apply, is kept.
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'".encode()
        )
    except BaseException:
        connection.close()
        raise
    return connection


def session_user(connection: Connection[Any]) -> str:
    """The session user. The server says it when a connection begins; some poolers do not pass it
    on, so then it is asked.
    """
    said = connection.info.parameter_status("session_authorization")
    if said is not None:
        return said
    with connection.cursor(row_factory=tuple_row) as c:
        return str((c.execute("SELECT session_user").fetchone() or ("",))[0])


def _parameters(url: str) -> dict[str, Any]:
    """The parameters of a URL, by libpq's names.

    Raises InvalidInput without libpq's own message, which may contain parts of a password.
    """
    try:
        return conninfo_to_dict(url)
    except (psycopg.ProgrammingError, UnicodeError):
        raise InvalidInput(
            "The ledger's URL is not valid: PostgreSQL's libpq cannot read it.",
            remedy="Write postgresql://USER@HOST:PORT/DATABASE?PARAMETER=VALUE, and write special "
            "characters as %-codes.",
        ) from None


class _Held(local):
    connection: Connection[Any] | None = None


class _Connections:
    """The idle connections of a process, in place of the library's pool.

    The library's pool connects in threads of its own, so a caller would not see the server's error.
    """

    def __init__(self, url: str, lock_timeout_s: int) -> None:
        self._url, self._lock_timeout_s = url, lock_timeout_s
        self._idle: list[Connection[Any]] = []
        self._held = _Held()
        self._lock = Lock()
        self._is_closed = False
        self.has_connected = False

    def open(self, _wait: bool, _timeout: float) -> None:  # noqa: FBT001  The library calls it so.
        """Do nothing: connections are made when they are needed."""

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        held = self._held.connection
        if held is not None and not held.closed:
            yield held
            return
        connection = self._taken()
        try:
            yield connection
        finally:
            self._put_back(connection)

    def hold(self, connection: Connection[Any] | None) -> None:
        """Give this thread only this connection, whenever it asks for one; None ends that."""
        self._held.connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _taken(self) -> Connection[Any]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = connect(self._url, lock_timeout_s=self._lock_timeout_s)
        self.has_connected = True
        return connection

    def _put_back(self, connection: Connection[Any]) -> None:
        is_idle = connection.info.transaction_status is TransactionStatus.IDLE
        with self._lock:
            if is_idle and not self._is_closed and not connection.closed:
                self._idle.append(connection)
                return
        connection.close()  # The server rolls back an open transaction.


class Datastore(PostgresDatastore):
    """The library's datastore with our connections, which are not pinged before each use."""

    refuses_altered = True
    """Whether a ledger is refused if its tables may mislead a reader."""

    def __init__(
        self, url: str, *, lock_timeout_s: int = 30, may_create: bool = True, **options: Any
    ) -> None:
        self.name, self.may_create = str(PostgresDatabase(url)), may_create
        _parameters(url)
        super().__init__("", "", "", "", "", lock_timeout=lock_timeout_s, **options)
        self.connections = _Connections(url, lock_timeout_s)
        self.pool: Any = self.connections

    @contextmanager
    def holding(self) -> Iterator[Connection[Any]]:
        """A connection that this thread uses for everything within the block."""
        with self.get_connection() as connection:
            self.connections.hold(connection)
            try:
                yield connection
            finally:
                self.connections.hold(None)

    def retried(self, work: Callable[[Connection[Any]], Answer]) -> Answer:
        """Return what `work` returns; if its connection is lost, call it again with another one.

        `work` must be safe to repeat. Raises the library's errors after RETRY_S, or immediately if
        this process has never connected.
        """
        end, pause, given_up = 0.0, _PAUSE_S, 0
        while True:
            try:
                with self.get_connection() as connection:
                    return work(connection)
            except (OperationalError, InterfaceError) as error:
                if is_given_up(error) and given_up < _ATTEMPTS_MAX:
                    given_up += 1
                elif is_lost(error) and self.connections.has_connected:
                    end = end or time.monotonic() + RETRY_S
                    if time.monotonic() > end:
                        raise
                else:
                    raise
                if end and pause > _PAUSE_S:
                    time.sleep(
                        pause
                    )  # The first retry is immediate: most often only this one was lost.
                pause = min(2 * pause, _PAUSE_MAX_S)


def is_lost(error: BaseException) -> bool:
    """Whether a connection was lost, or could not be made."""
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and (
        cause.sqlstate is None
        or cause.sqlstate.startswith(_LOST)
        or cause.diag.severity_nonlocalized in _ENDING
    )


def is_given_up(error: BaseException) -> bool:
    """Whether the server gave up a transaction in favour of another."""
    return getattr(error.__cause__, "sqlstate", None) in _GIVEN_UP
