"""Makes and verifies inclusion and consistency proofs (RFC 6962, sections 2.1.1 and 2.1.2).

Both proofs are lists of 32-byte hashes, that of the smallest subtree first. To make one, walk from
the root of the tree down; to verify one, walk the same steps up. The steps follow from the sizes
and the index alone, and so does the number of hashes.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.merkle.invalid import ProofInvalid
from ledger.merkle.tree import EMPTY_ROOT, HASH_BYTES, SubtreeHash, node_hash, range_root

_Step = tuple[bool, int, int]
"""A sibling on the way down: whether it lies to the left, and the leaves [start, end) under it."""


def inclusion_proof(index: int, size: int, subtree: SubtreeHash) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of the tree of that size.

    Reads fewer than 2·log₂(size) subtrees. Raises ValueError if the leaf does not exist.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of size {size} has no leaf {index}.")
    return [range_root(start, end, subtree) for _, start, end in _inclusion_steps(index, size)]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises ProofInvalid unless the leaf hash is at `index` of the tree with this root."""
    if not 0 <= index < size:
        raise ProofInvalid(f"A tree of size {size} has no leaf {index}.")
    if len(leaf) != HASH_BYTES:
        raise ProofInvalid(f"The leaf hash has {len(leaf)} bytes, not {HASH_BYTES}.")
    steps = _inclusion_steps(index, size)
    _check_hashes(proof, len(steps), f"leaf {index} in a tree of size {size}")
    reached = leaf
    for (on_the_left, _, _), sibling in zip(steps, proof, strict=True):
        reached = node_hash(sibling, reached) if on_the_left else node_hash(reached, sibling)
    if reached != root:
        raise ProofInvalid(f"The proof does not lead from leaf {index} to the root.")


def consistency_proof(old: int, new: int, subtree: SubtreeHash) -> list[bytes]:
    """The hashes that prove that the tree of size `old` is the beginning of that of size `new`.

    Empty if the sizes are equal or the old tree is. Raises ValueError if old > new.
    """
    if not 0 <= old <= new:
        raise ValueError(f"A tree of size {new} does not begin with one of size {old}.")
    if old == 0:
        return []
    start, steps = _consistency_steps(old, new)
    proof = [range_root(start, old, subtree)] if start else []
    return proof + [range_root(start, end, subtree) for _, start, end in steps]


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raises ProofInvalid unless the new tree begins with the old one.

    Every tree begins with the empty one, which has one root and needs no proof.
    """
    if not 0 <= old <= new:
        raise ProofInvalid(f"A tree of size {new} does not begin with one of size {old}.")
    _check_empty(old, old_root)
    _check_empty(new, new_root)
    about = f"sizes {old} and {new}"
    if old == 0:
        _check_hashes(proof, 0, about)
        return
    start, steps = _consistency_steps(old, new)
    _check_hashes(proof, len(steps) + (start > 0), about)
    first, siblings = (proof[0], proof[1:]) if start else (old_root, proof)
    reached_old = reached_new = first
    for (on_the_left, _, _), sibling in zip(steps, siblings, strict=True):
        if on_the_left:
            reached_old = node_hash(sibling, reached_old)
            reached_new = node_hash(sibling, reached_new)
        else:
            reached_new = node_hash(reached_new, sibling)  # The old tree ends before it.
    if reached_old != old_root:
        raise ProofInvalid(f"The proof does not lead to the root at size {old}.")
    if reached_new != new_root:
        raise ProofInvalid(f"The proof does not lead to the root at size {new}.")


def _inclusion_steps(index: int, size: int) -> list[_Step]:
    """The siblings on the way up from the leaf."""
    start, end = 0, size
    steps: list[_Step] = []
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            steps.append((False, middle, end))
            end = middle
        else:
            steps.append((True, start, middle))
            start = middle
    steps.reverse()
    return steps


def _consistency_steps(old: int, new: int) -> tuple[int, list[_Step]]:
    """The start of the old tree's last complete subtree, and the siblings on the way up from it.

    If it starts at 0, it is the whole old tree, whose root the verifier has.
    """
    start, end = 0, new
    steps: list[_Step] = []
    while end != old:
        middle = _middle(start, end)
        if old <= middle:
            steps.append((False, middle, end))
            end = middle
        else:
            steps.append((True, start, middle))
            start = middle
    steps.reverse()
    return start, steps


def _middle(start: int, end: int) -> int:
    """Where RFC 6962 splits: the largest power of two that leaves something to the right."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _check_hashes(proof: Sequence[bytes], wanted: int, about: str) -> None:
    if len(proof) != wanted:
        raise ProofInvalid(f"The proof of {about} has {len(proof)} hashes, not {wanted}.")
    for each in proof:
        if len(each) != HASH_BYTES:
            raise ProofInvalid(f"A hash of the proof has {len(each)} bytes, not {HASH_BYTES}.")


def _check_empty(size: int, root: bytes) -> None:
    if size == 0 and root != EMPTY_ROOT:
        raise ProofInvalid("The root is not that of the empty tree.")
