"""The raw rows of a ledger in a file, read through a connection that cannot write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.persistence.columns import COLUMNS
from ledger.persistence.numbering import recorded_in
from ledger.persistence.raw_rows import NAMES_ERASED, NAMES_MISSING, PAGE, AnotherLedger, Row
from ledger.persistence.schema_difference import Difference
from ledger.persistence.sqlite.erasable import has_documents
from ledger.persistence.sqlite.files import connect, uri_of
from ledger.persistence.sqlite.opened_file import OpenedFile
from ledger.persistence.sqlite.schema_check import schema_differences


@contextmanager
def reading(path: Path, moment: str | None = None) -> Iterator[SQLiteRows]:
    """One read transaction over the file. A later one also sees rows that were appended since.

    Raises LedgerReplaced if the file has been replaced by the end.
    """
    uri = uri_of(path, "ro")
    file = OpenedFile(path, uri)
    with closing(connect(uri)) as connection:
        connection.execute("BEGIN")
        rows = SQLiteRows(connection, path)
        if moment is not None and rows.moment() != moment:
            raise AnotherLedger(path)
        file.check()
        try:
            yield rows
        finally:
            file.check()


class SQLiteRows:
    """The rows as they are stored, whatever their types."""

    one_process_max: Final = 65_000

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path = connection, path
        columns = f"SELECT {', '.join(COLUMNS)} FROM events WHERE"
        self._row = f"{columns} position = ?"
        self._page = f"{columns} position > ? ORDER BY position LIMIT ?"

    def moment(self) -> str:
        """The identity of the file itself: another file may get its name."""
        status = self._path.stat()
        return f"{status.st_dev}:{status.st_ino}"

    def schema_differences(self) -> Sequence[Difference]:
        return schema_differences(self._connection.cursor())

    # -- events ----------------------------------------------------------------------------------

    def extent(self) -> tuple[Any, Any, int]:
        first, last = (self._value(f"SELECT {each}(position) FROM events") for each in _ENDS)
        return first, last, int(self._value("SELECT count(*) FROM events"))

    def page(self, after: int, count: int) -> Sequence[Row]:
        try:
            return self._connection.execute(self._page, (after, count)).fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
                raise
            with self._texts_as(_with_surrogates):  # A text is not UTF-8.
                return self._connection.execute(self._page, (after, count)).fetchall()

    def row(self, position: int) -> Row:
        with self._texts_as(_with_surrogates):
            return self._connection.execute(self._row, (position,)).fetchone() or ()

    def whole(self, after: int) -> Iterator[Sequence[Row]]:
        read = 0
        try:
            for page in self._whole(after, 0):
                yield page
                read += len(page)
        except (sqlite3.OperationalError, UnicodeDecodeError):
            # A text is not UTF-8. From here on, invalid bytes are read as surrogates.
            with self._texts_as(_with_surrogates):
                yield from self._whole(after, read)

    def _whole(self, after: int, read: int) -> Iterator[Sequence[Row]]:
        rows = self._connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM events WHERE position > ? "
            "ORDER BY position LIMIT -1 OFFSET ?",
            (after, read),
        )
        while page := rows.fetchmany(PAGE):
            yield page

    def recorded_before(self, position: int) -> str:
        entries = self._connection.execute(
            "SELECT CAST(entry AS BLOB) FROM events WHERE position <= ? ORDER BY position DESC",
            (position,),
        )
        return next((at for (entry,) in entries if (at := recorded_in(entry))), "")

    def broken_streams(self, last: int) -> Iterable[Any]:
        # The index has both columns.
        return self._connection.execute(
            "SELECT CAST(stream AS BLOB), min(version), max(version), count(*) FROM events "
            "WHERE position <= ? "
            "GROUP BY stream HAVING count(*) <> max(version) OR min(version) <> 1",
            (last,),
        )

    # -- side tables ----------------------------------------------------------------------------

    def tile(self, level: int, index: int) -> object:
        # A text is not a tile, even if its bytes are the hashes.
        return self._value(
            "SELECT CASE typeof(data) WHEN 'blob' THEN data ELSE typeof(data) END FROM tiles "
            "WHERE level = ? AND tile = ?",
            level,
            index,
        )

    def tiles(self) -> int:
        return int(self._value("SELECT count(*) FROM tiles"))

    def commands(self, last: int) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT CAST(command_id AS BLOB), first_position, last_position, "
            "typeof(command_id) = 'text' FROM commands WHERE first_position <= ? "
            "ORDER BY first_position",
            (last,),
        )

    def stray_commands(self) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT CAST(command_id AS BLOB), first_position, last_position FROM commands WHERE "
            "coalesce(first_position > (SELECT coalesce(max(position), 0) FROM events), 1)"
        )

    def commands_after(self, after: int) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT CAST(command_id AS BLOB), CAST(digest AS BLOB), first_position, last_position "
            "FROM commands WHERE first_position > ? ORDER BY first_position",
            (after,),
        )

    def note(self) -> Any:
        return self._value("SELECT CAST(note AS BLOB) FROM checkpoint")

    def entries(self, first: int, last: int) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT position, CAST(entry AS BLOB) FROM events WHERE position BETWEEN ? AND ? "
            "ORDER BY position",
            (first, last),
        )

    def extent_of(self, command_id: str) -> Any:
        return self._connection.execute(
            "SELECT first_position, last_position FROM commands WHERE command_id = ?",
            (command_id,),
        ).fetchone()

    def subjects(self) -> Iterator[Any]:
        with self._texts_as(_with_surrogates):
            yield from self._connection.execute(
                "SELECT s.subject, s.kind, s.name, s.salt, CAST(e.entry AS BLOB) FROM subjects s "
                "LEFT JOIN events e ON e.stream = 'subject:' || s.subject AND e.version = 1"
            )

    def names_erased(self) -> Iterable[Any]:
        return self._connection.execute(NAMES_ERASED)

    def names_missing(self) -> Iterable[Any]:
        return self._connection.execute(NAMES_MISSING)

    def documents(self) -> Iterator[Any]:
        if has_documents(self._connection.cursor()):
            with self._texts_as(_with_surrogates):
                yield from self._connection.execute("SELECT digest, size, text FROM documents")

    def snapshots(self) -> Iterator[Any]:
        with self._texts_as(_with_surrogates):
            yield from self._connection.execute("SELECT stream, version, state FROM snapshots")

    def stream(self, stream: str, last: int) -> Iterable[Any]:
        return self._connection.execute(
            "SELECT version, topic, CAST(entry AS BLOB) FROM events "
            "WHERE stream = ? AND version <= ? ORDER BY version",
            (stream, last),
        )

    def index_faults(self) -> Iterator[str]:
        """SQLite's own check: tables and indexes have the same rows, and their trees are intact."""
        with self._texts_as(lambda text: text.decode(errors="backslashreplace")):
            for (said,) in self._connection.execute("PRAGMA integrity_check"):
                if said != "ok":
                    yield said.replace("\n", " ")

    @contextmanager
    def _texts_as(self, text_of: Any) -> Iterator[None]:
        self._connection.text_factory = text_of
        try:
            yield
        finally:
            self._connection.text_factory = str

    def _value(self, statement: str, *params: Any) -> Any:
        row = self._connection.execute(statement, params).fetchone()
        return None if row is None else row[0]


_ENDS: Final = ("min", "max")


def _with_surrogates(text: bytes) -> str:
    return text.decode(errors="surrogateescape")
