"""The Merkle log of the entries: every entry is a leaf, and the tree's tiles are stored too.

Leaf i is the entry at position i + 1. Tiles could be computed again from the entries. They are
stored so that an append and a proof cost the tree's height and not its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from ledger.errors import CorruptEntry, KeyUnusable
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tiles import TILE_WIDTH, Tile, TileHashes, append
from ledger.merkle.tree import HASH_BYTES, Frontier, SubtreeHash, frontier_of, leaf_hash


class CheckpointSigner(Protocol):
    """Signs a log's new state, and learns when that state is committed."""

    @property
    def origin(self) -> str:
        """The log's name."""

    def checkpoint(self, before: Frontier, after: Frontier, subtree: SubtreeHash) -> str:
        """The signed note over `after`, which grew from `before`."""

    def last(self, before: Frontier, note: str | None) -> Checkpoint | None:
        """The newest checkpoint that this key signed: by the signer's record, or by the `note` that
        the ledger keeps. None if there is none.
        """

    def check(self, last: Checkpoint, after: Frontier, subtree: SubtreeHash) -> None:
        """Raises LogForked if the log does not continue that checkpoint."""

    def released(self, note: str) -> None:
        """Learn that the note is committed, and may be shown."""


class LogRows(Protocol):
    """The log's tables within one transaction; each database has its own."""

    def edge(self) -> tuple[int, bytes] | None:
        """The index and the hashes of the last tile of leaves."""

    def tile(self, level: int, index: int, width: int) -> bytes:
        """A tile as it is stored now, at its present width; empty if there is none."""

    def put_tiles(self, tiles: Sequence[Tile]) -> None:
        """Store tiles; each replaces the one before it."""

    def note(self) -> str | None:
        """The newest checkpoint, a signed note; None if the log has no key yet."""

    def put_note(self, note: str) -> None:
        """Store the newest checkpoint; it replaces the one before it."""


class Signed(NamedTuple):
    """A checkpoint that is stored in a transaction, and the signer that waits for its commit."""

    note: str
    signer: CheckpointSigner

    def released(self) -> str:
        """Tell the signer that the checkpoint is committed; return the note. Raises KeyUnusable."""
        self.signer.released(self.note)
        return self.note


class Tail(NamedTuple):
    """Entries that nobody signed, and that this process neither appended nor verified.

    An append over a tail is stored and not signed.
    """

    origin: str
    first: int
    last: int

    def released(self) -> None:
        """There is no checkpoint."""


class KeyAbsent(NamedTuple):
    """The key of the ledger's log is not here: what was appended is not signed."""

    origin: str

    def released(self) -> None:
        """There is no checkpoint."""


class UnsignedTail(Exception):
    """A checkpoint would cover a tail. Nothing was signed."""

    def __init__(self, tail: Tail) -> None:
        super().__init__(
            f"The positions {tail.first} to {tail.last} are not signed, and were not appended by "
            "this process."
        )
        self.tail = tail


