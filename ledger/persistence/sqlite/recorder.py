"""The embedded ledger: one SQLite file, WAL, synchronous=FULL, positions 1..n under one lock."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Notification, PersistenceError, StoredEvent
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
)

from ledger.errors import StoreFull, StoreLocked
from ledger.persistence.as_is import AsIs
from ledger.persistence.columns import FORMAT_VERSION, READABLE_FORMAT
from ledger.persistence.entry import command_id_of
from ledger.persistence.merkle_log import (
    CheckpointSigner,
    Log,
    tree_size,
)
from ledger.persistence.numbering import (
    SET_BACKS,
    key,
    last_recorded_by,
    recorded_in,
    streams_between,
    streams_from,
)
from ledger.persistence.opening import REFUSES_ALTERED
from ledger.persistence.schema_difference import refuse_misleading
from ledger.persistence.side_tables import (
    COMMANDS,
    Appended,
    CommandRow,
    DocumentRow,
    Erasable,
    SideRows,
    SnapshotRow,
    SubjectRow,
    commands_by_id,
)
from ledger.persistence.sqlite.append import append, append_as_is, check
from ledger.persistence.sqlite.connections import Datastore
from ledger.persistence.sqlite.erasable import (
    insert_documents,
    select_documents,
)
from ledger.persistence.sqlite.failures import is_full, is_read_only
from ledger.persistence.sqlite.files import make_private, may_write, path_of, uri_of
from ledger.persistence.sqlite.format import format_of
from ledger.persistence.sqlite.log_tables import SQLiteLogRows
from ledger.persistence.sqlite.migration import Migration
from ledger.persistence.sqlite.opened_file import OpenedFile
from ledger.persistence.sqlite.schema import SCHEMA
from ledger.persistence.sqlite.schema_check import schema_differences

_log: Final = logging.getLogger("authledger")
_COLUMNS: Final = (
    "position, CAST(stream AS BLOB), version, CAST(topic AS BLOB), CAST(entry AS BLOB)"
)
"""The columns of an entry, read as bytes: a text that was altered may not be valid UTF-8."""
_VERSIONS: Final = (
    "SELECT value, (SELECT coalesce(max(version), 0) FROM events WHERE stream = value) "
    "FROM json_each(?)"
)
_ENTRY: Final = "SELECT CAST(entry AS BLOB) FROM events WHERE position = ?"


class LedgerRecorder(SQLiteApplicationRecorder):
    """Appends entries and reads them back by stream or by position."""

    datastore: Datastore

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "events") -> None:
        assert isinstance(datastore, Datastore)
        super().__init__(datastore, events_table_name)
        self.log = Log()
        self.has_runners = True
        self.admit: Callable[[Sequence[StoredEvent]], None] = lambda _: None

    def construct_create_table_statements(self) -> list[str]:
        return list(SCHEMA)

    def create_table(self) -> None:
        """Make the file a ledger of this format, or check that it is one. Raises NotALedger,
        NewerFormat, SchemaAltered.
        """
        name = str(path_of(self.datastore.pool.db_name))
        with self.datastore.transaction(commit=False) as c:
            version = format_of(c, name)
            if self.datastore.refuses_altered and version >= READABLE_FORMAT:
                refuse_misleading(name, schema_differences(c))
        if version < FORMAT_VERSION:
            self._migrate(name, version)
        if self.datastore.refuses_altered:
            self.datastore.check_schema_by(lambda c: refuse_misleading(name, schema_differences(c)))

    def _migrate(self, name: str, version: int) -> None:
        self.has_runners = False
        try:
            Migration(self.datastore, self.log, name).run()
            self.has_runners = True
        except StoreFull as error:
            _log.warning("%s %s", error.message, error.remedy)
        except PersistenceError as error:
            if version < READABLE_FORMAT or not (is_read_only(error) or is_full(error)):
                raise  # Otherwise it is used as it is.

    def database_user(self) -> None:
        """A file has no users of its own."""

    @staticmethod
    def _value(c: SQLiteCursor, statement: str, params: Sequence[Any] = ()) -> Any:
        c.execute(statement, params)
        row = c.fetchone()
        return None if row is None else row[0]

    def append(self, stored_events: Sequence[StoredEvent], side_rows: SideRows) -> Appended:
        """Append in one transaction. Raises IntegrityError on a conflict."""
        self.admit(stored_events)
        with self.datastore.transaction(commit=True) as c:
            return append(c, self.log, stored_events, side_rows)

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign a checkpoint of the log as it is now; return the note."""
        with self.datastore.transaction(commit=True) as c:
            signed = self.log.sign(SQLiteLogRows(c), signer, self._max_notification_id(c) or 0)
        return signed.released()

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int]:
        """Append without side tables: the library's interface."""
        self.admit(stored_events)
        return append(c, self.log, stored_events, SideRows()).positions

    def append_as_is(self, part: AsIs) -> None:
        """Store a part of another ledger byte for byte, in one transaction, unsigned.

        Raises Conflict if the part does not begin after the last position.
        """
        with self.datastore.transaction(commit=True) as c:
            append_as_is(c, self.log, part)

    def append_lock(self) -> AbstractContextManager[None]:
        """Hold the append lock: nobody else appends until the block ends or this thread commits.

        A process that waits for the lock of a busy file may find a conflict again and again.
        """
        return self.datastore.holding()

    def check(self, side_rows: SideRows) -> None:
        """Raises IntegrityError if a stream or a subject that a decision relied on has changed."""
        with self.datastore.transaction(commit=False) as c:
            check(c, side_rows)

    def checkpoint(self) -> str | None:
        """The newest checkpoint, a signed note."""
        with self.datastore.transaction(commit=False) as c:
            return SQLiteLogRows(c).note()

    def tree_size(self) -> int:
        """How many leaves the log has."""
        with self.datastore.transaction(commit=False) as c:
            return tree_size(SQLiteLogRows(c))

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the log, as in tlog-tiles; more hashes than `width` if it has grown."""
        with self.datastore.transaction(commit=False) as c:
            return SQLiteLogRows(c).tile(level, index, width)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream, by version."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT {_COLUMNS} FROM events "
                "WHERE stream = ? AND version > ? AND version <= ? "
                f"ORDER BY version {'DESC' if desc else 'ASC'} LIMIT ?",
                (
                    key(originator_id),
                    -1 if gt is None else gt,
                    2**62 if lte is None else lte,
                    -1 if limit is None else limit,
                ),
            )
            return [self._notification(row) for row in c.fetchall()]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """A page of history, by position."""
        first = 0 if start is None else start + (not inclusive_of_start)
        of_topics = f"AND topic IN ({','.join('?' * len(topics))}) " if topics else ""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                f"SELECT {_COLUMNS} FROM events "
                f"WHERE position >= ? AND position <= ? {of_topics}ORDER BY position LIMIT ?",
                (first, 2**62 if stop is None else stop, *topics, limit),
            )
            return [self._notification(row) for row in c.fetchall()]

    def _notification(self, row: Any) -> Notification:
        return Notification(
            id=row[0],
            originator_id=self.convert_originator_id(_text(row[1])),
            originator_version=row[2],
            topic=_text(row[3]),
            state=row[4],
        )

    def _max_notification_id(self, c: SQLiteCursor) -> int:
        return self._value(c, "SELECT max(position) FROM events")  # type: ignore[no-any-return]

    def max_versions(self, streams: Iterable[str]) -> dict[str, int]:
        """The version of each stream's last event; 0 if it has none."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(_VERSIONS, (json.dumps([*streams]),))
            return dict(c.fetchall())

    def select_streams(self, prefix: str) -> list[str]:
        """The streams whose names begin so, sorted."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(streams_from("?"), streams_between(prefix))
            return [row[0] for row in c.fetchall()]

    def select_snapshot(self, stream: str) -> SnapshotRow | None:
        """A stream's snapshot, if it has one."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT * FROM snapshots WHERE stream = ?", (stream,))
            row = c.fetchone()
            return None if row is None else SnapshotRow(*row)

    def select_commands(self, command_ids: Iterable[str]) -> dict[str, CommandRow]:
        """The commands among these that have been appended, by id. Raises CorruptEntry."""
        wanted = list(command_ids)
        found: dict[str, CommandRow] = {}
        with self.datastore.transaction(commit=False) as c:
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                c.execute(
                    f"{COMMANDS.format('CAST(e.entry AS BLOB)')} IN ({','.join('?' * len(part))})",
                    part,
                )
                found |= commands_by_id(c.fetchall())
        return found

    def select_subjects(self, kind: str, names: Iterable[str]) -> dict[str, SubjectRow]:
        """The subjects of a kind that are registered for these names, by name."""
        found = {}
        with self.datastore.transaction(commit=False) as c:
            for name in names:
                c.execute("SELECT * FROM subjects WHERE kind = ? AND name = ?", (kind, name))
                row = c.fetchone()
                if row is not None:
                    found[name] = SubjectRow(*row)
        return found

    def subject_names(self, subjects: Iterable[str]) -> dict[str, str]:
        """The names behind surrogate ids; erased ones are absent."""
        found = {}
        with self.datastore.transaction(commit=False) as c:
            for subject in subjects:
                name = self._value(c, "SELECT name FROM subjects WHERE subject = ?", (subject,))
                if name is not None:
                    found[subject] = name
        return found

    def select_documents(self, digests: Iterable[str]) -> dict[str, DocumentRow]:
        """Those of these documents whose texts are kept, by digest."""
        with self.datastore.transaction(commit=False) as c:
            return select_documents(c, digests)

    def keep(self, rows: Sequence[DocumentRow]) -> int:
        """Keep texts to which events refer already, unless they were erased; return how many were
        not kept before.
        """
        count = "SELECT count(*) FROM documents"
        with self.datastore.transaction(commit=True) as c:
            before = self._value(c, count)
            insert_documents(c, rows)
            return int(self._value(c, count) - before)

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""
        with self.datastore.transaction(commit=False) as c:
            last = self._max_notification_id(c) or 0
            c.execute(SET_BACKS.format(events="events"))
            set_backs = [row[0] for row in c.fetchall()]
            return last_recorded_by(
                recorded_at,
                last,
                lambda position: recorded_in(self._value(c, _ENTRY, (position,))),
                set_backs,
            )

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the command before it."""
        with self.datastore.transaction(commit=False) as c:
            entry = self._value(c, _ENTRY, (position,))
            c.execute(
                "SELECT first_position, last_position FROM commands WHERE command_id = ?",
                (entry and command_id_of(entry),),
            )
            row = c.fetchone()
            return position if row is None or row[1] <= position else row[0] - 1

    def wipe(self, table: Erasable) -> None:
        """Write the write-ahead log into the file and empty it, so that no erased bytes remain.

        Raises StoreLocked if a reader still uses the write-ahead log.
        """
        with self.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if cursor.fetchone()[0]:
                raise StoreLocked(
                    f"A row of the table {table} is deleted, but its bytes remain in the write-ahead log, because "
                    "another process is reading the ledger.",
                    remedy="The bytes go when the last process closes the ledger.",
                )


class LedgerFactory(SQLiteFactory):
    """The library's factory with our datastore and recorder.

    A new file is its owner's alone. A file that may not be written is opened for reading.
    """

    application_recorder_class = LedgerRecorder

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        stock = self.datastore
        stock.close()
        path = path_of(stock.pool.db_name)
        make_private(path)
        uri = uri_of(path, "rwc" if may_write(path) else "ro")
        self.datastore = Datastore(
            uri,
            file=OpenedFile(path, uri),
            lock_timeout=stock.pool.lock_timeout,
            single_row_tracking=stock.single_row_tracking,
            originator_id_type=stock.originator_id_type,
        )
        self.datastore.refuses_altered = env.get(REFUSES_ALTERED) != "no"


def _text(stored: bytes) -> str:
    """A stored text. If it is not UTF-8, another program altered it; the codec reports that."""
    return stored.decode(errors="backslashreplace")
