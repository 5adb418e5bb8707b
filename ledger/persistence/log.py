"""The log beside the events: every entry is a leaf, and the tree's tiles are kept as it grows.

Leaf i is the entry at position i + 1. Tiles are derived from the entries and could be computed
again; they are kept so that an append and a proof cost the tree's height and not its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple, Protocol

from eventsourcing.sqlite import SQLiteCursor

from ledger.errors import CorruptEntry
from ledger.merkle.tiles import TILE_WIDTH, TileHashes, append
from ledger.merkle.tree import HASH_BYTES, Frontier, SubtreeHash, frontier_of, leaf_hash

TABLES: Final = (
    # `data` is the tile as tlog-tiles has it: up to 256 hashes. A partial one is this row, shorter.
    (
        "CREATE TABLE IF NOT EXISTS tiles (\n"
        "  level INTEGER NOT NULL,\n"
        "  tile INTEGER NOT NULL,\n"
        "  data BLOB NOT NULL,\n"
        "  PRIMARY KEY (level, tile)\n"
        ") STRICT"
    ),
    # The newest signed checkpoint, and no other: who wants to hold the ledger to one keeps it.
    (
        "CREATE TABLE IF NOT EXISTS checkpoint (\n"
        "  only INTEGER PRIMARY KEY CHECK (only = 1),\n"
        "  note TEXT NOT NULL\n"
        ") STRICT"
    ),
)


class CheckpointSigner(Protocol):
    """Signs what a log has become, and is told when that is on the disk."""

    def checkpoint(self, before: Frontier, after: Frontier, subtree: SubtreeHash) -> str:
        """The signed note over `after`, which grew from `before`."""

    def released(self, note: str) -> None:
        """The note is kept, and may be shown."""


class Signed(NamedTuple):
    """A checkpoint that is kept when its transaction is, and who is to be told then."""

    note: str
    signer: CheckpointSigner


class Log:
    """Lets the tree grow within the transaction that appends, and signs what it has become.

    `signer_of` finds the signer of an origin. `every`: how many entries may go without a
    checkpoint; 0 leaves all of them to whoever asks for one.
    """

    def __init__(self) -> None:
        self.signer_of: Callable[[str], CheckpointSigner | None] = lambda _: None
        self.every = 1
        self._frontier = Frontier()
        self._edge = b""
        """The last tile of leaves that `_frontier` belongs to: an append that was rolled back
        leaves another one in the file than here."""

    def append(self, c: SQLiteCursor, last: int, states: Iterable[bytes]) -> Signed | None:
        """Append entries to a log of `last` ones; the checkpoint over them, if one was due.

        Raises CorruptEntry, and what the signer raises.
        """
        before = self.frontier(c, last)
        frontier = before.copy()
        grown = append(frontier, map(leaf_hash, states), partial(read_tile, c))
        if grown:
            c.executemany(
                "INSERT INTO tiles VALUES (?, ?, ?) "
                "ON CONFLICT (level, tile) DO UPDATE SET data = excluded.data",
                [(tile.level, tile.index, tile.data) for tile in grown],
            )
            leaves = [tile.data for tile in grown if tile.level == 0]
            self._frontier, self._edge = frontier.copy(), leaves[-1]
        note = read_checkpoint(c)
        if note is None or not grown or not self.every:
            return None
        origin, size = note.split("\n", 2)[:2]
        signer = self.signer_of(origin)
        if signer is None or frontier.size - int(size) < self.every:
            return None
        return self._sign(c, signer, before, frontier)

    def sign(self, c: SQLiteCursor, signer: CheckpointSigner, last: int) -> Signed:
        """The checkpoint of the log as it is."""
        frontier = self.frontier(c, last)
        return self._sign(c, signer, frontier, frontier)

    def _sign(
        self, c: SQLiteCursor, signer: CheckpointSigner, before: Frontier, after: Frontier
    ) -> Signed:
        subtree = TileHashes(after.size, partial(read_tile, c))
        note = signer.checkpoint(before, after, subtree)
        c.execute(
            "INSERT INTO checkpoint VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET note = excluded.note",
            (note,),
        )
        return Signed(note, signer)

    def frontier(self, c: SQLiteCursor, last: int) -> Frontier:
        """The tree's right edge. Raises CorruptEntry if it has not as many leaves as entries."""
        size, edge = _edge(c)
        if size != last:
            raise CorruptEntry(
                f"The ledger's last position is {last}, its log has {size} leaves: something was "
                "taken away or put in beside the ledger.",
                remedy="Nothing was appended; restore the file from a copy.",
            )
        if (self._frontier.size, self._edge) != (size, edge):
            hashes = TileHashes(size, partial(read_tile, c))
            self._frontier, self._edge = frontier_of(size, hashes), edge
        return self._frontier.copy()


def read_checkpoint(c: SQLiteCursor) -> str | None:
    """The newest checkpoint, a signed note; None as long as no key was made for the log."""
    c.execute("SELECT note FROM checkpoint")
    row = c.fetchone()
    return str(row[0]) if row else None


def tree_size(c: SQLiteCursor) -> int:
    """How many leaves the log has."""
    return _edge(c)[0]


def _edge(c: SQLiteCursor) -> tuple[int, bytes]:
    """The number of leaves, and the last tile of them."""
    c.execute("SELECT tile, data FROM tiles WHERE level = 0 ORDER BY tile DESC LIMIT 1")
    row = c.fetchone()
    return (row[0] * TILE_WIDTH + len(row[1]) // HASH_BYTES, row[1]) if row else (0, b"")


def read_tile(c: SQLiteCursor, level: int, index: int, _: int) -> bytes:
    """A tile as it is kept now, whatever its width was before; empty if there is none."""
    c.execute("SELECT data FROM tiles WHERE level = ? AND tile = ?", (level, index))
    row = c.fetchone()
    return bytes(row[0]) if row else b""