class Log:
    """Extends the tree in the transaction that appends, and signs the result.

    `signer_of` finds the signer of an origin. `every`: after how many entries a checkpoint is due;
    0: only on request. `required`: an append that should be signed and cannot be is refused.
    """

    def __init__(self) -> None:
        self.signer_of: Callable[[str], CheckpointSigner | None] = lambda _: None
        self.every = 1
        self.required = False
        self._is_known = True
        """Whether all in `_frontier` was signed, or appended or verified by this process."""
        self._tail: Tail | None = None
        """The entries because of which it is not."""
        self._frontier = Frontier()
        self._edge = b""
        """The last tile of leaves that `_frontier` belongs to. After a rollback the database has
        another one."""

    def append(
        self, rows: LogRows, last: int, states: Iterable[bytes]
    ) -> Signed | Tail | KeyAbsent | None:
        """Append entries to a log with `last` leaves; return the checkpoint, if one was due, or
        why there is none.

        Raises CorruptEntry, and the errors of the signer; KeyUnusable if a signature is required.
        """
        before, after = self.grow(rows, last, states)
        note = rows.note()
        if note is None or after.size == before.size or not self.every:
            return None
        origin, size = note.split("\n", 2)[:2]
        if after.size - int(size) < self.every:
            return None
        signer = self.signer_of(origin)
        if signer is None:
            return self._unsigned(KeyAbsent(origin))
        tail = self._unknown(rows, signer, before, after)
        return self._unsigned(tail) if tail else self._sign(rows, signer, before, after)

    def _unsigned(self, why: Tail | KeyAbsent) -> Tail | KeyAbsent:
        """Why an append is not signed. Raises KeyUnusable if it must be."""
        if self.required:
            raise _required(why)
        return why

    def _unknown(
        self, rows: LogRows, signer: CheckpointSigner, before: Frontier, after: Frontier
    ) -> Tail | None:
        """The tail that a checkpoint would cover; None if there is none. Raises LogForked."""
        if self._is_known or self._tail is not None:
            return self._tail
        last = signer.last(before, rows.note())
        if last is not None and last.is_of(before):
            self._is_known = True
            return None
        if last is not None:
            signer.check(last, after, TileHashes(after.size, rows.tile))
        self._tail = Tail(signer.origin, last.size + 1 if last else 1, before.size)
        return self._tail

    def verified(self, tail: Tail) -> None:
        """Learn that a tail was verified: from now on it can be signed."""
        if tail == self._tail:
            self._is_known, self._tail = True, None

    def grow(self, rows: LogRows, last: int, states: Iterable[bytes]) -> tuple[Frontier, Frontier]:
        """Append entries to a log with `last` leaves; return the frontier before and after.

        Raises CorruptEntry.
        """
        before = self.frontier(rows, last)
        after = before.copy()
        grown = append(after, map(leaf_hash, states), rows.tile)
        if grown:
            rows.put_tiles(grown)
            leaves = [tile.data for tile in grown if tile.level == 0]
            self._frontier, self._edge = after.copy(), leaves[-1]
        return before, after

    def sign(self, rows: LogRows, signer: CheckpointSigner, last: int) -> Signed:
        """Sign a checkpoint of the log as it is now. Raises UnsignedTail."""
        frontier = self.frontier(rows, last)
        tail = self._unknown(rows, signer, frontier, frontier)
        if tail is not None:
            raise UnsignedTail(tail)
        return self._sign(rows, signer, frontier, frontier)

    def _sign(
        self, rows: LogRows, signer: CheckpointSigner, before: Frontier, after: Frontier
    ) -> Signed:
        subtree = TileHashes(after.size, rows.tile)
        note = signer.checkpoint(before, after, subtree)
        rows.put_note(note)
        self._is_known, self._tail = True, None
        return Signed(note, signer)

    def frontier(self, rows: LogRows, last: int) -> Frontier:
        """The tree's right edge. Raises CorruptEntry if it has not one leaf for each entry."""
        kept = rows.edge()
        size, edge = _size(kept), kept[1] if kept else b""
        if size != last:
            raise CorruptEntry(
                f"The ledger's last position is {last}, but its log has {size} leaves: another "
                "program deleted or inserted rows.",
                remedy="Run `authledger log verify` to find the rows, and restore a copy.",
            )
        if (self._frontier.size, self._edge) != (size, edge):
            hashes = TileHashes(size, rows.tile)
            self._frontier, self._edge = frontier_of(size, hashes), edge
            self._is_known, self._tail = not size, None
        return self._frontier.copy()


def _required(why: Tail | KeyAbsent) -> KeyUnusable:
    if isinstance(why, Tail):
        return KeyUnusable(
            f"{UnsignedTail(why)} Nothing was appended: a signature is required.",
            remedy="`authledger log checkpoint` verifies them, shows them and signs.",
        )
    return KeyUnusable(
        f"The key of the log {why.origin} is not here, and a signature is required. Nothing was "
        "appended.",
        remedy="AUTHLEDGER_LOG_KEYS names the folder with the keys of logs.",
    )


def tree_size(rows: LogRows) -> int:
    """How many leaves the log has."""
    return _size(rows.edge())


def _size(edge: tuple[int, bytes] | None) -> int:
    return edge[0] * TILE_WIDTH + len(edge[1]) // HASH_BYTES if edge else 0
