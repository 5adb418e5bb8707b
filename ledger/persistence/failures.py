"""What a database says when it cannot, turned into the ledger's own errors with their remedies."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import IntegrityError, PersistenceError

from ledger.errors import NotALedger, StoreFull, StoreLocked, StoreReadOnly, StoreUnavailable
from ledger.persistence.postgres.failures import is_from_postgres, meaning_of


@contextmanager
def told_clearly(ledger: str) -> Iterator[None]:
    """Turn the failures of the databases and of the library into StoreUnavailable and its kind.

    A lost race (IntegrityError) passes: whoever appends decides again.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (sqlite3.Error, PersistenceError, OSError) as error:
        raise _told(ledger, error) from error


def _told(ledger: str, error: BaseException) -> StoreUnavailable:
    cause = error.__cause__  # The library wraps psycopg's error in its own.
    if cause is not None and is_from_postgres(cause):
        kind, message, remedy = meaning_of(cause)
        return kind(message.format(ledger=ledger, said=_first_line(cause)), remedy=remedy)
    for code, (kind, message, remedy) in _MEANINGS.items():
        if _code(error).startswith(code):
            return kind(message.format(ledger=ledger), remedy=remedy)
    return StoreUnavailable(
        f"The ledger {ledger} cannot be used: {_said(error)}.",
        remedy="Check that its folder exists and may be entered and written, and that it is a file.",
    )


def _code(error: BaseException) -> str:
    """The name of what went wrong, as SQLite or the operating system has it; never its text,
    which may hold words of a path.
    """
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "")
    return getattr(_origin(error), "sqlite_errorname", None) or ""


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].strip().rstrip(".")


def _said(error: BaseException) -> str:
    return str(error.strerror if isinstance(error, OSError) else error)


def _origin(error: BaseException) -> object:
    """The library wraps SQLite's error into its own, which has it as its argument."""
    return error.args[0] if isinstance(error, PersistenceError) and error.args else error


_LOCKED = (
    StoreLocked,
    "The ledger {ledger} is locked by another process.",
    "Nothing was lost; try again when it has finished.",
)
_FULL = (
    StoreFull,
    "The disk that holds the ledger {ledger} is full.",
    "Free some space and try again.",
)
_READ_ONLY = (
    StoreReadOnly,
    "The ledger {ledger} cannot be written.",
    "Check the permissions of the file and of its folder.",
)
_MEANINGS: dict[str, tuple[type[StoreUnavailable], str, str]] = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_FULL": _FULL,
    "ENOSPC": _FULL,
    "EDQUOT": _FULL,
    "SQLITE_READONLY": _READ_ONLY,
    "EACCES": _READ_ONLY,
    "EPERM": _READ_ONLY,
    "EROFS": _READ_ONLY,
    "SQLITE_NOTADB": (
        NotALedger,
        "{ledger} is not a ledger.",
        "Name another file with --ledger; left as it is.",
    ),
    "SQLITE_CORRUPT": (
        StoreUnavailable,
        "The ledger {ledger} is damaged; it was left as it is.",
        "Restore a copy, or save what can be read with `sqlite3 FILE .recover`.",
    ),
    "SQLITE_IOERR": (
        StoreUnavailable,
        "The ledger {ledger} could not be read or written.",
        "Look at the disk, its free space and limits, and the system's log.",
    ),
    "SQLITE_CANTOPEN": (
        StoreUnavailable,
        "The ledger {ledger} cannot be opened.",
        "Check that it is a file, and that its folder may be entered and written.",
    ),
}
