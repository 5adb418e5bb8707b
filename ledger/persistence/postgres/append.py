"""One append on PostgreSQL, from taking the append lock to knowing that it was committed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from typing import Any, Final

from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg import Connection, Cursor, Pipeline
from psycopg import Error as PsycopgError
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from ledger.errors import LedgerError, StoreUnavailable
from ledger.persistence.as_is import COMMAND, AsIs, another_writer
from ledger.persistence.columns import COLUMNS
from ledger.persistence.entry import recorded_at_of, stamped
from ledger.persistence.merkle_log import CheckpointSigner, KeyAbsent, Log, Signed, Tail
from ledger.persistence.numbering import Numbered, key, numbered
from ledger.persistence.postgres.erasable import forget, insert_documents, select_documents
from ledger.persistence.postgres.log_tables import CHANGED, Head, PostgresLogRows
from ledger.persistence.postgres.schema import APPENDED
from ledger.persistence.side_tables import IS_REGISTERED, Appended, DocumentRow, SideRows

COPY_FROM: Final = 40
"""From so many rows on, COPY is faster than statements in a pipeline."""
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The character NUL in a text of an entry: an odd number of backslashes before the code."""
_TYPES: Final = {
    "position": "int8",
    "version": "int8",
    "first_position": "int8",
    "last_position": "int8",
}
CONFIRM: Final = (
    "SELECT CASE WHEN NOT pg_is_in_recovery() "
    "THEN pg_logical_emit_message(true, 'authledger', '') END"
)
"""A transaction that changes nothing. Its commit waits for the synchronous standby, and so for all
that was committed before it.

A server shows rows that its standby may not have, if it was restarted, or if a commit's wait was
cancelled. A process that acknowledges rows which it did not commit itself must run this first.
"""
_INSERT_REGISTERED: Final = (
    "INSERT INTO subjects SELECT k.* FROM (VALUES (%s, %s, %s, %s)) AS k (subject, kind) "
    f"WHERE {IS_REGISTERED.format('k.kind', 'k.subject')} ON CONFLICT (subject) DO NOTHING"
).encode()
_COMMANDS: Final = ("command_id", "digest", "first_position", "last_position")
_SUBJECTS: Final = ("subject", "kind", "name", "salt")


