"""Proofs: each proof of the standard verifies, and no altered proof does."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.invalid import ProofInvalid
from ledger.merkle.proofs import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from ledger.merkle.tree import EMPTY_ROOT
from tests.ledger.merkle.trees import LEAVES, mth, path, reading, small_sizes, subproof

SUBTREE = reading(LEAVES)
ROOTS = [mth(LEAVES[:size]) for size in range(200)]


def holds(verify: Callable[..., None], *evidence: object) -> bool:
    try:
        verify(*evidence)
    except ProofInvalid:
        return False
    return True


# -- the standard --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", small_sizes)
def test_every_leaf_has_the_inclusion_proof_of_the_standard_and_it_verifies(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, SUBTREE)
        assert proof == path(index, LEAVES[:size])
        verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("new", small_sizes)
def test_every_size_has_the_consistency_proof_of_the_standard_and_it_verifies(new: int) -> None:
    for old in range(1, new + 1):
        proof = consistency_proof(old, new, SUBTREE)
        assert proof == subproof(old, LEAVES[:new])
        verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])


@given(data=st.data(), size=st.integers(71, len(LEAVES)))
def test_proofs_in_larger_trees_verify_too(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = mth(LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, inclusion_proof(index, size, SUBTREE), root)
    proof = consistency_proof(index + 1, size, SUBTREE)
    verify_consistency(index + 1, size, proof, mth(LEAVES[: index + 1]), root)


def test_making_a_proof_reads_few_subtrees() -> None:
    asked: list[tuple[int, int]] = []

    def counted(level: int, index: int) -> bytes:
        asked.append((level, index))
        return bytes(32)

    inclusion_proof(2**61, 2**62 - 1, counted)
    assert len(asked) < 2 * 62
    asked.clear()
    consistency_proof(2**61 - 1, 2**62 - 1, counted)
    assert len(asked) < 2 * 62


# -- others' vectors -----------------------------------------------------------------------------


def vectors(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(folder).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }


def inclusion_holds(vector: dict[str, Any]) -> bool:
    return holds(
        verify_inclusion,
        b64decode(vector["leafHash"]),
        vector["leafIdx"],
        vector["treeSize"],
        [b64decode(each) for each in vector["proof"] or ()],
        b64decode(vector["root"]),
    )


def consistency_holds(vector: dict[str, Any]) -> bool:
    return holds(
        verify_consistency,
        vector["size1"],
        vector["size2"],
        [b64decode(each) for each in vector["proof"] or ()],
        b64decode(vector["root1"]),
        b64decode(vector["root2"]),
    )


@pytest.mark.parametrize(
    ("kind", "verdict", "good", "bad"),
    [("inclusion", inclusion_holds, 3, 58), ("consistency", consistency_holds, 5, 61)],
)
def test_the_public_test_vectors_verify_or_fail_as_they_should(
    shared: Path, kind: str, verdict: Callable[[dict[str, Any]], bool], good: int, bad: int
) -> None:
    cases = vectors(shared / "merkle" / kind)
    wanted = {name: not vector["wantErr"] for name, vector in cases.items()}
    assert {name: verdict(vector) for name, vector in cases.items()} == wanted
    assert (sum(wanted.values()), len(wanted) - sum(wanted.values())) == (good, bad)


# -- what does not hold --------------------------------------------------------------------------


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 1 << bit % 8
    return bytes(changed)


@st.composite
def altered(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """The proof with one hash changed, cut, removed, inserted or swapped with another."""
    places = st.integers(0, len(proof) - 1)
    match draw(st.sampled_from(["put in", "changed", "cut", "left out", "swapped"])):
        case "changed" if proof:
            at = draw(places)
            return [*proof[:at], flipped(proof[at], draw(st.integers(0, 255))), *proof[at + 1 :]]
        case "cut" if proof:
            at = draw(places)
            return [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
        case "left out" if proof:
            at = draw(places)
            return proof[:at] + proof[at + 1 :]
        case "swapped" if len(proof) > 1:
            at = draw(st.integers(0, len(proof) - 2))
            return [*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]]
        case _:
            at = draw(st.integers(0, len(proof)))
            hashes = st.sampled_from([*proof, bytes(32), EMPTY_ROOT]) | st.binary(max_size=33)
            return [*proof[:at], draw(hashes), *proof[at:]]


@given(data=st.data(), size=st.integers(1, 199))
def test_an_altered_inclusion_proof_is_refused(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(altered(inclusion_proof(index, size, SUBTREE)))
    assert not holds(verify_inclusion, LEAVES[index], index, size, proof, ROOTS[size])


@given(data=st.data(), size=st.integers(1, 199), bit=st.integers(0, 255))
def test_another_leaf_index_or_root_is_refused(data: st.DataObject, size: int, bit: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-1, size + 1).filter(lambda other: other != index))
    leaf, root, proof = LEAVES[index], ROOTS[size], inclusion_proof(index, size, SUBTREE)
    assert not holds(verify_inclusion, leaf, other, size, proof, root)
    assert not holds(verify_inclusion, flipped(leaf, bit), index, size, proof, root)
    assert not holds(verify_inclusion, leaf[:-1], index, size, proof, root)
    assert not holds(verify_inclusion, leaf, index, size, proof, flipped(root, bit))


@given(data=st.data(), size=st.integers(1, 199), other=st.integers(0, 199))
def test_a_proof_for_another_size_is_refused(data: st.DataObject, size: int, other: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, SUBTREE)
    if other != size:
        assert not holds(verify_inclusion, LEAVES[index], index, other, proof, ROOTS[other])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (6, 5), (-1, 5), (2**64 - 1, 8)])
def test_a_leaf_beyond_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"no leaf {index}"):
        inclusion_proof(index, size, SUBTREE)
    with pytest.raises(ProofInvalid, match=f"no leaf {index}"):
        verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@given(data=st.data(), new=st.integers(1, 199))
def test_an_altered_consistency_proof_is_refused(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    proof = data.draw(altered(consistency_proof(old, new, SUBTREE)))
    assert not holds(verify_consistency, old, new, proof, ROOTS[old], ROOTS[new])


@given(data=st.data(), new=st.integers(2, 199), bit=st.integers(0, 255))
def test_another_size_or_root_is_refused(data: st.DataObject, new: int, bit: int) -> None:
    old = data.draw(st.integers(1, new - 1))
    proof, was, now = consistency_proof(old, new, SUBTREE), ROOTS[old], ROOTS[new]
    assert not holds(verify_consistency, old, new, proof, flipped(was, bit), now)
    assert not holds(verify_consistency, old, new, proof, was, flipped(now, bit))
    assert not holds(verify_consistency, old, new, proof, now, was)
    assert not holds(verify_consistency, new, old, proof, now, was)
    assert not holds(verify_consistency, old - 1, new, proof, ROOTS[old - 1], now)
    assert not holds(verify_consistency, old, new - 1, proof, was, ROOTS[new - 1])


@given(data=st.data(), new=st.integers(2, 70))
def test_a_rewritten_history_has_no_valid_consistency_proof(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new - 1))
    at = data.draw(st.integers(0, old - 1))
    rewritten = [*LEAVES[:at], bytes(32), *LEAVES[at + 1 :]]
    proof = consistency_proof(old, new, reading(rewritten))
    assert not holds(verify_consistency, old, new, proof, ROOTS[old], mth(rewritten[:new]))


def test_every_tree_continues_the_empty_tree_whose_root_is_fixed() -> None:
    assert consistency_proof(0, 5, SUBTREE) == []
    verify_consistency(0, 5, [], EMPTY_ROOT, ROOTS[5])
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert not holds(verify_consistency, 0, 5, [], bytes(32), ROOTS[5])
    assert not holds(verify_consistency, 0, 0, [], bytes(32), bytes(32))
    assert not holds(verify_consistency, 0, 5, [ROOTS[5]], EMPTY_ROOT, ROOTS[5])
    assert not holds(verify_consistency, -1, 5, [], EMPTY_ROOT, ROOTS[5])


def test_a_tree_does_not_begin_with_a_larger_one() -> None:
    with pytest.raises(ValueError, match="does not begin"):
        consistency_proof(6, 5, SUBTREE)
