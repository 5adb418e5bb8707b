"""Which file is a ledger, of which format, and how an older one becomes one of today's."""

from __future__ import annotations

from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from ledger.errors import NewerFormat, NotALedger
from ledger.persistence.columns import APPLICATION_ID, FORMAT_VERSION
from ledger.persistence.merkle_log import Log
from ledger.persistence.sqlite.log_tables import SQLiteLogRows

_PAGE: Final = 10_000


def format_of(c: SQLiteCursor, name: str) -> int:
    """The format of the ledger that a file is; 0 if it is empty. Raises NotALedger, NewerFormat."""
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
                f"The ledger {name} has the format {version}; this program knows {FORMAT_VERSION}.",
                remedy="Use a newer authledger; nothing was changed.",
            )
        return version
    if application_id or tables:
        raise NotALedger(
            f"{name} is a database of another program.",
            remedy="Name another file with --ledger; nothing was changed.",
        )
    return 0


def set_format(c: SQLiteCursor) -> None:
    """The file is a ledger of this format from now on."""
    c.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    c.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def log_what_is_there(c: SQLiteCursor, log: Log) -> None:
    """A ledger of format 1 had no log: its entries become the first leaves."""
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


def _number(c: SQLiteCursor, statement: str) -> int:
    c.execute(statement)
    return int(c.fetchone()[0])
