"""The ledger on PostgreSQL: appends under one lock, reads by stream and by position."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    OperationalError,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresRecorder,
)
from psycopg import Connection, Cursor
from psycopg import Error as PsycopgError
from psycopg.errors import LockNotAvailable
from psycopg.rows import tuple_row

from ledger.errors import NotFound, OutcomeUnknown, StoreForbidden, StoreLocked
from ledger.messages import TRACE_PREFIX
from ledger.persistence.as_is import AsIs
from ledger.persistence.columns import FORMAT_VERSION, READABLE_FORMAT
from ledger.persistence.entry import command_id_of
from ledger.persistence.merkle_log import CheckpointSigner, Log, tree_size
from ledger.persistence.numbering import (
    SET_BACKS,
    key,
    last_recorded_by,
    recorded_in,
    streams_between,
    streams_from,
)
from ledger.persistence.opening import REMEDY
from ledger.persistence.postgres.append import (
    CONFIRM,
    Append,
    abandon,
    append_as_is,
    begin,
    check,
    keep,
    sign,
)
from ledger.persistence.postgres.connections import Datastore, session_user
from ledger.persistence.postgres.erasable import select_documents
from ledger.persistence.postgres.failures import is_forbidden
from ledger.persistence.postgres.format import format_of, make
from ledger.persistence.postgres.log_tables import PostgresLogRows
from ledger.persistence.postgres.schema_check import refuse_altered
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

Answer = TypeVar("Answer")
_COLUMNS = "position, stream, version, topic, entry"
_ENTRY = "SELECT entry FROM events WHERE position = %s"


class LedgerRecorder(PostgresApplicationRecorder):
    """Appends entries and reads them back by stream or by position."""

    datastore: Datastore

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = "events") -> None:
        assert isinstance(datastore, Datastore)
        # Not PostgresApplicationRecorder's: its statements are for tables that number their rows
        # themselves, and it looks up its composite type on the server each time.
        PostgresRecorder.__init__(self, datastore)
        self.events_table_name = events_table_name
        self.log = Log()
        self.has_runners, self._is_former = True, False
        self.admit: Callable[[Sequence[StoredEvent]], None] = lambda _: None

    def create_table(self) -> None:
        """Make the database a ledger of this format, or check that it is one. Raises NotALedger,
        NewerFormat, NotFound, SchemaAltered.
        """
        name = self.datastore.name
        version = self._read(lambda c: format_of(c, name))
        if version >= READABLE_FORMAT and self.datastore.refuses_altered:
            self._read(lambda c: refuse_altered(c, name, version))
        if version == FORMAT_VERSION:
            return
        if not version and not self.datastore.may_create:
            raise NotFound(f"There is no ledger in {name}.", remedy=REMEDY)
        try:
            self.datastore.retried(lambda connection: make(connection, name))
        except PersistenceError as error:
            if version < READABLE_FORMAT or not is_forbidden(error.__cause__):
                raise
            self._is_former = True  # It is read as it is.

    def _read(self, work: Callable[[Cursor[Any]], Answer]) -> Answer:
        """Read with a cursor whose rows are tuples. Each statement sees what is committed then."""

        def reading(connection: Connection[Any]) -> Answer:
            with connection.cursor(row_factory=tuple_row) as c:
                return work(c)

        return self.datastore.retried(reading)

    def _rows(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._read(lambda c: c.execute(statement.encode(), params).fetchall())

    def _value(self, statement: str, params: Sequence[Any] = ()) -> Any:
        rows = self._rows(statement, params)
        return rows[0][0] if rows else None

    def database_user(self) -> str:
        """The session user of the database's connections. SET ROLE does not change it."""
        return self.datastore.retried(session_user)

    # -- writing ---------------------------------------------------------------------------------

    def append(self, stored_events: Sequence[StoredEvent], side_rows: SideRows) -> Appended:
        """Append in one transaction. Raises IntegrityError on a conflict."""
        self.admit(stored_events)
        append = Append(self.log, stored_events, side_rows)
        try:
            with self._of_today():
                return self.datastore.retried(append)
        except IntegrityError:
            raise
        except PersistenceError as error:
            if append.may_be_done:  # No later attempt got as far as looking.
                raise OutcomeUnknown(
                    f"The connection to {self.datastore.name} was lost at the commit, and it could not "
                    "be looked up later: it is not known whether the entries were appended.",
                    remedy=_to_try_again(side_rows),
                ) from error
            raise

    def append_as_is(self, part: AsIs) -> None:
        """Store a part of another ledger byte for byte, in one transaction, unsigned.

        Raises Conflict if the part does not begin after the last position.
        """
        with self._of_today():
            self.datastore.retried(lambda connection: append_as_is(connection, self.log, part))

    @contextmanager
    def _of_today(self) -> Iterator[None]:
        """Raises StoreForbidden if the ledger has an older format still: programs of that format do
        not read today's entries.
        """
        if self._is_former:
            name = self.datastore.name
            self._is_former = self._read(lambda c: format_of(c, name)) < FORMAT_VERSION
        if self._is_former:
            raise StoreForbidden(
                f"The ledger {self.datastore.name} has an older format, and this role may not "
                "migrate it.",
                remedy="Its owner migrates it: authledger database init",
            )
        yield

    @contextmanager
    def append_lock(self) -> Iterator[None]:
        """Hold the append lock: nobody else appends until the block ends or this thread commits.

        Processes that wait for the lock get it in turn. Each finds that those before have changed
        the account, so it must take the lock before it decides.
        """
        with self.datastore.holding() as connection:
            try:
                begin(connection)
            except PsycopgError:
                if (
                    not connection.closed
                ):  # Else another connection is used, which locks when it appends.
                    raise
            try:
                yield
            finally:
                abandon(connection)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append without side tables: the library's interface."""
        return self.append(stored_events, SideRows()).positions

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign a checkpoint of the log as it is now; return the note."""
        return self.datastore.retried(lambda connection: sign(connection, self.log, signer))

    def check(self, side_rows: SideRows) -> None:
        """Raises IntegrityError if a stream or a subject that a decision relied on has changed."""
        self._read(lambda c: check(c, side_rows))

    def wipe(self, table: Erasable) -> None:
        """Rewrite the table, so that its old file with what was erased is deleted.

        Only its owner can do that; for others, the bytes go when the server vacuums. Bytes in the
        server's write-ahead log, in backups and on standbys remain there until these are replaced.
        """
        is_owner = self._value(
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass", (table,)
        )
        if not is_owner:
            return
        try:
            self._read(lambda c: c.execute(f"VACUUM (FULL) {table}".encode()))
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            raise StoreLocked(
                f"A row of {table} is deleted, but its bytes remain in the table's file, because another "
                "process is reading the table.",
                remedy="The bytes go with the next erasure, or when the owner runs VACUUM FULL "
                f"ledger.{table}.",
            ) from error

    # -- the log ---------------------------------------------------------------------------------

    def checkpoint(self) -> str | None:
        """The newest checkpoint, a signed note."""
        return self._read(lambda c: PostgresLogRows(c).note())

    def tree_size(self) -> int:
        """How many leaves the log has."""
        return self._read(lambda c: tree_size(PostgresLogRows(c)))

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the log, as in tlog-tiles; more hashes than `width` if it has grown."""
        return self._read(lambda c: PostgresLogRows(c).tile(level, index, width))

    # -- reading ---------------------------------------------------------------------------------

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
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM events WHERE stream = %s AND version > %s AND version <= %s "
            f"ORDER BY version {'DESC' if desc else 'ASC'} LIMIT %s",
            (
                key(originator_id),
                -1 if gt is None else gt,
                2**62 if lte is None else lte,
                limit,
            ),
        )
        return [self._notification(row) for row in rows]

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
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM events WHERE position >= %s AND position <= %s "
            f"{'AND topic = ANY(%s) ' if topics else ''}ORDER BY position LIMIT %s",
            (first, 2**62 if stop is None else stop, *([list(topics)] if topics else []), limit),
        )
        return [self._notification(row) for row in rows]

    def _notification(self, row: tuple[Any, ...]) -> Notification:
        is_uuid = self.datastore.originator_id_type == "uuid"
        return Notification(
            id=row[0],
            originator_id=UUID(row[1]) if is_uuid else row[1],
            originator_version=row[2],
            topic=row[3],
            state=row[4].encode(),
        )

    def max_notification_id(self) -> int | None:
        """The last position."""
        return self._value("SELECT max(position) FROM events")  # type: ignore[no-any-return]

    def max_versions(self, streams: Iterable[str]) -> dict[str, int]:
        """The version of each stream's last event; 0 if it has none."""
        return dict(
            self._rows(
                "SELECT stream, (SELECT coalesce(max(e.version), 0) FROM events e "
                "WHERE e.stream = wanted.stream) FROM unnest(%s::text[]) AS wanted(stream)",
                (list(streams),),
            )
        )

    def select_streams(self, prefix: str) -> list[str]:
        """The streams whose names begin so, sorted."""
        return [row[0] for row in self._rows(streams_from("%s"), streams_between(prefix))]

    def select_snapshot(self, stream: str) -> SnapshotRow | None:
        """A stream's snapshot, if it has one."""
        rows = self._rows(
            "SELECT stream, version, anchor, state FROM snapshots WHERE stream = %s", (stream,)
        )
        return SnapshotRow(*rows[0]) if rows else None

    def select_commands(self, command_ids: Iterable[str]) -> dict[str, CommandRow]:
        """Those of these commands that were appended, by id; the standby has them too (CONFIRM)."""
        rows = self._rows(f"{COMMANDS.format('e.entry')} = ANY(%s)", (list(command_ids),))
        if rows:
            self._rows(CONFIRM)
        return commands_by_id(rows)

    def select_subjects(self, kind: str, names: Iterable[str]) -> dict[str, SubjectRow]:
        """The subjects of a kind that are registered for these names, by name."""
        rows = self._rows(
            "SELECT subject, kind, name, salt FROM subjects WHERE kind = %s AND name = ANY(%s)",
            (kind, list(names)),
        )
        return {row[2]: SubjectRow(*row) for row in rows}

    def subject_names(self, subjects: Iterable[str]) -> dict[str, str]:
        """The names behind surrogate ids; erased ones are absent."""
        return dict(
            self._rows(
                "SELECT subject, name FROM subjects WHERE subject = ANY(%s)", (list(subjects),)
            )
        )

    def select_documents(self, digests: Iterable[str]) -> dict[str, DocumentRow]:
        """Those of these documents whose texts are kept, by digest."""
        return self._read(lambda c: select_documents(c, digests))

    def keep(self, rows: Sequence[DocumentRow]) -> int:
        """Keep texts to which events refer already, unless they were erased; return how many were
        not kept before.
        """
        return self.datastore.retried(lambda connection: keep(connection, rows))

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""
        return self._read(lambda c: _position_at(c, recorded_at))

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the command before it."""
        entry = self._value(_ENTRY, (position,))
        rows = self._rows(
            "SELECT first_position, last_position FROM commands WHERE command_id = %s",
            (entry and command_id_of(entry),),
        )
        return position if not rows or rows[0][1] <= position else rows[0][0] - 1

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Any:
        """Not supported: a subscription would wait for notifications that are never sent."""
        raise NotImplementedError("Use projections.views.Views.follow.")


def _to_try_again(side_rows: SideRows) -> str:
    (command_id, *_), *more = side_rows.commands or [("", None, 0)]
    if more or not command_id or command_id.startswith(TRACE_PREFIX):
        return "Try again: a trace that is in the ledger already is not appended twice."
    return f"Try again with --command-id {command_id}: the command is then appended only once."


def _position_at(c: Cursor[Any], recorded_at: str) -> int:
    def recorded(position: int) -> str | None:
        row = c.execute(_ENTRY.encode(), (position,)).fetchone()
        return recorded_in(row[0]) if row else None

    (last,) = c.execute("SELECT coalesce(max(position), 0) FROM events").fetchone() or (0,)
    set_backs = c.execute(SET_BACKS.format(events="events").encode()).fetchall()
    return last_recorded_by(recorded_at, int(last), recorded, [row[0] for row in set_backs])
