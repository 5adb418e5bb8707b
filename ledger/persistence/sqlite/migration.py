"""Makes an older ledger's file one of today's format. It may be killed anywhere, and goes on later.

Up to format 3, the table of the entries had columns derived from them, and indexes for the audit
trail. Its rows are copied into a table of bytes beside it, a batch in each transaction:

    events             the old table. Other processes read it, and append to it
    events_migrating   the new one, as far as it was copied
    the last step      copies what came since, compares all rows, and exchanges the tables, in one
                       transaction under the write lock

So no entry is in doubt at any moment: until the last step is committed, the old table counts.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, Final

from eventsourcing.persistence import PersistenceError
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore

from ledger.errors import StoreUnavailable
from ledger.persistence.columns import COLUMNS, FORMAT_VERSION, READABLE_FORMAT
from ledger.persistence.merkle_log import Log
from ledger.persistence.sqlite.format import format_of, log_existing_entries, set_format
from ledger.persistence.sqlite.schema import EVENTS, SCHEMA, TRIGGERS

BATCH: Final = 20_000
SAID_FROM: Final = 100_000
"""From so many entries on, it takes more than a moment, so people are told."""
_NEW: Final = "events_migrating"
_NAMES: Final = ", ".join(COLUMNS)
_COPY: Final = (
    f"INSERT INTO {_NEW} ({_NAMES}) SELECT {_NAMES} FROM events "
    f"WHERE position > (SELECT ifnull(max(position), -1) FROM {_NEW}) ORDER BY position LIMIT ?"
)
_DIFFERENT: Final = (
    f"SELECT position FROM (SELECT {_NAMES} FROM events EXCEPT SELECT {_NAMES} FROM {_NEW}) "
    f"UNION ALL SELECT position FROM {_NEW} WHERE position NOT IN (SELECT position FROM events)"
)
_log: Final = logging.getLogger("authledger")


class Migration:
    """Makes one file a ledger of today's format, or goes on where another process stopped."""

    def __init__(self, datastore: SQLiteDatastore, log: Log, name: str) -> None:
        self._datastore, self._merkle, self._name = datastore, log, name

    def run(self) -> None:
        """Raises NotALedger, NewerFormat; StoreUnavailable if the copy differs."""
        if self._begin():
            while self._copy():
                pass
            if self._finish():
                self._shrink()

    def _begin(self) -> bool:
        """Make the tables that are missing; return whether the entries remain to be copied."""
        with self._datastore.transaction(commit=True) as c:
            version = format_of(c, self._name)
            if version == FORMAT_VERSION:  # Another process did it first.
                return False
            for statement in SCHEMA:
                c.execute(statement)
            if not version:
                set_format(c)
                return False
            if version < READABLE_FORMAT and not _value(c, "SELECT count(*) FROM tiles"):
                log_existing_entries(c, self._merkle)
            c.execute(EVENTS.format(_NEW))
            count = _value(c, "SELECT count(*) FROM events")
        if count >= SAID_FROM:
            _log.warning(
                "The ledger %s is migrated to format %d, once: %d entries. It may be interrupted.",
                *(self._name, FORMAT_VERSION, count),
            )
        return True

    def _copy(self) -> bool:
        """Copy a batch; return whether there may be more."""
        with self._datastore.transaction(commit=True) as c:
            return self._has_begun(c) and _copied(c) == BATCH

    def _finish(self) -> bool:
        """Copy the rest, compare, and exchange the tables; return whether this process did it."""
        with self._datastore.transaction(commit=True) as c:
            if not self._has_begun(c):
                return False
            while _copied(c) == BATCH:
                pass
            if (position := _value(c, f"{_DIFFERENT} LIMIT 1")) is not None:
                raise StoreUnavailable(
                    f"The ledger {self._name} cannot be migrated to format {FORMAT_VERSION}: the "
                    f"copy of position {position} differs. Its entries were left as they are.",
                    remedy="Free disk space or check the disk, and open the ledger again.",
                )
            # The entries remain, so their old bytes need not be overwritten.
            c.execute("PRAGMA secure_delete = OFF")
            c.execute("DROP TABLE events")
            c.execute("PRAGMA secure_delete = ON")
            c.execute(f"ALTER TABLE {_NEW} RENAME TO events")
            for statement in TRIGGERS:
                c.execute(statement)
            set_format(c)
        return True

    def _has_begun(self, c: SQLiteCursor) -> bool:
        """Whether the new table is still beside the old one: another process may have finished."""
        return bool(
            _value(c, f"SELECT count(*) FROM sqlite_schema WHERE name = '{_NEW}'")
            and format_of(c, self._name) < FORMAT_VERSION
        )

    def _shrink(self) -> None:
        """Give the old table's space back. If others use the file, later entries will use it."""
        with (
            suppress(PersistenceError),
            self._datastore.get_connection(commit=False) as connection,
        ):
            connection.cursor().execute("VACUUM")


def _copied(c: SQLiteCursor) -> int:
    c.execute(_COPY, (BATCH,))
    return int(_value(c, "SELECT changes()"))


def _value(c: SQLiteCursor, statement: str) -> Any:
    c.execute(statement)
    row = c.fetchone()
    return None if row is None else row[0]
