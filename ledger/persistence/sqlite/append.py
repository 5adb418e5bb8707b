"""One append to a file, within the transaction that holds its write lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Final

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteCursor

from ledger.persistence.as_is import COMMAND, AsIs, another_writer
from ledger.persistence.merkle_log import Log
from ledger.persistence.numbering import Numbered, numbered, recorded_in
from ledger.persistence.side_tables import Appended, SideRows
from ledger.persistence.sqlite.erasable import forget, insert_documents, insert_registered
from ledger.persistence.sqlite.log_tables import SQLiteLogRows

_LAST: Final = "SELECT position, CAST(entry AS BLOB) FROM events ORDER BY position DESC LIMIT 1"
_SNAPSHOT: Final = (
    "snapshots VALUES (?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET "
    "version = excluded.version, anchor = excluded.anchor, state = excluded.state"
)


def append(
    c: SQLiteCursor, log: Log, stored_events: Sequence[StoredEvent], side_rows: SideRows
) -> Appended:
    """Append events: positions have no gaps, recorded times never decrease.

    Raises IntegrityError on a conflict.
    """
    c.execute(_LAST)
    last, entry = c.fetchone() or (0, None)
    rows, latest = numbered(last, recorded_in(entry), stored_events, side_rows.clock)
    _insert_rows(c, rows)
    signed = log.append(SQLiteLogRows(c), last, (row.state for row in rows))
    _insert_side_rows(c, side_rows, last)
    return Appended([row.position for row in rows], latest, signed)


def append_as_is(c: SQLiteCursor, log: Log, part: AsIs) -> None:
    """Store a part of another ledger byte for byte, unsigned.

    Raises Conflict if the part does not begin after the last position.
    """
    c.execute("SELECT max(position) FROM events")
    last = c.fetchone()[0] or 0
    if last != part.after:
        raise another_writer(part.after, last)
    tables = SQLiteLogRows(c)
    _insert_rows(c, part.rows)
    log.grow(tables, last, (row.state for row in part.rows))
    c.executemany("INSERT INTO commands VALUES (?, ?, ?, ?)", map(COMMAND, part.commands))
    insert_registered(c, part.subjects)
    if part.erased:
        forget(c, "subjects", part.erased)
    if part.documents:
        insert_documents(c, part.documents)
    if part.erased_documents:
        forget(c, "documents", part.erased_documents)
    if part.note is not None:
        tables.put_note(part.note)


def check(c: SQLiteCursor, side_rows: SideRows) -> None:
    """Raises IntegrityError if a stream or a subject that a decision relied on has changed."""
    later = "SELECT 1 FROM events WHERE stream = ? AND version > ?"
    for stream, version in side_rows.versions.items():
        c.execute(later, (stream, version))
        if c.fetchone():
            raise IntegrityError(f"another writer appended to {stream}")
    for subject in side_rows.relied:
        c.execute("SELECT 1 FROM subjects WHERE subject = ?", (subject,))
        if c.fetchone() is None:
            raise IntegrityError(f"the subject {subject} was erased")


def _insert_rows(c: SQLiteCursor, rows: Iterable[Numbered]) -> None:
    c.executemany(
        "INSERT INTO events (position, stream, version, topic, entry) VALUES (?, ?, ?, ?, ?)",
        [
            (position, stream, version, topic, entry.decode())
            for position, stream, version, topic, entry in rows
        ],
    )


def _insert_side_rows(c: SQLiteCursor, side_rows: SideRows, last: int) -> None:
    commands = []
    for command_id, digest, count in side_rows.commands:
        commands.append((command_id, digest, last + 1, last + count))
        last += count
    for into, rows in (
        ("commands VALUES (?, ?, ?, ?)", commands),
        ("subjects VALUES (?, ?, ?, ?)", [astuple(row) for row in side_rows.subjects]),
        (_SNAPSHOT, [astuple(row) for row in side_rows.snapshots]),
    ):
        if rows:
            c.executemany(f"INSERT INTO {into}", rows)
    if side_rows.documents:
        insert_documents(c, side_rows.documents)
    check(c, side_rows)
    if side_rows.erased:
        forget(c, "subjects", side_rows.erased)
    if side_rows.erased_documents:
        forget(c, "documents", side_rows.erased_documents)
