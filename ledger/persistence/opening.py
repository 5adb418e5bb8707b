"""How a ledger is opened: the settings for the library's factories, by its location."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import quote

from ledger.errors import NotFound, StoreUnavailable
from ledger.persistence.location import Location, SQLiteFile

REMEDY: Final = "Name another with --ledger, or make one with the first writing command."


REFUSES_ALTERED: Final = "LEDGER_REFUSES_ALTERED"
"""The setting that is "no" if a ledger is opened whatever its tables are."""


def opening(
    location: Location, *, create: bool, lock_timeout_s: int, refuses_altered: bool = True
) -> dict[str, str]:
    """The settings for the factory of a ledger's database. Raises NotFound, StoreUnavailable."""
    common = {REFUSES_ALTERED: "yes" if refuses_altered else "no"}
    if isinstance(location, SQLiteFile):
        timeout = {"SQLITE_LOCK_TIMEOUT": str(lock_timeout_s)}
        return _file(location, create=create) | timeout | common
    need_psycopg()
    return common | {
        "PERSISTENCE_MODULE": "ledger.persistence.postgres.factory:LedgerFactory",
        "POSTGRES_URL": location.url,
        "POSTGRES_LOCK_TIMEOUT": str(lock_timeout_s),
        "LEDGER_CREATE": "yes" if create else "no",
        "ORIGINATOR_ID_TYPE": "text",
    }


def need_psycopg() -> None:
    """Raises StoreUnavailable, with the command that installs it, if psycopg is missing."""
    try:
        import psycopg_pool  # noqa: F401, PLC0415  With psycopg, and psycopg with its libpq.
    except ImportError as error:
        raise StoreUnavailable(
            f"A ledger on PostgreSQL needs psycopg, which is not installed: {error}.",
            remedy="pip install 'authledger[postgres]'",
        ) from error


def _file(location: SQLiteFile, *, create: bool) -> dict[str, str]:
    if create:
        location.path.parent.mkdir(parents=True, exist_ok=True)
    elif not location.path.exists():
        raise NotFound(f"There is no ledger at {location}.", remedy=REMEDY)
    return {  # The factory opens it for reading if it may not be written.
        "PERSISTENCE_MODULE": "ledger.persistence.sqlite.recorder:LedgerFactory",
        "SQLITE_DBNAME": f"file:{quote(os.fsencode(location.path.absolute()))}?mode=rwc",
        "ORIGINATOR_ID_TYPE": "text",
    }
