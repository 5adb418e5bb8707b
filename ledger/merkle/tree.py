"""The Merkle tree of RFC 6962, section 2.1, over SHA-256: its hashes, and its growing frontier.

    leaf  = SHA-256(0x00 ‖ entry)
    node  = SHA-256(0x01 ‖ left ‖ right)
    empty = SHA-256("")

A complete subtree is named by (level, index): it has the 2^level leaves from index·2^level on. A
leaf is (0, index).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

SubtreeHash = Callable[[int, int], bytes]
"""The hash of the complete subtree (level, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry's exact bytes, 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two neighbouring subtrees."""
    return sha256(b"\x01" + left + right).digest()


def parents(row: Sequence[bytes]) -> list[bytes]:
    """The hashes over each pair of neighbours; a last hash without a neighbour is left out."""
    return [
        sha256(b"\x01" + left + right).digest()  # As `node_hash`, without a function call for each.
        for left, right in zip(row[::2], row[1::2], strict=False)
    ]


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, all of which are in memory."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


class Frontier:
    """The right edge of a tree: enough to append leaves and to compute the root.

    `hashes` are the roots of its complete subtrees, the largest first: one for each bit that is
    set in `size`. (Also known as a compact range.)
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Raises ValueError if a tree of that size cannot have these hashes."""
        if size < 0 or len(hashes) != size.bit_count():
            raise ValueError(f"A frontier of size {size} does not have {len(hashes)} hashes.")
        if any(len(each) != HASH_BYTES for each in hashes):
            raise ValueError(f"A hash has {HASH_BYTES} bytes.")
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(self._hashes)

    def copy(self) -> Frontier:
        same = Frontier()
        same._size, same._hashes = self._size, self._hashes.copy()
        return same

    def root(self) -> bytes:
        return fold(self._hashes)

    def extend(self, leaves: Iterable[bytes]) -> list[list[bytes]]:
        """Append leaf hashes, in order.

        Returns, by level, the hashes of the subtrees that became complete. Level 0 are the leaves
        themselves; at level L the indexes begin at (size before) >> L.
        """
        completed: list[list[bytes]] = []
        rest: list[bytes] = []
        row = list(leaves)
        size, added = self._size, len(row)
        level = 0
        while row:
            completed.append(row)
            if size >> level & 1:
                row = [self._hashes.pop(), *row]
            if len(row) & 1:
                rest.append(row[-1])  # Its sibling does not exist yet.
            row = parents(row)
            level += 1
        self._hashes += reversed(rest)
        self._size = size + added
        return completed


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring subtrees, the largest first; the empty tree's root over none."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def frontier_of(size: int, subtree: SubtreeHash) -> Frontier:
    """The frontier of a tree whose subtree hashes can be read: one for each bit set in `size`."""
    return Frontier(size, subtrees(0, size, subtree))


def range_root(start: int, end: int, subtree: SubtreeHash) -> bytes:
    """The root over the leaves [start, end); start is a multiple of the largest subtree's size."""
    return fold(subtrees(start, end, subtree))


def subtrees(start: int, end: int, subtree: SubtreeHash) -> list[bytes]:
    """The hashes of the complete subtrees that make up the leaves [start, end), largest first."""
    hashes = []
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(subtree(level, start >> level))
        start += 1 << level
    return hashes


def first_difference(size: int, one: SubtreeHash, other: SubtreeHash) -> int | None:
    """The index of the first leaf of `size` in which two trees differ; None if there is none.

    Goes down from the first complete subtree that differs: some 2·log₂(size) hashes of each.
    """
    start = 0
    while start < size:
        level = (size - start).bit_length() - 1
        index = start >> level
        if one(level, index) != other(level, index):
            return _first_below(level, index, one, other)
        start += 1 << level
    return None


def _first_below(level: int, index: int, one: SubtreeHash, other: SubtreeHash) -> int:
    """The first leaf that differs below a subtree that does."""
    while level:
        level, index = level - 1, 2 * index
        if one(level, index) == other(level, index):
            index += 1
    return index
