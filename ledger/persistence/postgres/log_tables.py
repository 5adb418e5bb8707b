"""The log's tables in a PostgreSQL ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from psycopg import Cursor

from ledger.merkle.tiles import Tile
from ledger.persistence.numbering import recorded_in

HEAD: Final = (
    "SELECT e.position, e.entry, t.tile, t.data, c.note FROM (SELECT 1) AS one "
    "LEFT JOIN LATERAL "
    "(SELECT position, entry FROM events ORDER BY position DESC LIMIT 1) e ON true "
    "LEFT JOIN LATERAL "
    "(SELECT tile, data FROM tiles WHERE level = 0 ORDER BY tile DESC LIMIT 1) t ON true "
    "LEFT JOIN checkpoint c ON true"
)


class Head(NamedTuple):
    """The state from which an append begins: the last entry, the log's edge, its checkpoint."""

    position: int
    recorded_at: str | None
    edge: tuple[int, bytes] | None
    note: str | None

    @classmethod
    def read(cls, c: Cursor[Any]) -> Head:
        (row,) = c.execute(HEAD, prepare=True).fetchall()
        position, entry, tile, hashes, note = row
        edge = None if tile is None else (tile, hashes)
        return cls(position or 0, recorded_in(entry), edge, note)


class PostgresLogRows:
    """The log's tables within the transaction of a cursor."""

    def __init__(self, c: Cursor[Any], head: Head | None = None) -> None:
        self._c, self._head = c, head
        self._edge = head.edge if head else None

    def edge(self) -> tuple[int, bytes] | None:
        if self._head is not None:
            return self._head.edge
        row = self._c.execute(
            "SELECT tile, data FROM tiles WHERE level = 0 ORDER BY tile DESC LIMIT 1"
        ).fetchone()
        return (row[0], bytes(row[1])) if row else None

    def tile(self, level: int, index: int, _: int) -> bytes:
        if level == 0 and self._edge is not None and self._edge[0] == index:
            return self._edge[1]
        row = self._c.execute(
            "SELECT data FROM tiles WHERE level = %s AND tile = %s", (level, index)
        ).fetchone()
        return bytes(row[0]) if row else b""

    def put_tiles(self, tiles: Sequence[Tile]) -> None:
        self._edge = None  # It may have changed.
        self._c.executemany(
            "INSERT INTO tiles VALUES (%s, %s, %s) "
            "ON CONFLICT (level, tile) DO UPDATE SET data = excluded.data",
            [(tile.level, tile.index, tile.data) for tile in tiles],
        )

    def note(self) -> str | None:
        if self._head is not None:
            return self._head.note
        row = self._c.execute("SELECT note FROM checkpoint").fetchone()
        return row[0] if row else None

    def put_note(self, note: str) -> None:
        self._c.execute(
            "INSERT INTO checkpoint VALUES (1, %s) "
            'ON CONFLICT ("only") DO UPDATE SET note = excluded.note',
            (note,),
        )