class Append:
    """Appends events once, even if it is called again with another connection.

    If a connection is lost at the commit, it is unknown whether the commit was done. The next call
    takes the append lock, which the lost transaction has released in any case, and looks.
    """

    def __init__(self, log: Log, stored_events: Sequence[StoredEvent], side_rows: SideRows) -> None:
        self._log, self._stored, self._side_rows = log, stored_events, side_rows
        self._signed: Signed | Tail | KeyAbsent | None = None
        self.may_be_done = False

    def __call__(self, connection: Connection[Any]) -> Appended:
        """Raises IntegrityError on a conflict, CorruptEntry."""
        if not self._stored:
            return Appended()
        with _locked(connection, self._side_rows) as (c, head):
            found = self._committed_before(c) if self.may_be_done else None
            if found is None:
                _check_unchanged(head.changed)
                found = self._append(c, connection, head)
            else:
                c.execute(CONFIRM)
        return Appended(*found, self._signed)

    def _append(
        self, c: Cursor[Any], connection: Connection[Any], head: Head
    ) -> tuple[Sequence[int], str]:
        """Positions have no gaps, recorded times never decrease."""
        rows, latest = numbered(
            head.position, head.recorded_at, self._stored, self._side_rows.clock
        )
        if len(rows) >= COPY_FROM:
            self._insert_all(c, head, rows, None)
            self.may_be_done = True
            return [row.position for row in rows], latest
        with (
            _heeding_warnings(c, connection),
            self._doubting(connection),
            connection.pipeline() as pipeline,
        ):
            self._insert_all(c, head, rows, pipeline)
            self.may_be_done = True
            # It goes with the rows: if the server refuses one of them, it skips what follows.
            c.execute("COMMIT")
        return [row.position for row in rows], latest

    @contextmanager
    def _doubting(self, connection: Connection[Any]) -> Iterator[None]:
        """After an error that the server answered within the transaction, it is known that nothing
        was committed.
        """
        try:
            yield
        except PsycopgError:
            if connection.info.transaction_status is TransactionStatus.INERROR:
                self.may_be_done = False
            raise

    def _insert_all(
        self, c: Cursor[Any], head: Head, rows: Sequence[Numbered], pipeline: Pipeline | None
    ) -> None:
        # One by one: while the next row is prepared, the server writes the one before.
        _insert(c, "events", COLUMNS, map(row_of, rows), len(rows))
        try:
            self._signed = self._log.append(
                PostgresLogRows(c, head), head.position, [row.state for row in rows]
            )
        except LedgerError:
            # Perhaps the server has refused the events already. Then another process has the
            # lock, and the signer has seen its entries: raise the conflict instead.
            if pipeline:
                pipeline.sync()
            raise
        self._insert_side_rows(c, head.position)
        c.execute(f"NOTIFY {APPENDED}".encode())

    def _insert_side_rows(self, c: Cursor[Any], last: int) -> None:
        commands = []
        for command_id, digest, count in self._side_rows.commands:
            commands.append((command_id, digest, last + 1, last + count))
            last += count
        _insert(c, "commands", _COMMANDS, commands, len(commands))
        subjects = [astuple(row) for row in self._side_rows.subjects]
        _insert(c, "subjects", _SUBJECTS, subjects, len(subjects))
        if self._side_rows.snapshots:
            c.executemany(
                "INSERT INTO snapshots VALUES (%s, %s, %s, %s) ON CONFLICT (stream) DO UPDATE SET "
                "version = excluded.version, anchor = excluded.anchor, state = excluded.state",
                [astuple(row) for row in self._side_rows.snapshots],
            )
        insert_documents(c, self._side_rows.documents)
        forget(c, "subjects", self._side_rows.erased)
        forget(c, "documents", self._side_rows.erased_documents)

    def _committed_before(self, c: Cursor[Any]) -> tuple[Sequence[int], str] | None:
        """The positions and the time that an earlier call committed; None if it did not commit.

        Raises IntegrityError if other events have these versions of the stream.
        """
        first = self._stored[0]
        rows = c.execute(
            "SELECT position, stream, version, entry FROM events WHERE position >= "
            "(SELECT position FROM events WHERE stream = %s AND version = %s) "
            "ORDER BY position LIMIT %s",
            (key(first.originator_id), first.originator_version, len(self._stored)),
        ).fetchall()
        if not rows:
            return None
        if len(rows) < len(self._stored) or not all(map(_is_sent, rows, self._stored)):
            raise IntegrityError(f"another writer appended to {rows[0][1]}")
        latest = recorded_at_of(rows[-1][3].encode()) or b""
        return [row[0] for row in rows], latest.decode()


def sign(connection: Connection[Any], log: Log, signer: CheckpointSigner) -> str:
    """Sign a checkpoint of the log as it is now; return the note."""
    with _locked(connection, SideRows()) as (c, head):
        signed = log.sign(PostgresLogRows(c, head), signer, head.position)
    return signed.released()


def keep(connection: Connection[Any], rows: Sequence[DocumentRow]) -> int:
    """Keep texts of which events have the digests; return how many were not kept before."""
    with _locked(connection, SideRows()) as (c, _):
        kept = select_documents(c, [row.digest for row in rows])
        insert_documents(c, rows)
        return len(select_documents(c, [row.digest for row in rows])) - len(kept)


def append_as_is(connection: Connection[Any], log: Log, part: AsIs) -> None:
    """Store a part of another ledger. If it is called again with another connection, it looks
    whether the call before has committed. Raises Conflict, StoreUnavailable.
    """
    with _locked(connection, SideRows()) as (c, head):
        if part.rows and head.position == part.last and _ends_with(c, part.rows[-1]):
            return
        if head.position != part.after:
            raise another_writer(part.after, head.position)
        rows = PostgresLogRows(c, head)
        kept = (_storable(row_of(row)) for row in part.rows)
        _insert(c, "events", COLUMNS, kept, len(part.rows))
        log.grow(rows, head.position, [row.state for row in part.rows])
        _insert(c, "commands", _COMMANDS, map(COMMAND, part.commands), len(part.commands))
        c.executemany(
            _INSERT_REGISTERED,
            [_storable(astuple(row), f"subject {row.subject}") for row in part.subjects],
        )
        forget(c, "subjects", part.erased)
        insert_documents(c, part.documents)
        forget(c, "documents", part.erased_documents)
        if part.note is not None:
            rows.put_note(part.note)
        if part.rows:
            c.execute(f"NOTIFY {APPENDED}".encode())


