"""Free SQL on SQLite, read-only in the engine itself: its authorizer permits nothing but reading.

Each query has a process of its own, which is killed when its time is up.
"""

from __future__ import annotations

import json
import secrets
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from ledger import processes
from ledger.errors import InvalidInput, LedgerError
from ledger.persistence.sqlite.files import connect, uri_of
from projections.stores.query import (
    ROW_BYTES_MAX,
    Fetched,
    fetch,
    is_empty,
    not_allowed,
    row_too_large,
    took_too_long,
)
from projections.stores.sqlite.connection import attach_ledger
from projections.stores.sqlite.place import Place

VALUE_BYTES_MAX: Final = 100_000
"""No value is longer. An entry has 65,535 bytes at most."""
HEAP_BYTES_MAX: Final = 256 * 2**20
"""The engine allocates no more."""
MEMORY_BYTES_MAX: Final = 1024 * 2**20
"""The process, with its interpreter, has no more address space."""
FILE_BYTES_MAX: Final = 1024 * 2**20
"""No temporary file is larger: a sort writes one if its rows do not fit in the engine's cache."""

_OF_THE_STORE: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")
_TEMPORARY_FILE: Final = ("SQLITE_FULL", "SQLITE_IOERR_WRITE")
"""Errors of writing. A query writes nothing but temporary files."""


class SQLiteQuery:
    """Free SQL over the views' file, by a process of its own for each query."""

    def __init__(self, place: Place, ledger: Path) -> None:
        self._place, self._ledger = place, ledger

    def __call__(self, sql: str, row_limit: int, time_limit_s: float) -> Fetched:
        """Raises InvalidInput, QueryTimedOut, and KeyboardInterrupt on Ctrl-C."""
        request = self._places() | {"sql": sql, "limits": _limits(time_limit_s)}
        with _asked(request) as process:
            answer = _Answer(process, time_limit_s)
            rows = fetch(answer.rows(), row_limit + 1)
            return Fetched(answer.columns, rows[:row_limit], len(rows) > row_limit)

    def _places(self) -> dict[str, Any]:
        """The files that the process opens, and the temporary views that it makes, as made here."""
        views, ledger = self._place.uri("ro"), uri_of(self._ledger, "ro")
        # A random name: some joins reach columns that the authorizer is not asked about, so a
        # query must not be able to name the table that holds the salts.
        schema = f"ledger_{secrets.token_hex(16)}"
        with closing(connect(views, isolation_level=None)) as connection:
            attach_ledger(connection, self._ledger, schema)
            made = connection.execute("SELECT sql FROM sqlite_temp_schema ORDER BY rowid")
            statements = [text.replace("CREATE VIEW", "CREATE TEMP VIEW", 1) for (text,) in made]
        return {"views": views, "ledger": ledger, "schema": schema, "statements": statements}


def _limits(time_limit_s: float) -> dict[str, float]:
    return {
        "seconds": time_limit_s,
        "value_bytes": VALUE_BYTES_MAX,
        "row_bytes": ROW_BYTES_MAX,
        "heap_bytes": HEAP_BYTES_MAX,
        "memory_bytes": MEMORY_BYTES_MAX,
        "file_bytes": FILE_BYTES_MAX,
    }


@contextmanager
def _asked(request: Mapping[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """The process that answers the request. It is killed if it still runs at the end."""
    process = processes.begun("projections.stores.sqlite.asker", stdin=subprocess.PIPE)
    with process:
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


class _Answer:
    """The lines that a process writes."""

    def __init__(self, process: subprocess.Popen[bytes], time_limit_s: float) -> None:
        self._process, self._time_limit_s = process, time_limit_s
        self.columns: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every row. Raises InvalidInput, QueryTimedOut, sqlite3.Error."""
        for line in self._process.stdout or ():
            document = json.loads(line)
            if isinstance(document, list):
                yield tuple(map(_value, document))
            elif "columns" in document:
                self.columns = tuple(document["columns"])
            elif "error" in document:
                raise _explained(document["error"], document["name"] or "")
            elif self.columns:
                return
            else:
                raise is_empty()
        raise self._ended()

    def _ended(self) -> BaseException:
        """The error for a process that ended before its answer did."""
        status = self._process.wait()
        if status == -signal.SIGALRM:
            return took_too_long(self._time_limit_s)
        if status == -signal.SIGINT:
            return KeyboardInterrupt()
        return InvalidInput(
            f"The query failed: its process ended before the answer did (status {status}).",
            remedy="Ask for less. It may have needed more memory than this computer has.",
        )


def _value(cell: object) -> object:
    return bytes.fromhex(cell["hex"]) if isinstance(cell, dict) else cell


def _explained(text: str, name: str) -> LedgerError | sqlite3.Error:
    if name == "ROW":
        return row_too_large()
    if name in _TEMPORARY_FILE:
        return _needs_too_much(f"{FILE_BYTES_MAX // 2**20} MiB in a temporary file")
    if name == "SQLITE_NOMEM":
        return _needs_too_much(f"{HEAP_BYTES_MAX // 2**20} MiB of memory")
    if name.startswith(_OF_THE_STORE):
        error = sqlite3.DatabaseError(text)
        error.sqlite_errorname = name
        return error
    if any(word in text for word in ("not authorized", "prohibited", "readonly", "cannot modify")):
        return not_allowed(text)
    return InvalidInput(f"The query failed: {text.rstrip('.')}.")


def _needs_too_much(what: str) -> InvalidInput:
    return InvalidInput(
        f"The query was stopped: it needs more than {what}, or than is free.",
        remedy="Ask for fewer rows or columns, or sort and group fewer of them.",
    )
