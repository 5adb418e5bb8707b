"""Recognises a ledger's file and its format, and migrates an older format."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from ledger.errors import NewerFormat, NotALedger, NotFound
from ledger.persistence.columns import APPLICATION_ID, FORMAT_VERSION
from ledger.persistence.merkle_log import Log
from ledger.persistence.opening import REMEDY
from ledger.persistence.sqlite.files import connect, uri_of
from ledger.persistence.sqlite.log_tables import SQLiteLogRows

_PAGE: Final = 10_000


def format_of(c: SQLiteCursor | sqlite3.Cursor, name: str) -> int:
    """The format of a file's ledger; 0 if the file is empty. Raises NotALedger, NewerFormat."""
    application_id, version, tables = (
        _number(c, statement)
        for statement in (
            "PRAGMA application_id",
            "PRAGMA user_version",
            "SELECT count(*) FROM sqlite_schema",
        )
    )
    if application_id == APPLICATION_ID:
        if version > FORMAT_VERSION:
            raise NewerFormat(
                f"The ledger {name} has format {version}; this program supports formats up to "
                f"{FORMAT_VERSION}. Nothing was changed.",
                remedy="Use a newer authledger.",
            )
        return version
    if application_id or tables:
        raise NotALedger(
            f"{name} is a database of another program. Nothing was changed.",
            remedy="Name another file with --ledger.",
        )
    return 0


def check_file(path: Path, lock_timeout_s: int) -> None:
    """Raises NotALedger, NewerFormat, or NotFound if a file is empty. Writes nothing."""
    with closing(connect(uri_of(path, "ro"), timeout=lock_timeout_s)) as connection:
        connection.execute("BEGIN")  # One snapshot: another process may just be making it.
        if not format_of(connection.cursor(), str(path)):
            raise NotFound(f"The file {path} is empty, so it is not a ledger.", remedy=REMEDY)


def set_format(c: SQLiteCursor | sqlite3.Cursor, version: int = FORMAT_VERSION) -> None:
    """Mark the file as a ledger of this format."""
    c.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    c.execute(f"PRAGMA user_version = {version}")


def log_existing_entries(c: SQLiteCursor, log: Log) -> None:
    """Add the entries of a ledger of format 1 to the log, which that format did not have."""
    last = 0
    while entries := _entries(c, last):
        log.append(SQLiteLogRows(c), last, entries)
        last += len(entries)


def _entries(c: SQLiteCursor, after: int) -> list[bytes]:
    c.execute(
        "SELECT CAST(entry AS BLOB) FROM events WHERE position > ? ORDER BY position LIMIT ?",
        (after, _PAGE),
    )
    return [row[0] for row in c.fetchall()]


def _number(c: SQLiteCursor | sqlite3.Cursor, statement: str) -> int:
    c.execute(statement)
    return int(c.fetchone()[0])