def _ends_with(c: Cursor[Any], row: Numbered) -> bool:
    found = c.execute("SELECT entry FROM events WHERE position = %s", (row.position,)).fetchone()
    return found == (row.state.decode(),)


def _storable(row: tuple[Any, ...], place: str = "") -> tuple[Any, ...]:
    """The row, if PostgreSQL can store it: in a file, a text may have the character NUL."""
    if any(isinstance(value, str) and "\0" in value for value in row):
        raise _has_nul(place or f"position {row[0]}")
    return row


def _has_nul(place: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{place}: a text has the character NUL, which PostgreSQL cannot store. This part was not "
        "stored.",
        remedy="Use a ledger in a file. If it is a name, copy without names: --without-names.",
    )


def check(c: Cursor[Any], side_rows: SideRows) -> None:
    """Raises IntegrityError if a stream or a subject that a decision relied on has changed."""
    row = c.execute(CHANGED.encode(), _relied(side_rows)).fetchone()
    _check_unchanged(row[0] if row else None)


def _relied(side_rows: SideRows) -> tuple[list[str], list[int], list[str]]:
    """The parameters of CHANGED: streams, the versions that a decision knew, and subjects."""
    return [*side_rows.versions], [*side_rows.versions.values()], [*side_rows.relied]


def _check_unchanged(changed: str | None) -> None:
    if changed is not None:
        raise IntegrityError(changed)


def row_of(row: Numbered) -> tuple[Any, ...]:
    """An event's row, with the entry as a text. Raises StoreUnavailable if PostgreSQL could not
    store a value of the entry, as the views do.
    """
    if b"\\u0000" in row.state and _NUL.search(row.state):
        raise _has_nul(f"position {row.position}")
    return (*row[:4], row.state.decode())


@contextmanager
def _locked(connection: Connection[Any], side_rows: SideRows) -> Iterator[tuple[Cursor[Any], Head]]:
    """A transaction that holds the append lock, committed at its end unless the block did it.

    One round trip takes the lock, reads the head of the log, and queries the changes of what the
    decision relied on. The lock is released after the commit is visible, so the next process that
    takes it sees all entries.
    """
    with connection.cursor(row_factory=tuple_row) as c:
        try:
            with connection.pipeline():
                begin(connection)
                head = Head.read(c, _relied(side_rows))
            yield c, head
        except BaseException:
            abandon(connection)
            raise
        if connection.info.transaction_status is TransactionStatus.INTRANS:
            with _heeding_warnings(c, connection):
                c.execute("COMMIT")


@contextmanager
def _heeding_warnings(c: Cursor[Any], connection: Connection[Any]) -> Iterator[None]:
    """The block commits, and so waits for the standby.

    If somebody cancels that wait, the server sends a warning. Then this waits again: an entry that
    only one disk has is not acknowledged.
    """
    said: list[str | None] = []

    def note(notice: Diagnostic) -> None:
        said.append(notice.severity_nonlocalized)

    connection.add_notice_handler(note)
    try:
        yield
        while "WARNING" in said:
            said.clear()
            c.execute(CONFIRM)
    finally:
        connection.remove_notice_handler(note)


def begin(connection: Connection[Any]) -> None:
    """Begin a transaction that holds the append lock, unless the connection is in one already."""
    if connection.info.transaction_status is not TransactionStatus.INTRANS:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE append_lock IN EXCLUSIVE MODE")


def abandon(connection: Connection[Any]) -> None:
    """Roll back the transaction, if there is one and the connection is not lost."""
    if not connection.closed and connection.info.transaction_status is not TransactionStatus.IDLE:
        connection.execute("ROLLBACK")


def _insert(
    c: Cursor[Any],
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    count: int,
) -> None:
    names = ", ".join(columns)
    if count < COPY_FROM:
        if count:
            values = ", ".join(["%s"] * len(columns))
            c.executemany(f"INSERT INTO {table} ({names}) VALUES ({values})".encode(), rows)
        return
    with c.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types([_TYPES.get(name, "text") for name in columns])
        for row in rows:
            copy.write_row(row)


def _is_sent(row: tuple[Any, ...], stored: StoredEvent) -> bool:
    """Whether a row is an event that this process sent, apart from its recorded time."""
    _, stream, version, entry = row
    state = entry.encode()
    at = recorded_at_of(state)
    sent = stored.state if at is None else stamped(stored.state, at)
    return (stream, version, state) == (key(stored.originator_id), stored.originator_version, sent)
