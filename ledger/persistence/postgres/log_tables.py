"""The log's tables in a PostgreSQL ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from psycopg import Cursor

from ledger.merkle.tiles import Tile
from ledger.persistence.numbering import recorded_in

CHANGED: Final = (
    "SELECT k.stream || ' has newer entries' AS text "
    "FROM unnest(%s::text[], %s::bigint[]) AS k (stream, version) "
    "WHERE (SELECT max(e.version) FROM events e WHERE e.stream = k.stream) > k.version "
    "UNION ALL SELECT k.subject || ' was erased' FROM unnest(%s::text[]) AS k (subject) "
    "WHERE (SELECT s.subject FROM subjects s WHERE s.subject = k.subject) IS NULL"
)
"""The changes of what a decision relied on: streams with versions, and subjects."""
HEAD: Final = (
    "SELECT e.position, e.entry, t.tile, t.data, c.note, "
    f"(SELECT text FROM ({CHANGED}) AS changed LIMIT 1) FROM (SELECT 1) AS one "
    "LEFT JOIN LATERAL "
    "(SELECT position, entry FROM events ORDER BY position DESC LIMIT 1) e ON true "
    "LEFT JOIN LATERAL "
    "(SELECT tile, data FROM tiles WHERE level = 0 ORDER BY tile DESC LIMIT 1) t ON true "
    "LEFT JOIN checkpoint c ON true"
)


class Head(NamedTuple):
    """The state from which an append begins: the last entry, the log's edge, its checkpoint; and
    what has changed of that on which the decision relied, if anything did.
    """

    position: int
    recorded_at: str | None
    edge: tuple[int, bytes] | None
    note: str | None
    changed: str | None

    @classmethod
    def read(cls, c: Cursor[Any], relied: Sequence[Sequence[Any]]) -> Head:
        """`relied`: the parameters of CHANGED."""
        (row,) = c.execute(HEAD.encode(), relied, prepare=True).fetchall()
        position, entry, tile, hashes, note, changed = row
        edge = None if tile is None else (tile, hashes)
        return cls(position or 0, recorded_in(entry), edge, note, changed)


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
