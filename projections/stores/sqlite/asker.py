"""A process that runs one query. A single call of an SQL function cannot be interrupted, but a
process can be killed, and its memory and its temporary files can be limited.

    parent → process   {"sql":…,"limits":{…},"views":…,"ledger":…,"schema":…,"statements":[…]}
    process → parent   {"columns":["position","text"]}
                       [1,"…"]                     for each row; bytes are {"hex":"00ff"}
                       {"done":true}  or  {"error":"…","name":"SQLITE_NOMEM"}, or with the name ROW

It imports only the standard library, so that it starts in a few hundredths of a second.
"""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from typing import Any, Final

_ALLOWED: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_FORBIDDEN_FUNCTIONS: Final = {"load_extension", "fts3_tokenizer"}
_FORBIDDEN_TABLES: Final = {"sqlite_temp_master", "sqlite_temp_schema"}


class _RowTooLarge(ValueError):
    sqlite_errorname = "ROW"


def main() -> None:
    """Answer the request on standard input."""
    request = json.loads(sys.stdin.buffer.readline())
    _limit(request["limits"])
    try:
        with closing(_opened(request)) as connection:
            _answer(connection, request)
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
        name = "SQLITE_NOMEM" if isinstance(error, MemoryError) else ""
        text = str(error).replace(f"{request['schema']}.", "")
        _write({"error": text, "name": getattr(error, "sqlite_errorname", name)})
    else:
        _write({"done": True})


def _limit(limits: Mapping[str, Any]) -> None:
    """The kernel ends this process when its time is up, and on Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM, signal.SIGINT})
    signal.setitimer(signal.ITIMER_REAL, limits["seconds"])
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
    ):
        given = [bound for bound in resource.getrlimit(kind) if bound != resource.RLIM_INFINITY]
        # Not every system can limit the address space; the engine's own limit remains.
        bound = min([most, *given])
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))


def _opened(request: Mapping[str, Any]) -> sqlite3.Connection:
    connection = sqlite3.connect(request["views"], uri=True, isolation_level=None)
    connection.execute(f"PRAGMA hard_heap_limit = {request['limits']['heap_bytes']:d}")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"ATTACH DATABASE ? AS {request['schema']}", (request["ledger"],))
    for statement in request["statements"]:
        connection.execute(statement)
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, request["limits"]["value_bytes"])
    connection.set_authorizer(_authorize)
    return connection


def _authorize(
    action: int, first: str | None, second: str | None, _: str | None, __: str | None
) -> int:
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and second in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and first in _FORBIDDEN_TABLES:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _answer(connection: sqlite3.Connection, request: Mapping[str, Any]) -> None:
    cursor = connection.execute(request["sql"])
    if cursor.description is not None:
        _write({"columns": [column[0] for column in cursor.description]})
    row_bytes_max = request["limits"]["row_bytes"]
    hidden = f"{request['schema']}."  # EXPLAIN shows it, which names the ledger for this query.
    for row in cursor:
        if sum(len(each) for each in row if isinstance(each, str | bytes)) > row_bytes_max:
            raise _RowTooLarge
        _write([_plain(value, hidden) for value in row])


def _plain(value: object, hidden: str) -> object:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return value.replace(hidden, "") if isinstance(value, str) else value


def _write(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
