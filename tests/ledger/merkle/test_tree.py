"""The tree is that of RFC 6962, in whichever steps it grew."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.tree import (
    EMPTY_ROOT,
    Frontier,
    first_difference,
    frontier_of,
    leaf_hash,
    node_hash,
    tree_root,
)
from tests.ledger.merkle.trees import LEAVES, mth, reading, sizes, small_sizes

# The eight entries of Certificate Transparency's own tests, and their root.
ENTRIES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOT = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")


def test_the_empty_tree_has_the_hash_of_no_bytes() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT == Frontier().root() == tree_root([])


def test_leaves_are_hashed_with_a_zero_byte_and_nodes_with_a_one_byte() -> None:
    assert leaf_hash(b"entry") == sha256(b"\x00entry").digest()
    assert node_hash(b"l" * 32, b"r" * 32) == sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


def test_the_tree_of_a_well_known_log_has_its_root() -> None:
    assert tree_root(map(leaf_hash, ENTRIES)) == ROOT


@pytest.mark.parametrize("size", small_sizes)
def test_the_root_of_any_size_is_the_recursive_one(size: int) -> None:
    assert tree_root(LEAVES[:size]) == mth(LEAVES[:size])


@given(batches=st.lists(st.integers(0, 300), max_size=5))
def test_a_frontier_has_the_recursive_root_after_every_batch(batches: list[int]) -> None:
    frontier, size = Frontier(), 0
    for batch in batches:
        frontier.extend(LEAVES[size : size + batch])
        size += batch
        assert frontier.size == size
        assert frontier.root() == mth(LEAVES[:size])


@given(before=st.integers(0, 700), added=st.integers(0, 700))
def test_extending_returns_the_subtrees_that_became_complete(before: int, added: int) -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:before])
    completed = frontier.extend(LEAVES[before : before + added])
    subtree = reading(LEAVES)
    for level, hashes in enumerate(completed):
        indexes = range(before >> level, (before + added) >> level)
        assert hashes == [subtree(level, index) for index in indexes]
    assert (before + added) >> len(completed) == before >> len(completed)


@given(size=sizes)
def test_a_frontier_can_be_made_from_the_tree_and_from_its_own_hashes(size: int) -> None:
    grown = Frontier()
    grown.extend(LEAVES[:size])
    read = frontier_of(size, reading(LEAVES))
    assert (read.size, read.hashes) == (grown.size, grown.hashes)
    assert Frontier(grown.size, grown.hashes).root() == grown.root()


def test_extending_a_copy_of_a_frontier_leaves_the_original() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    copy = frontier.copy()
    copy.extend(LEAVES[5:9])
    assert (frontier.root(), copy.root()) == (mth(LEAVES[:5]), mth(LEAVES[:9]))


@pytest.mark.parametrize(
    ("size", "hashes"),
    [(-1, []), (0, LEAVES[:1]), (3, LEAVES[:1]), (3, LEAVES[:3]), (1, [b"short"])],
)
def test_a_frontier_with_hashes_that_no_tree_has_is_refused(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"frontier of size|has 32 bytes"):
        Frontier(size, hashes)


@given(size=st.integers(0, 700), altered=st.sets(st.integers(0, 699), max_size=3))
def test_the_first_leaf_in_which_two_trees_differ_is_found_with_few_reads(
    size: int, altered: set[int]
) -> None:
    others = [
        leaf_hash(b"other") if index in altered else leaf
        for index, leaf in enumerate(LEAVES[:size])
    ]
    looks = 0

    def counted(level: int, index: int) -> bytes:
        nonlocal looks
        looks += 1
        return reading(LEAVES)(level, index)

    first = min((index for index in altered if index < size), default=None)
    assert first_difference(size, counted, reading(others)) == first
    assert looks <= 2 * size.bit_length()
