"""What stands beside the entries: versions of streams, whose commands they are, kept names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ledger.stretch import digest_of
from ledger.subjects import commitment

Found = list[tuple[str, str]]
UNNAMED_MAX: Final = 100
_PAGE: Final = 2_560


@dataclass(slots=True)
class Tables:
    """What was found, in the order in which it is told, up to position `last`."""

    versions: Found = field(default_factory=list)
    commands: Found = field(default_factory=list)
    subjects: Found = field(default_factory=list)
    indexes: Found = field(default_factory=list)
    reached: int = 0
    """The last position that a command says it appended."""
    digests: list[str] = field(default_factory=list)
    """Of the command ids that each stretch of positions should have."""


def check_tables(
    connection: sqlite3.Connection, last: int, stretch: int, *, indexes: bool = False
) -> Tables:
    """Check them up to position `last`: what others append meanwhile is not looked at.

    `stretch`: how many positions a digest is of; 0 for none. `indexes`: hold them, too, against
    their tables, which takes as long as all the rest.
    """
    done = Tables(_versions(connection, last))
    _commands(connection, last, stretch, done)
    done.subjects = _subjects(connection)
    if indexes:
        done.indexes = _indexes(connection)
    return done


def _versions(connection: sqlite3.Connection, last: int) -> Found:
    """Each stream's versions are 1, 2, 3 …; read off the index, which holds both."""
    return [
        (f"stream {_text(stream)}", f"its versions go from {lowest} to {highest} and are {count}")
        for stream, lowest, highest, count in connection.execute(
            "SELECT CAST(stream AS BLOB), min(version), max(version), count(*) FROM events "
            "WHERE position <= ? "
            "GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1",
            (last,),
        )
    ]


def _commands(connection: sqlite3.Connection, last: int, stretch: int, done: Tables) -> None:
    """Commands follow on each other without a gap; and which ids the positions then have.

    Sorting the commands once takes a third of the time of looking each entry's up.
    """
    ids: list[str | None] = []

    def add(command_id: str | None, count: int) -> None:
        while count > 0 and stretch:
            taken = min(count, stretch - len(ids))
            ids.extend([command_id] * taken)
            count -= taken
            if len(ids) == stretch:
                done.digests.append(digest_of(ids))
                ids.clear()

    for command_id, first, until, is_text in connection.execute(
        "SELECT CAST(command_id AS BLOB), first_position, last_position, "
        "typeof(command_id) = 'text' FROM commands WHERE first_position <= ? "
        "ORDER BY first_position",
        (last,),
    ):
        named = command_id.decode(errors="surrogateescape") if is_text else None
        if first != done.reached + 1 or first != until:  # Most are of one entry.
            if first != done.reached + 1 or type(until) is not int or until < first:
                done.commands.append(
                    (f"command {_text(command_id)}", _ill_placed(first, until, done.reached))
                )
            if type(first) is not int or type(until) is not int:
                continue
            add(None, min(first, last + 1) - done.reached - 1)
            add(named, min(until, last) - max(done.reached, first - 1))
        else:
            add(named, 1)
        done.reached = max(done.reached, until)
    done.digests.append(digest_of(ids))


def _ill_placed(first: object, until: object, reached: int) -> str:
    return f"it has the positions {first} to {until}; the one before ends at {reached}"


def unnamed(connection: sqlite3.Connection, first: int, last: int) -> Iterator[tuple[str, str]]:
    """Positions between these whose command does not say that it appended them."""
    for position, command_id in connection.execute(
        "SELECT e.position, CAST(e.command_id AS BLOB) FROM events e LEFT JOIN commands c "
        "ON c.command_id = e.command_id AND e.position BETWEEN c.first_position AND "
        "c.last_position WHERE c.command_id IS NULL AND e.position BETWEEN ? AND ? "
        "ORDER BY e.position LIMIT ?",
        (first, last, UNNAMED_MAX),
    ):
        yield (
            f"position {position}",
            f"its command {_text(command_id or b'none')} does not say that it appended it",
        )


def _subjects(connection: sqlite3.Connection) -> Found:
    """A name that is kept is the one that was committed to."""
    found = []
    for subject, kind, name, salt, committed in connection.execute(
        "SELECT s.subject, s.kind, s.name, s.salt, e.entry ->> 'commitment' FROM subjects s "
        "LEFT JOIN events e ON e.stream = 'subject:' || s.subject AND e.version = 1"
    ):
        try:
            is_so = commitment(salt, kind, name) == committed
        except ValueError:
            is_so = False
        if not is_so:
            what = "the name that is kept is not the one that was registered"
            found.append((f"subject {subject}", what))
    return found


def _indexes(connection: sqlite3.Connection) -> Found:
    """Tables and indexes have the same rows, and their trees are whole: SQLite's own look at it.

    An index that lacks a row hides it from who asks by that index, not from who reads the table.
    """
    connection.text_factory = lambda text: text.decode(errors="backslashreplace")
    try:
        rows = connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.text_factory = str
    return [("indexes", said.replace("\n", " ")) for (said,) in rows if said != "ok"]


def _text(stored: bytes) -> str:
    return stored.decode(errors="backslashreplace")
