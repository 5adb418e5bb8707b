"""Every stored row of a ledger in a file, read through a connection that cannot write."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ledger.persistence.stored import LOWEST, PAGE


@contextmanager
def reading(path: Path, columns: Sequence[str]) -> Iterator[SQLiteRows]:
    """One read transaction over the file."""
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.execute("BEGIN")
        yield SQLiteRows(connection, columns)


class SQLiteRows:
    """The rows as they stand: a text that is no UTF-8 comes with its bytes escaped."""

    def __init__(self, connection: sqlite3.Connection, columns: Sequence[str]) -> None:
        self._connection, self._columns = connection, ", ".join(columns)

    def count(self) -> int:
        return int(self._value("SELECT count(*) FROM events"))

    def pages(self, first: int = LOWEST) -> Iterator[Sequence[Sequence[Any]]]:
        read = 0
        try:
            for page in self._select(first, 0):
                yield page
                read += len(page)
        except (sqlite3.OperationalError, UnicodeDecodeError):
            # A text is no UTF-8. From there on texts are read so that each can be told.
            self._connection.text_factory = _escaped
            yield from self._select(first, read)

    def _select(self, first: int, after: int) -> Iterator[list[Any]]:
        rows = self._connection.execute(
            f"SELECT {self._columns} FROM events WHERE position >= ? "
            "ORDER BY position LIMIT -1 OFFSET ?",
            (first, after),
        )
        while page := rows.fetchmany(PAGE):
            yield page

    def tile(self, level: int, index: int) -> object:
        # A text in the place of the hashes is none of ours, whatever it reads.
        return self._value(
            "SELECT CASE typeof(data) WHEN 'blob' THEN data ELSE typeof(data) END FROM tiles "
            "WHERE level = ? AND tile = ?",
            level,
            index,
        )

    def tiles(self) -> int:
        return int(self._value("SELECT count(*) FROM tiles"))

    def broken_streams(self) -> Iterable[Any]:
        # Read off the index, which holds both.
        return self._connection.execute(
            "SELECT CAST(stream AS BLOB), min(version), max(version), count(*) FROM events "
            "GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1"
        )

    def commands(self, first: int = LOWEST) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT CAST(command_id AS BLOB), CAST(digest AS BLOB), first_position, last_position "
            "FROM commands WHERE first_position >= ? ORDER BY first_position",
            (first,),
        )

    def note(self) -> Any:
        return self._value("SELECT CAST(note AS BLOB) FROM checkpoint")

    def without_command(self, limit: int) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT e.position, CAST(e.command_id AS BLOB) FROM events e LEFT JOIN commands c "
            "ON c.command_id = e.command_id AND e.position BETWEEN c.first_position AND "
            "c.last_position WHERE c.command_id IS NULL LIMIT ?",
            (limit,),
        )

    def subjects(self) -> Iterable[Any]:
        self._connection.text_factory = _escaped
        return self._connection.execute(
            "SELECT s.subject, s.kind, s.name, s.salt, e.entry ->> 'commitment' FROM subjects s "
            "LEFT JOIN events e ON e.stream = 'subject:' || s.subject AND e.version = 1"
        )

    def _value(self, statement: str, *params: Any) -> Any:
        row = self._connection.execute(statement, params).fetchone()
        return None if row is None else row[0]


def _escaped(text: bytes) -> str:
    return text.decode(errors="surrogateescape")
