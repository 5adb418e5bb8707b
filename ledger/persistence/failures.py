"""Turns the failures of the databases and of the operating system into the ledger's own errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import IntegrityError, PersistenceError

from ledger.errors import StoreUnavailable
from ledger.persistence.postgres.failures import is_from_postgres, store_error
from ledger.persistence.sqlite.failures import meaning_of


@contextmanager
def as_store_errors(ledger: str) -> Iterator[None]:
    """Turn the failures of the databases and of the library into StoreUnavailable and its kind.

    A conflict (IntegrityError) passes: the process that appends decides again.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (sqlite3.Error, PersistenceError, OSError) as error:
        raise _clear(ledger, error) from error


def _clear(ledger: str, error: BaseException) -> StoreUnavailable:
    cause = error.__cause__  # The library wraps psycopg's error in its own.
    if cause is not None and is_from_postgres(cause):
        return store_error(ledger, cause)
    meaning = meaning_of(error)
    if meaning is not None:
        kind, message, remedy = meaning
        return kind(message.format(ledger=ledger), remedy=remedy)
    said = error.strerror if isinstance(error, OSError) else error
    return StoreUnavailable(
        f"The ledger {ledger} cannot be used: {said}.",
        remedy="Check that its folder exists and may be entered and written, and that it is a file.",
    )
