"""Trees as RFC 6962 defines them: by recursion, and slow."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from hypothesis import strategies as st

from ledger.merkle.tree import SubtreeHash


def leaves(size: int) -> list[bytes]:
    """Leaf hashes, each different."""
    return [sha256(b"\x00" + str(index).encode()).digest() for index in range(size)]


def split(size: int) -> int:
    """The largest power of two below the size."""
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(hashes: Sequence[bytes]) -> bytes:
    """MTH, section 2.1."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH, section 2.1.1."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: Sequence[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF, section 2.1.2; PROOF is the one that is known."""
    if m == len(hashes):
        return [] if known else [mth(hashes)]
    k = split(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], known), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], known=False), mth(hashes[:k])]


def reading(hashes: Sequence[bytes]) -> SubtreeHash:
    """Complete subtrees of leaves in memory."""

    def subtree(level: int, index: int) -> bytes:
        of_it = hashes[index << level : (index + 1) << level]
        assert len(of_it) == 1 << level, "only complete subtrees are asked for"
        return mth(of_it)

    return subtree


LEAVES = leaves(1500)
sizes = st.integers(0, len(LEAVES))
small_sizes = range(71)
