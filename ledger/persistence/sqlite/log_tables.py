"""The log's tables in a SQLite ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from ledger.merkle.tiles import Tile

TABLES: Final = (
    # `data` is the tile as in tlog-tiles: up to 256 hashes, fewer in a partial tile.
    (
        "CREATE TABLE IF NOT EXISTS tiles (\n"
        "  level INTEGER NOT NULL,\n"
        "  tile INTEGER NOT NULL,\n"
        "  data BLOB NOT NULL,\n"
        "  PRIMARY KEY (level, tile)\n"
        ") STRICT"
    ),
    # The newest signed checkpoint only. Auditors keep the older ones that they rely on.
    (
        "CREATE TABLE IF NOT EXISTS checkpoint (\n"
        "  only INTEGER PRIMARY KEY CHECK (only = 1),\n"
        "  note TEXT NOT NULL\n"
        ") STRICT"
    ),
)


class SQLiteLogRows:
    """The log's tables within the transaction of a cursor."""

    def __init__(self, c: SQLiteCursor) -> None:
        self._c = c

    def edge(self) -> tuple[int, bytes] | None:
        self._c.execute("SELECT tile, data FROM tiles WHERE level = 0 ORDER BY tile DESC LIMIT 1")
        row = self._c.fetchone()
        return (row[0], row[1]) if row else None

    def tile(self, level: int, index: int, _: int) -> bytes:
        self._c.execute("SELECT data FROM tiles WHERE level = ? AND tile = ?", (level, index))
        row = self._c.fetchone()
        return bytes(row[0]) if row else b""

    def put_tiles(self, tiles: Sequence[Tile]) -> None:
        self._c.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?) "
            "ON CONFLICT (level, tile) DO UPDATE SET data = excluded.data",
            [(tile.level, tile.index, tile.data) for tile in tiles],
        )

    def note(self) -> str | None:
        self._c.execute("SELECT note FROM checkpoint")
        row = self._c.fetchone()
        return str(row[0]) if row else None

    def put_note(self, note: str) -> None:
        self._c.execute(
            "INSERT INTO checkpoint VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET note = excluded.note",
            (note,),
        )
