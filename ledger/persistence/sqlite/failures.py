"""What an error of SQLite or of the operating system means for a ledger in a file.

An error is known by its code, never by its text, which may hold words of a path.
"""

from __future__ import annotations

import errno

from eventsourcing.persistence import PersistenceError

from ledger.errors import NotALedger, StoreFull, StoreLocked, StoreReadOnly, StoreUnavailable

Meaning = tuple[type[StoreUnavailable], str, str]
"""The kind of error, its message about `{ledger}`, and the remedy."""


def meaning_of(error: BaseException) -> Meaning | None:
    """What an error means; None if its code is not known."""
    code = _code(error)
    return next((found for known, found in _MEANINGS.items() if code.startswith(known)), None)


def _code(error: BaseException) -> str:
    """The name of the error as SQLite or the operating system has it; empty if it has none."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, "")
    return getattr(_origin(error), "sqlite_errorname", None) or ""


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
