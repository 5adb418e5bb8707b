"""What a database says when it cannot, turned into the ledger's own errors with their remedies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import IntegrityError, PersistenceError

from ledger.errors import NotALedger, StoreFull, StoreLocked, StoreReadOnly, StoreUnavailable


@contextmanager
def told_clearly(ledger: str) -> Iterator[None]:
    """Turn the failures of SQLite and of the library into StoreUnavailable and its kind.

    A lost race (IntegrityError) passes: whoever appends decides again.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (sqlite3.Error, PersistenceError, OSError) as error:
        raise _told(ledger, error) from error


def _told(ledger: str, error: BaseException) -> StoreUnavailable:
    text = str(error)
    lowered = text.lower()
    if "locked" in lowered or "busy" in lowered:
        return StoreLocked(
            f"The ledger {ledger} is locked by another process.",
            remedy="Nothing was lost; try again when it has finished.",
        )
    if "disk is full" in lowered or "no space left" in lowered:
        return StoreFull(
            f"The disk that holds the ledger {ledger} is full; nothing was appended.",
            remedy="Free some space and try again.",
        )
    if "readonly" in lowered or "read-only" in lowered or "permission denied" in lowered:
        return StoreReadOnly(
            f"The ledger {ledger} cannot be written.",
            remedy="Check the permissions of the file and of its folder.",
        )
    if "unable to open" in lowered:
        return StoreUnavailable(
            f"The ledger {ledger} cannot be opened: {text}.",
            remedy="Check that the folder exists and may be entered and written.",
        )
    if "not a database" in lowered:
        return NotALedger(
            f"{ledger} is not a ledger.", remedy="Name another file with --ledger; left as it is."
        )
    if "disk i/o error" in lowered:
        return StoreUnavailable(
            f"The ledger {ledger} could not be read or written: {text}.",
            remedy="Look at the disk, its free space and the system's log.",
        )
    return StoreUnavailable(f"The ledger {ledger} cannot be used: {text}.")
