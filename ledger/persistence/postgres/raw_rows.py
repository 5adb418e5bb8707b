"""The raw rows of a PostgreSQL ledger, read in one snapshot of the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

import psycopg
from eventsourcing.persistence import PersistenceError
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.sql import SQL
from psycopg.types.string import TextLoader

from ledger.errors import InvalidInput
from ledger.persistence.columns import COLUMNS, FORMAT_VERSION
from ledger.persistence.numbering import recorded_in
from ledger.persistence.postgres.connections import connect
from ledger.persistence.postgres.schema_check import schema_differences
from ledger.persistence.raw_rows import NAMES_ERASED, NAMES_MISSING, PAGE, Row
from ledger.persistence.schema_difference import Difference

_PAGE: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM events WHERE position > %s ORDER BY position LIMIT %s"
)


@contextmanager
def reading_database(url: str, moment: str | None = None) -> Iterator[PostgresRows]:
    """One read transaction over the database. Raises the library's errors."""
    try:
        with closing(connect(url)) as connection:
            # A worker waits for the others. It holds no lock that an append waits for.
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            # All statements see the same moment. This works on a standby too.
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if moment is not None:  # Another server or database has no snapshot of that name.
                connection.execute(SQL("SET TRANSACTION SNAPSHOT {}").format(moment))
            yield PostgresRows(connection)
    except psycopg.Error as error:
        raise PersistenceError(str(error)) from error


class PostgresRows:
    """The rows as they are stored, whatever their types."""

    one_process_max: Final = 100_000

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        for odd in ("json", "jsonb"):  # Not parsed: parsed JSON would look like a text.
            connection.adapters.register_loader(odd, TextLoader)

    def moment(self) -> str:
        """Export the snapshot, so that other processes can read in it while this one lasts."""
        return str(self._value("SELECT pg_export_snapshot()"))

    def schema_differences(self) -> Sequence[Difference]:
        with self._connection.cursor(row_factory=tuple_row) as c:
            c.execute("SELECT version FROM format")
            return schema_differences(c, int((c.fetchone() or (FORMAT_VERSION,))[0]))

    # -- events ----------------------------------------------------------------------------------

    def extent(self) -> tuple[Any, Any, int]:
        first, last, count = self._rows(
            "SELECT min(position), max(position), count(*) FROM events"
        )[0]
        return first, last, count

    def page(self, after: int, count: int) -> Sequence[Row]:
        return self._rows(_PAGE, after, count)

    def row(self, position: int) -> Row:
        found = self._rows(f"SELECT {', '.join(COLUMNS)} FROM events WHERE position = %s", position)
        return found[0] if found else ()

    def whole(self, after: int) -> Iterator[Sequence[Row]]:
        with self._connection.cursor("entries", row_factory=tuple_row) as rows:
            rows.execute(
                f"SELECT {', '.join(COLUMNS)} FROM events WHERE position > %s "
                "ORDER BY position".encode(),
                (after,),
            )
            while page := rows.fetchmany(PAGE):
                yield page

    def recorded_before(self, position: int) -> str:
        entries = self._cursor(
            "entries_before",
            "SELECT convert_to(entry::text, 'UTF8') FROM events WHERE position <= %s "
            "ORDER BY position DESC",
            position,
            page=16,  # The first has a time, unless it was altered.
        )
        return next((at for (entry,) in entries if (at := recorded_in(entry))), "")

    def broken_streams(self, last: int) -> Iterable[Any]:
        return self._cursor(
            "broken_streams",
            "SELECT convert_to(stream::text, 'UTF8'), min(version), max(version), count(*) FROM events "
            "WHERE position <= %s "
            "GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1",
            last,
        )

    # -- side tables ----------------------------------------------------------------------------

    def tile(self, level: int, index: int) -> object:
        return self._value("SELECT data FROM tiles WHERE level = %s AND tile = %s", level, index)

    def tiles(self) -> int:
        return int(self._value("SELECT count(*) FROM tiles"))

    def commands(self, last: int) -> Iterable[Any]:
        return self._cursor(
            "commands",
            "SELECT convert_to(command_id, 'UTF8'), first_position, last_position, true "
            "FROM commands WHERE first_position <= %s ORDER BY first_position",
            last,
        )

    def stray_commands(self) -> Iterable[Any]:
        return self._cursor(
            "stray_commands",
            "SELECT convert_to(command_id, 'UTF8'), first_position, last_position FROM commands "
            "WHERE coalesce(first_position > "
            "(SELECT coalesce(max(position), 0) FROM events), true)",
        )

    def commands_after(self, after: int) -> Iterable[Any]:
        return self._cursor(
            "commands",
            "SELECT convert_to(command_id, 'UTF8'), convert_to(digest, 'UTF8'), first_position, "
            "last_position FROM commands WHERE first_position > %s ORDER BY first_position",
            after,
        )

    def note(self) -> Any:
        return self._value("SELECT convert_to(note, 'UTF8') FROM checkpoint")

    def entries(self, first: int, last: int) -> Iterable[Any]:
        return self._cursor(
            "entries",
            "SELECT position, convert_to(entry::text, 'UTF8') FROM events "
            "WHERE position BETWEEN %s AND %s ORDER BY position",
            first,
            last,
        )

    def extent_of(self, command_id: str) -> Any:
        found = self._rows(
            "SELECT first_position, last_position FROM commands WHERE command_id = %s", command_id
        )
        return found[0] if found else None

    def subjects(self) -> Iterable[Any]:
        return self._cursor(
            "subjects",
            "SELECT s.subject, s.kind, s.name, s.salt, convert_to(e.entry::text, 'UTF8') "
            "FROM subjects s LEFT JOIN events e "
            "ON e.stream = 'subject:' || s.subject AND e.version = 1",
        )

    def names_erased(self) -> Iterable[Any]:
        return self._cursor("names_erased", NAMES_ERASED.replace("%", "%%"))

    def names_missing(self) -> Iterable[Any]:
        return self._cursor("names_missing", NAMES_MISSING.replace("%", "%%"))

    def documents(self) -> Iterable[Any]:
        if not self._value("SELECT to_regclass('documents') IS NOT NULL"):
            return ()
        return self._cursor("documents", "SELECT digest, size, text FROM documents")

    def snapshots(self) -> Iterable[Any]:
        return self._cursor("snapshots", "SELECT stream, version, state FROM snapshots", page=16)

    def stream(self, stream: str, last: int) -> Iterable[Any]:
        return self._cursor(
            "stream",
            "SELECT version, topic, convert_to(entry::text, 'UTF8') FROM events "
            "WHERE stream = %s AND version <= %s ORDER BY version",
            stream,
            last,
        )

    def index_faults(self) -> Iterable[str]:
        """Raises InvalidInput."""
        raise InvalidInput(
            "authledger does not check the indexes of a ledger on PostgreSQL.",
            remedy="Leave out --indexes, and run PostgreSQL's `pg_amcheck --heapallindexed`.",
        )

    def _cursor(
        self, name: str, statement: str, *params: Any, page: int = PAGE
    ) -> Iterator[tuple[Any, ...]]:
        """Read by a server-side cursor, a page at a time."""
        with self._connection.cursor(name, row_factory=tuple_row) as rows:
            rows.itersize = page
            yield from rows.execute(statement.encode(), params)

    def _rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        with self._connection.cursor(row_factory=tuple_row) as c:
            return c.execute(statement.encode(), params).fetchall()

    def _value(self, statement: str, *params: Any) -> Any:
        rows = self._rows(statement, *params)
        return rows[0][0] if rows else None
