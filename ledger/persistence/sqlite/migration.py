"""Makes an older ledger's file one of today's format. It may be killed anywhere, and goes on later.

Up to format 3, the table of the entries had columns derived from them, and indexes for the audit
trail. Its rows are copied into a table of bytes beside it, a batch in each transaction:

    events             the old table. Other processes read it, and append to it
    events_migrating   the new one, as far as it was copied
    the last step      copies what came since, compares all rows, and exchanges the tables, in one
                       transaction under the write lock

So no entry is in doubt at any moment: until the last step is committed, the old table counts.
A row that was altered is copied as it is, so that `log verify` names it afterwards as before.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from eventsourcing.persistence import IntegrityError
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore

from ledger.errors import StoreFull, StoreUnavailable
from ledger.persistence.columns import COLUMNS, FORMAT_VERSION, READABLE_FORMAT
from ledger.persistence.merkle_log import Log
from ledger.persistence.sqlite.format import format_of, log_existing_entries, set_format
from ledger.persistence.sqlite.schema import EVENTS, EVENTS_OF_ANY_TYPE, SCHEMA, TRIGGERS

BATCH: Final = 20_000
SAID_FROM: Final = 100_000
"""From so many entries on, it takes more than a moment, so people are told."""
_WITH_COLUMNS: Final = 3
_NEW: Final = "events_migrating"
_NAMES: Final = ", ".join(COLUMNS)
_FIRST: Final = -(2**63)
_COPY: Final = (
    f"INSERT INTO {_NEW} ({_NAMES}) SELECT {_NAMES} FROM events "
    f"WHERE position >= (SELECT ifnull(max(position) + 1, {_FIRST}) FROM {_NEW}) "
    "ORDER BY position LIMIT ?"
)
_VALUES: Final = ", ".join(f"{{0}}.{name}" for name in COLUMNS)
_DIFFERENT: Final = (
    f"SELECT position FROM events AS old LEFT JOIN {_NEW} AS new USING (position) "
    f"WHERE ({_VALUES.format('old')}) IS NOT ({_VALUES.format('new')}) "
    f"UNION ALL SELECT position FROM {_NEW} WHERE position NOT IN (SELECT position FROM events)"
)
_log: Final = logging.getLogger("authledger")


class _Different(Exception):
    """The copy does not have the same rows."""


class Migration:
    """Makes one file a ledger of today's format, or goes on where another process stopped."""

    def __init__(self, datastore: SQLiteDatastore, log: Log, name: str) -> None:
        self._datastore, self._merkle, self._name = datastore, log, name

    def run(self) -> None:
        """Raises NotALedger, NewerFormat; StoreFull, and StoreUnavailable if the copy differs:
        then the ledger is one of format 3, whole and in use.
        """
        if not self._begin():
            return
        self._check_room()
        if self._is_exchanged():
            self._shrink()

    def _is_exchanged(self) -> bool:
        """Copy the entries and exchange the tables; return whether this process did it.

        If the copy is not the same, it is made anew; then once more, with the types that the rows
        have: somebody has altered them past the types of the old table.
        """
        for table in (EVENTS, EVENTS_OF_ANY_TYPE):
            try:
                return self._go_on()
            except (IntegrityError, _Different):
                self._begin_again(table)
        try:
            return self._go_on()
        except (IntegrityError, _Different) as error:
            raise StoreUnavailable(
                f"The ledger {self._name} was not migrated to format {FORMAT_VERSION}: {error}. "
                "All entries are as they were.",
                remedy="Check the disk, and open the ledger again.",
            ) from error

    def _go_on(self) -> bool:
        while self._copy():
            pass
        return self._finish()

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
            if version > _WITH_COLUMNS:  # Its tables are today's; only its entries say less.
                set_format(c)
                return False
            if version < READABLE_FORMAT:
                log_existing_entries(c, self._merkle)
            set_format(c, _WITH_COLUMNS)  # It has all tables of that format now.
            c.execute(EVENTS.format(_NEW))
            count = _value(c, "SELECT count(*) FROM events")
        if count >= SAID_FROM:
            _log.warning(
                "The ledger %s is migrated to format %d, once: %d entries. It may be interrupted.",
                *(self._name, FORMAT_VERSION, count),
            )
        return True

    def _check_room(self) -> None:
        """Raises StoreFull if the disk has no room for the second table, which is shorter."""
        path = Path(self._name)
        needed = path.stat().st_size
        if shutil.disk_usage(path.parent).free < needed:
            raise StoreFull(
                f"The ledger {self._name} was not migrated to format {FORMAT_VERSION}: its disk has "
                f"less than {needed / 1e6:.0f} MB of free space. It is used as it is.",
                remedy="Free some space, and open the ledger again.",
            )

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
                raise _Different(f"the copy of position {position} differs")
            _exchange(c)
            set_format(c)
        return True

    def _begin_again(self, table: str) -> None:
        """Delete what was copied, and make the new table as declared."""
        with self._datastore.transaction(commit=True) as c:
            if self._has_begun(c):
                c.execute(f"DROP TABLE {_NEW}")
                c.execute(table.format(_NEW))

    def _has_begun(self, c: SQLiteCursor) -> bool:
        """Whether the new table is still beside the old one: another process may have finished."""
        return bool(
            _value(c, f"SELECT count(*) FROM sqlite_schema WHERE name = '{_NEW}'")
            and format_of(c, self._name) < FORMAT_VERSION
        )

    def _shrink(self) -> None:
        """Give the old table's space back. If others use the file, later entries will use it."""
        with (
            suppress(sqlite3.OperationalError),
            self._datastore.get_connection(commit=False) as connection,
        ):
            cursor = connection.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # All of it went through the log.


def _exchange(c: SQLiteCursor) -> None:
    with _without_overwriting(c):
        c.execute("DROP TABLE events")
    # A view of somebody's over the old columns must not keep the ledger from being opened.
    c.execute("PRAGMA legacy_alter_table = ON")
    c.execute(f"ALTER TABLE {_NEW} RENAME TO events")
    c.execute("PRAGMA legacy_alter_table = OFF")
    for statement in TRIGGERS:
        c.execute(statement)


@contextmanager
def _without_overwriting(c: SQLiteCursor) -> Iterator[None]:
    """The entries remain, so their old bytes need not be overwritten; erased names must be."""
    c.execute("PRAGMA secure_delete = OFF")
    try:
        yield
    finally:
        c.execute("PRAGMA secure_delete = ON")


def _copied(c: SQLiteCursor) -> int:
    c.execute(_COPY, (BATCH,))
    return int(_value(c, "SELECT changes()"))


def _value(c: SQLiteCursor, statement: str) -> Any:
    c.execute(statement)
    row = c.fetchone()
    return None if row is None else row[0]
