"""The ledger on PostgreSQL: the same promises, positions 1..n under one lock, entries as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import (
    BaseInfrastructureFactory,
    IntegrityError,
    Notification,
    OperationalError,
    PersistenceError,
    StoredEvent,
)
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresFactory,
    PostgresRecorder,
)
from psycopg import Connection, Cursor
from psycopg import Error as PsycopgError
from psycopg.errors import LockNotAvailable
from psycopg.rows import tuple_row

from ledger.errors import NotFound, OutcomeUnknown, StoreLocked, StoreUnavailable
from ledger.messages import TRACE_PREFIX
from ledger.persistence.as_is import AsIs
from ledger.persistence.columns import FORMAT_VERSION
from ledger.persistence.merkle_log import CheckpointSigner, Log, tree_size
from ledger.persistence.numbering import key, last_recorded_by
from ledger.persistence.opening import REMEDY
from ledger.persistence.postgres.append import (
    CONFIRM,
    Append,
    abandon,
    append_as_is,
    begin,
    check,
    sign,
)
from ledger.persistence.postgres.connections import Datastore
from ledger.persistence.postgres.format import format_of, make
from ledger.persistence.postgres.log_tables import PostgresLogRows
from ledger.persistence.side_tables import Appended, Beside, CommandRow, SnapshotRow, SubjectRow

Answer = TypeVar("Answer")
_COLUMNS = "position, stream, version, topic, entry"


class LedgerRecorder(PostgresApplicationRecorder):
    """Appends entries and reads them back by stream or by position."""

    datastore: Datastore

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = "events") -> None:
        assert isinstance(datastore, Datastore)
        # Not PostgresApplicationRecorder's: its statements, types and functions are for tables
        # that number themselves, and its composite type is looked up at the server each time.
        PostgresRecorder.__init__(self, datastore)
        self.events_table_name = events_table_name
        self.log = Log()

    def create_table(self) -> None:
        """Make the database a ledger of this format, or check that it is one. Raises NotALedger,
        NewerFormat, NotFound.
        """
        name = self.datastore.name
        if self._read(lambda c: format_of(c, name)) == FORMAT_VERSION:
            return
        if not self.datastore.may_create:
            raise NotFound(f"There is no ledger in {name}.", remedy=REMEDY)
        self.datastore.again(lambda connection: make(connection, name))

    def _read(self, work: Callable[[Cursor[Any]], Answer]) -> Answer:
        """Read with a cursor whose rows are tuples; each statement sees what is committed then."""

        def reading(connection: Connection[Any]) -> Answer:
            with connection.cursor(row_factory=tuple_row) as c:
                return work(c)

        return self.datastore.again(reading)

    def _rows(self, statement: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._read(lambda c: c.execute(statement.encode(), params).fetchall())

    def _value(self, statement: str, params: Sequence[Any] = ()) -> Any:
        rows = self._rows(statement, params)
        return rows[0][0] if rows else None

    # -- writing ---------------------------------------------------------------------------------

    def append(self, stored_events: Sequence[StoredEvent], beside: Beside) -> Appended:
        """Append in one transaction. Raises IntegrityError on a lost race."""
        append = Append(self.log, stored_events, beside)
        try:
            return self.datastore.again(append)
        except IntegrityError:
            raise
        except PersistenceError as error:
            if append.may_be_done:  # Whatever stopped the next attempt, it did not look.
                raise OutcomeUnknown(
                    f"The connection to {self.datastore.name} was lost at the commit, and what "
                    "became of it could not be looked up: whether it was appended is not known.",
                    remedy=_to_try_again(beside),
                ) from error
            raise

    def append_as_is(self, part: AsIs) -> None:
        """Keep a part of another ledger in one transaction: no time is stamped, nothing is signed.

        Raises Conflict if the last position is not the one that it follows on.
        """
        self.datastore.again(lambda connection: append_as_is(connection, self.log, part))

    @contextmanager
    def append_lock(self) -> Iterator[None]:
        """Nobody else appends while it lasts, or until this thread has appended.

        Whoever waits for the lock gets it in turn, and finds that those before have changed what
        the decision stood on. So who lost twice takes the lock first, and decides then.
        """
        with self.datastore.holding() as connection:
            try:
                begin(connection)
            except PsycopgError:
                if not connection.closed:  # Else another is taken, which locks as it appends.
                    raise
            try:
                yield
            finally:
                abandon(connection)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """The library's way to append."""
        return self.append(stored_events, Beside()).positions

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign the log as it is; the note."""
        return self.datastore.again(lambda connection: sign(connection, self.log, signer))

    def check(self, beside: Beside) -> None:
        """Raises IntegrityError if what a decision relies on has changed meanwhile."""
        self._read(lambda c: check(c, beside))

    def wipe(self) -> None:
        """Write the table of names anew, so that the file with the erased ones is gone.

        Only its owner can; elsewhere they go when the server vacuums. What is in the write-ahead
        log, in copies and on standbys stays there until these have moved on.
        """
        is_owner = self._value(
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'subjects'::regclass"
        )
        if not is_owner:
            return
        try:
            self._read(lambda c: c.execute("VACUUM (FULL) subjects"))
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            raise StoreLocked(
                "What was erased is gone from the answers, but not from its table's file: another "
                "process is reading it.",
                remedy="It goes with the next erasure, or when the owner says VACUUM FULL "
                "ledger.subjects.",
            ) from error

    # -- the log ---------------------------------------------------------------------------------

    def checkpoint(self) -> str | None:
        """The newest checkpoint, a signed note."""
        return self._read(lambda c: PostgresLogRows(c).note())

    def tree_size(self) -> int:
        """How many leaves the log has."""
        return self._read(lambda c: tree_size(PostgresLogRows(c)))

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the log, as tlog-tiles has it; more hashes than `width` if it has grown."""
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

    def max_version(self, stream: str) -> int:
        """The version of a stream's last event; 0 if it has none."""
        return self._value("SELECT max(version) FROM events WHERE stream = %s", (stream,)) or 0

    def select_snapshot(self, stream: str) -> SnapshotRow | None:
        """A stream's snapshot, if it has one."""
        rows = self._rows(
            "SELECT stream, version, anchor, state FROM snapshots WHERE stream = %s", (stream,)
        )
        return SnapshotRow(*rows[0]) if rows else None

    def select_commands(self, command_ids: Iterable[str]) -> dict[str, CommandRow]:
        """The commands among these that have been appended, by id: as safely as if just now."""
        rows = self._rows(
            "SELECT command_id, digest, first_position, last_position FROM commands "
            "WHERE command_id = ANY(%s)",
            (list(command_ids),),
        )
        if rows:
            self._rows(CONFIRM)
        return {row[0]: CommandRow(*row) for row in rows}

    def select_subjects(self, kind: str, names: Iterable[str]) -> dict[str, SubjectRow]:
        """The known subjects of a kind among these names, by name."""
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

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""
        return self._read(lambda c: _position_at(c, recorded_at))

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the one before it."""
        rows = self._rows(
            "SELECT first_position, last_position FROM commands WHERE command_id = "
            "(SELECT command_id FROM events WHERE position = %s)",
            (position,),
        )
        return position if not rows or rows[0][1] <= position else rows[0][0] - 1

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Any:
        """Not here: nothing is notified, and who waits for that alone waits for ever."""
        raise NotImplementedError("Projections poll.")


def _to_try_again(beside: Beside) -> str:
    (command_id, *_), *more = beside.commands or [("", None, 0)]
    if more or not command_id or command_id.startswith(TRACE_PREFIX):
        return "Try again: what is there already is not appended twice."
    return f"Try again with --command-id {command_id}: it is appended once."


def _position_at(c: Cursor[Any], recorded_at: str) -> int:
    def recorded(position: int) -> str | None:
        row = c.execute(
            "SELECT recorded_at FROM events WHERE position = %s", (position,)
        ).fetchone()
        return row[0] if row else None

    (last,) = c.execute("SELECT coalesce(max(position), 0) FROM events").fetchone() or (0,)
    return last_recorded_by(recorded_at, int(last), recorded)


class LedgerFactory(PostgresFactory):
    """The library's factory with our datastore and recorder.

    What else the library lets an environment variable turn on, as database functions that lose
    events for a reader or a ping before each use, is not asked for.
    """

    application_recorder_class = LedgerRecorder

    def __init__(self, env: Any) -> None:
        url = env.get("POSTGRES_URL")
        if not url:
            raise StoreUnavailable("POSTGRES_URL names no database.")
        BaseInfrastructureFactory.__init__(self, env)  # Past the one that reads all variables.
        self.datastore: Datastore = Datastore(
            url,
            lock_timeout_s=int(env.get("POSTGRES_LOCK_TIMEOUT") or 30),
            may_create=env.get("LEDGER_CREATE") != "no",
            originator_id_type=env.get("ORIGINATOR_ID_TYPE") or "uuid",
        )
