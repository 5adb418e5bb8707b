"""Reads a ledger's events for an export: pages of rows by position, and the log's tiles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from ledger.application import Ledger
from ledger.errors import LedgerError, VerificationFailed
from ledger.persistence.columns import COLUMNS as STORED
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.sqlite.files import connect, uri_of
from ledger.verification.row_check import differences
from projections.entry_columns import COLUMNS, typed

__all__ = ["COLUMNS", "INTEGERS", "PAGE", "EventSource", "Row", "events_of"]

INTEGERS: Final = ("position", "version")
"""The columns that are integers; all others are text."""
PAGE: Final = 5_000

Row = tuple[Any, ...]


class EventSource(Protocol):
    """A ledger on any database, as an export reads it."""

    def last_position(self) -> int:
        """The last position, 0 if there is none."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the log with at least `width` hashes."""

    def pages(self, first: int) -> Iterator[list[Row]]:
        """The events from position `first` on, in order, PAGE at a time: rows of COLUMNS.

        Raises VerificationFailed if a column is not what was written.
        """


def events_of(ledger: Ledger) -> EventSource:
    """The events of a ledger, read from its own database."""
    if isinstance(ledger.location, PostgresDatabase):
        return PostgresEvents(ledger, ledger.location)
    return SqliteEvents(ledger, ledger.location.path)


class PostgresEvents:
    """The events of a ledger on PostgreSQL, on a standby too."""

    def __init__(self, ledger: Ledger, database: PostgresDatabase) -> None:
        self._database = database
        self.read_tile = ledger.entries.read_tile
        self.last_position = ledger.last_position

    def pages(self, first: int) -> Iterator[list[Row]]:
        from projections.stores.postgres.connection import entry_pages  # noqa: PLC0415  Brings psycopg along.

        for page in entry_pages(self._database, first, PAGE):
            yield [_with_columns(row) for row in page]


def _with_columns(row: Row) -> Row:
    """The row of an entry with its typed columns. Raises VerificationFailed."""
    position, stream, version, topic, entry = row
    try:
        fields = orjson.loads(entry)
        if (fields["stream"], fields["version"], fields["topic"]) == (stream, version, topic):
            return (*row, *typed(position, topic, entry))
    except (ValueError, TypeError, KeyError, LedgerError):
        pass
    found = differences(row, entry.encode(), position - 1, "")
    raise VerificationFailed(
        f"position {position}: {next(found, 'the row is not as it would be written').rstrip('.')}.",
        remedy="Nothing from that page on was exported. `authledger log verify` finds all such rows.",
    )


class SqliteEvents:
    """The events of a ledger on SQLite, read through a read-only connection."""

    def __init__(self, ledger: Ledger, path: Path) -> None:
        self._path = path.absolute()
        self._entries = ledger.entries
        self.last_position = ledger.last_position

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        with as_store_errors(str(self._path)):
            return self._entries.read_tile(level, index, width)

    def pages(self, first: int) -> Iterator[list[Row]]:
        statement = (
            f"SELECT {', '.join(STORED)} FROM events WHERE position >= ? ORDER BY position LIMIT ?"
        )
        with as_store_errors(str(self._path)), closing(_read_only(self._path)) as connection:
            while page := _page(connection, statement, (first, PAGE)):
                yield [_with_columns(row) for row in page]
                first = page[-1][0] + 1


def _read_only(path: Path) -> sqlite3.Connection:
    return connect(uri_of(path, "ro"))


def _page(connection: sqlite3.Connection, statement: str, params: tuple[int, int]) -> list[Row]:
    """One page, in a read transaction of its own: none is open while files are written."""
    try:
        return connection.execute(statement, params).fetchall()
    except sqlite3.OperationalError as error:
        if "UTF-8" not in str(error):
            raise
        raise VerificationFailed(
            f"A text from position {params[0]} on is not UTF-8: {error}. The export stopped there.",
            remedy="`authledger log verify` names what was altered.",
        ) from error
