"""Translates the errors of SQLite and of the operating system for a ledger in a file.

An error is recognised by its code. Its text may contain parts of a path.
"""

from __future__ import annotations

import errno

from eventsourcing.persistence import PersistenceError

from ledger.errors import NotALedger, StoreFull, StoreLocked, StoreReadOnly, StoreUnavailable

Meaning = tuple[type[StoreUnavailable], str, str]
"""The kind of error, its message about `{ledger}`, and the remedy."""


def meaning_of(error: BaseException) -> Meaning | None:
    """The meaning of an error; None if its code is not known."""
    code = _code(error)
    return next((found for known, found in _MEANINGS.items() if code.startswith(known)), None)


def is_read_only(error: BaseException) -> bool:
    """Whether a write failed because the file may only be read."""
    return _code(error).startswith("SQLITE_READONLY")


def is_full(error: BaseException) -> bool:
    """Whether a write failed because the disk is full."""
    return _code(error) == "SQLITE_FULL"


def _code(error: BaseException) -> str:
    """The error's name in SQLite or in the operating system; empty if it has none."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "")
    return getattr(_origin(error), "sqlite_errorname", None) or ""


def _origin(error: BaseException) -> object:
    """SQLite's own error: the library's error has it as its argument."""
    return error.args[0] if isinstance(error, PersistenceError) and error.args else error


_LOCKED = (
    StoreLocked,
    "The ledger {ledger} is locked by another process.",
    "Try again when that process has finished.",
)
_FULL = (
    StoreFull,
    "The disk that holds the ledger {ledger} is full.",
    "Free some space, and try again.",
)
_READ_ONLY = (
    StoreReadOnly,
    "The ledger {ledger} cannot be written.",
    "Check the permissions of the file and of its folder.",
)
_MEANINGS: dict[str, Meaning] = {
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
        "Name another file with --ledger. That file was not changed.",
    ),
    "SQLITE_CORRUPT": (
        StoreUnavailable,
        "The file of the ledger {ledger} is damaged. It was not changed.",
        "Restore a copy, or save the readable rows with `sqlite3 FILE .recover`.",
    ),
    "SQLITE_IOERR": (
        StoreUnavailable,
        "The ledger {ledger} could not be read or written.",
        "Check the disk, its free space and limits, and the system's log.",
    ),
    "SQLITE_CANTOPEN": (
        StoreUnavailable,
        "The ledger {ledger} cannot be opened.",
        "Check that it is a file, and that you may enter and write its folder.",
    ),
}
