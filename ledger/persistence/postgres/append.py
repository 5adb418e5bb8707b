"""One append on PostgreSQL, from taking the lock to knowing that it was committed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import astuple
from typing import Any, Final

from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg import Connection, Cursor
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from pydantic_core import from_json

from ledger.errors import CorruptEntry, LedgerError, StoreUnavailable
from ledger.persistence.as_is import COMMAND, AsIs, another_writer
from ledger.persistence.columns import COLUMNS, DERIVED_COLUMNS
from ledger.persistence.entry import recorded_at_of, stamped
from ledger.persistence.merkle_log import CheckpointSigner, Log, Signed
from ledger.persistence.numbering import Numbered, key, numbered
from ledger.persistence.postgres.log_tables import Head, PostgresLogRows
from ledger.persistence.postgres.schema import APPENDED
from ledger.persistence.side_tables import Appended, Beside

COPY_FROM: Final = 40
"""From how many rows on COPY is quicker than statements in a pipeline."""
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
"""A transaction that changes nothing, and whose commit waits for the synchronous standby as others
do; so for all that was committed before it. A server that was restarted shows what its standby may
not have, and so does one on which a commit's wait was cancelled. Whoever acknowledges what he found
there, and did not commit himself, does this first.
"""
_COMMANDS: Final = ("command_id", "digest", "first_position", "last_position")
_SUBJECTS: Final = ("subject", "kind", "name", "salt")


class Append:
    """Appends events once, however often it is called with another connection.

    Where a connection is lost at the commit, nobody knows whether it was done. The next call takes
    the lock first, which the lost transaction has given back either way, and then looks.
    """

    def __init__(self, log: Log, stored_events: Sequence[StoredEvent], beside: Beside) -> None:
        self._log, self._stored, self._beside = log, stored_events, beside
        self._signed: Signed | None = None
        self.may_be_done = False

    def __call__(self, connection: Connection[Any]) -> Appended:
        """Raises IntegrityError on a lost race, CorruptEntry."""
        if not self._stored:
            return Appended()
        with _locked(connection, self._beside) as (c, head, relied):
            found = self._found(c) if self.may_be_done else None
            if found is None:
                _hold(relied)
                found = self._append(c, connection, head)
                self.may_be_done = True
            else:
                c.execute(CONFIRM)
        return Appended(*found, self._signed)

    def _append(
        self, c: Cursor[Any], connection: Connection[Any], head: Head
    ) -> tuple[Sequence[int], str]:
        """Positions go on densely, recorded times never decrease."""
        rows, latest = numbered(head.position, head.recorded_at, self._stored)
        are_many = len(rows) >= COPY_FROM
        with nullcontext() if are_many else connection.pipeline() as pipeline:
            # One by one: while the next row is made, the server writes the last.
            _put(c, "events", COLUMNS, map(row_of, rows), len(rows))
            try:
                self._signed = self._log.append(
                    PostgresLogRows(c, head), head.position, [row.state for row in rows]
                )
            except LedgerError:
                # If the server has refused the events meanwhile, others have the lock already, and
                # the signer has seen what they appended: then it is a lost race, raised here.
                if pipeline:
                    pipeline.sync()
                raise
            self._put_beside(c, head.position)
            c.execute(f"NOTIFY {APPENDED}".encode())
        return [row.position for row in rows], latest

    def _put_beside(self, c: Cursor[Any], last: int) -> None:
        commands = []
        for command_id, digest, count in self._beside.commands:
            commands.append((command_id, digest, last + 1, last + count))
            last += count
        _put(c, "commands", _COMMANDS, commands, len(commands))
        subjects = [astuple(row) for row in self._beside.subjects]
        _put(c, "subjects", _SUBJECTS, subjects, len(subjects))
        if self._beside.snapshots:
            c.executemany(
                "INSERT INTO snapshots VALUES (%s, %s, %s, %s) ON CONFLICT (stream) DO UPDATE SET "
                "version = excluded.version, anchor = excluded.anchor, state = excluded.state",
                [astuple(row) for row in self._beside.snapshots],
            )
        if self._beside.erased:
            c.execute("DELETE FROM subjects WHERE subject = ANY(%s)", (list(self._beside.erased),))

    def _found(self, c: Cursor[Any]) -> tuple[Sequence[int], str] | None:
        """What an earlier call committed after all; None if it did not.

        Raises IntegrityError if the place was taken by other events meanwhile.
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
        if len(rows) < len(self._stored) or not all(map(_is, rows, self._stored)):
            raise IntegrityError(f"{rows[0][1]} went on meanwhile")
        latest = recorded_at_of(rows[-1][3].encode()) or b""
        return [row[0] for row in rows], latest.decode()


def sign(connection: Connection[Any], log: Log, signer: CheckpointSigner) -> str:
    """Sign the log as it is; the note."""
    with _locked(connection, Beside()) as (c, head, _):
        signed = log.sign(PostgresLogRows(c, head), signer, head.position)
    return signed.released()


