"""Every stored row of a PostgreSQL ledger, read by a cursor of the server's in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from eventsourcing.persistence import PersistenceError
from psycopg import Connection
from psycopg.rows import tuple_row

from ledger.persistence.postgres_connections import connect
from ledger.persistence.stored import LOWEST, PAGE, committed


@contextmanager
def reading_database(url: str, columns: Sequence[str]) -> Iterator[PostgresRows]:
    """One read transaction over the database. Raises the library's errors."""
    try:
        with closing(connect(url)) as connection:
            # All of its statements see the same moment; a standby answers as well.
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgresRows(connection, columns)
    except psycopg.Error as error:
        raise PersistenceError(str(error)) from error


class PostgresRows:
    """The rows as they stand."""

    def __init__(self, connection: Connection[Any], columns: Sequence[str]) -> None:
        self._connection, self._columns = connection, ", ".join(columns)

    def count(self) -> int:
        return int(self._value("SELECT count(*) FROM events"))

    def pages(self, first: int = LOWEST) -> Iterator[Sequence[Sequence[Any]]]:
        with self._connection.cursor("entries", row_factory=tuple_row) as rows:
            rows.execute(
                f"SELECT {self._columns} FROM events WHERE position >= %s "
                "ORDER BY position".encode(),
                (first,),
            )
            while page := rows.fetchmany(PAGE):
                yield page

    def tile(self, level: int, index: int) -> object:
        return self._value("SELECT data FROM tiles WHERE level = %s AND tile = %s", level, index)

    def tiles(self) -> int:
        return int(self._value("SELECT count(*) FROM tiles"))

    def broken_streams(self) -> Iterable[Any]:
        return self._rows(
            "SELECT convert_to(stream, 'UTF8'), min(version), max(version), count(*) FROM events "
            "GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1"
        )

    def note(self) -> Any:
        return self._value("SELECT convert_to(note, 'UTF8') FROM checkpoint")

    def commands(self, first: int = LOWEST) -> Iterable[Any]:
        with self._connection.cursor("commands", row_factory=tuple_row) as rows:
            rows.itersize = PAGE
            yield from rows.execute(
                "SELECT convert_to(command_id, 'UTF8'), convert_to(digest, 'UTF8'), "
                "first_position, last_position FROM commands "
                "WHERE first_position >= %s ORDER BY first_position",
                (first,),
            )

    def without_command(self, limit: int) -> Iterable[Any]:
        return self._rows(
            "SELECT e.position, convert_to(e.command_id, 'UTF8') FROM events e "
            "LEFT JOIN commands c ON c.command_id = e.command_id AND e.position BETWEEN "
            "c.first_position AND c.last_position WHERE c.command_id IS NULL LIMIT %s",
            limit,
        )

    def subjects(self) -> Iterable[Any]:
        with self._connection.cursor("subjects", row_factory=tuple_row) as rows:
            rows.itersize = PAGE
            for *kept, entry in rows.execute(
                "SELECT s.subject, s.kind, s.name, s.salt, e.entry FROM subjects s "
                "LEFT JOIN events e ON e.stream = 'subject:' || s.subject AND e.version = 1"
            ):
                yield (*kept, committed(entry))

    def _rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor(row_factory=tuple_row) as c:
            return c.execute(statement.encode(), params).fetchall()

    def _value(self, statement: str, *params: Any) -> Any:
        rows = self._rows(statement, *params)
        return rows[0][0] if rows else None