def append_as_is(connection: Connection[Any], log: Log, part: AsIs) -> None:
    """Keep a part of another ledger. Called again with another connection, it looks whether the one
    before did it. Raises Conflict, StoreUnavailable.
    """
    with _locked(connection, Beside()) as (c, head, _):
        if part.rows and head.position == part.last and _ends_with(c, part.rows[-1]):
            return
        if head.position != part.after:
            raise another_writer(part.after, head.position)
        rows = PostgresLogRows(c, head)
        kept = (_keepable(row_of(row)) for row in part.rows)
        _put(c, "events", COLUMNS, kept, len(part.rows))
        log.grow(rows, head.position, [row.state for row in part.rows])
        _put(c, "commands", _COMMANDS, map(COMMAND, part.commands), len(part.commands))
        c.executemany(
            "INSERT INTO subjects SELECT k.* FROM (VALUES (%s, %s, %s, %s)) AS k (subject) "
            "WHERE EXISTS (SELECT FROM events WHERE stream = 'subject:' || k.subject "
            "AND version = 1) ON CONFLICT (subject) DO NOTHING",
            [_keepable(astuple(row), f"subject {row.subject}") for row in part.subjects],
        )
        if part.erased:
            c.execute("DELETE FROM subjects WHERE subject = ANY(%s)", (list(part.erased),))
        if part.note is not None:
            rows.put_note(part.note)
        if part.rows:
            c.execute(f"NOTIFY {APPENDED}".encode())


def _ends_with(c: Cursor[Any], row: Numbered) -> bool:
    found = c.execute("SELECT entry FROM events WHERE position = %s", (row.position,)).fetchone()
    return found == (row.state.decode(),)


def _keepable(row: tuple[Any, ...], place: str = "") -> tuple[Any, ...]:
    """The row, if PostgreSQL can keep it: a file can hold a text with a NUL within."""
    if any(isinstance(value, str) and "\0" in value for value in row):
        raise StoreUnavailable(
            f"{place or f'position {row[0]}'}: a text holds the character NUL, which PostgreSQL "
            "cannot keep.",
            remedy="Copy to a file instead; names can be left out with --without-names.",
        )
    return row


def check(c: Cursor[Any], beside: Beside) -> None:
    """Raises IntegrityError if what a decision relies on has changed meanwhile."""
    _hold(_ask(c, beside))


def _ask(c: Cursor[Any], beside: Beside) -> Cursor[Any] | None:
    """Ask whether what a decision relies on has changed; None if it relies on nothing."""
    relied = list(beside.relied)
    if not beside.versions and not relied:
        return None
    return c.execute(
        "SELECT k.stream || ' went on' FROM unnest(%s::text[], %s::bigint[]) AS k (stream, version) "
        "WHERE EXISTS (SELECT FROM events e WHERE e.stream = k.stream AND e.version > k.version) "
        "UNION ALL SELECT k.subject || ' was erased' FROM unnest(%s::text[]) AS k (subject) "
        "WHERE NOT EXISTS (SELECT FROM subjects s WHERE s.subject = k.subject)",
        (list(beside.versions), list(beside.versions.values()), relied),
    )


def _hold(asked: Cursor[Any] | None) -> None:
    changed = asked.fetchone() if asked is not None else None
    if changed:
        raise IntegrityError(f"{changed[0]} meanwhile")


def row_of(row: Numbered) -> tuple[Any, ...]:
    """An event's row: what it is given, and what its entry says."""
    derived: tuple[Any, ...] = (None,) * len(DERIVED_COLUMNS)
    if row.state.startswith(b"{"):  # What is none of our entries, as the library's cases keep it.
        try:
            fields = from_json(row.state)
        except ValueError as error:
            raise CorruptEntry(f"position {row.position}: the entry is no JSON: {error}") from error
        derived = tuple(map(fields.get, DERIVED_COLUMNS))
    return (*row[:4], row.state.decode(), row.topic.partition(".")[0], *derived)


@contextmanager
def _locked(
    connection: Connection[Any], beside: Beside
) -> Iterator[tuple[Cursor[Any], Head, Cursor[Any] | None]]:
    """A transaction that has the ledger to itself, committed at its end. One visit takes the lock,
    reads what every append begins from, and asks whether what the decision relied on has changed.

    The lock is given back after the commit can be seen, so whoever has it next sees all.
    """
    with (
        connection.cursor(row_factory=tuple_row) as c,
        connection.cursor(row_factory=tuple_row) as r,
    ):
        try:
            with connection.pipeline():
                begin(connection)
                relied = _ask(r, beside)
                head = Head.read(c)
            yield c, head, relied
        except BaseException:
            abandon(connection)
            raise
        _commit(c, connection)


def _commit(c: Cursor[Any], connection: Connection[Any]) -> None:
    """Commit; a wait for the standby that somebody cancelled, which is told by a warning, is taken
    up again: what is on one disk alone is not acknowledged.
    """
    said: list[str | None] = []

    def note(notice: Diagnostic) -> None:
        said.append(notice.severity_nonlocalized)

    connection.add_notice_handler(note)
    try:
        c.execute("COMMIT")
        while "WARNING" in said:
            said.clear()
            c.execute(CONFIRM)
    finally:
        connection.remove_notice_handler(note)


def begin(connection: Connection[Any]) -> None:
    """Begin a transaction that has the ledger to itself, if this connection is in none already."""
    if connection.info.transaction_status is not TransactionStatus.INTRANS:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE append_lock IN EXCLUSIVE MODE")


def abandon(connection: Connection[Any]) -> None:
    """Roll back what was begun, if anything was and the connection is still there."""
    if not connection.closed and connection.info.transaction_status is not TransactionStatus.IDLE:
        connection.execute("ROLLBACK")


def _put(
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


def _is(row: tuple[Any, ...], stored: StoredEvent) -> bool:
    """Whether a row is an event as we sent it, at whatever time it was recorded."""
    _, stream, version, entry = row
    state = entry.encode()
    at = recorded_at_of(state)
    sent = stored.state if at is None else stamped(stored.state, at)
    return (stream, version, state) == (key(stored.originator_id), stored.originator_version, sent)
