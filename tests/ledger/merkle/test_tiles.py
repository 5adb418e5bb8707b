"""Tiles and bundles: as in c2sp.org/tlog-tiles, in whichever steps the log grew."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.invalid import TileInvalid
from ledger.merkle.proofs import inclusion_proof, verify_inclusion
from ledger.merkle.tiles import (
    ENTRY_BYTES_MAX,
    Tile,
    TileHashes,
    append,
    decode_bundle,
    encode_bundle,
    entries_path,
    tile_path,
    tile_width,
    tiles_between,
)
from ledger.merkle.tree import Frontier, frontier_of
from tests.ledger.merkle.trees import LEAVES, leaves, mth, reading

MANY = leaves(70_000)


class Log:
    """Tiles in a dictionary; a partial tile is overwritten when it grows."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.read: list[tuple[int, int, int]] = []

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        self.read.append((level, index, width))
        return self.tiles[level, index]

    def append(self, hashes: Iterable[bytes]) -> list[Tile]:
        grown = append(self.frontier, hashes, self.read_tile)
        self.tiles.update({(tile.level, tile.index): tile.data for tile in grown})
        return grown

    def hashes(self, size: int | None = None) -> TileHashes:
        return TileHashes(self.frontier.size if size is None else size, self.read_tile)


def log_of(hashes: Iterable[bytes]) -> Log:
    log = Log()
    log.append(hashes)
    return log


FULL = log_of(MANY)


# -- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "000"),
        (1234067, 256, "x001/x234/067"),
        (1234067, 8, "x001/x234/067.p/8"),
        (273, 112, "273.p/112"),
        (999, 255, "999.p/255"),
        (1000, 1, "x001/000.p/1"),
        (10**9, 256, "x001/x000/x000/000"),
    ],
)
def test_an_index_is_written_in_groups_of_three_digits(index: int, width: int, path: str) -> None:
    assert tile_path(3, index, width) == f"tile/3/{path}"
    assert entries_path(index, width) == f"tile/entries/{path}"


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_tile_that_cannot_exist_has_no_path(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="tile"):
        tile_path(level, index, width)


def test_the_example_of_the_specification_has_the_tiles_listed_there() -> None:
    tiles = list(tiles_between(0, 70_000))
    assert [tile for tile in tiles if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert [tile for tile in tiles if tile[2] == 256] == [(0, n, 256) for n in range(273)] + [
        (1, 0, 256)
    ]
    assert list(tiles_between(0, 256)) == [(0, 0, 256), (1, 0, 1)]


@given(old=st.integers(0, 200_000), added=st.integers(0, 70_000))
def test_the_tiles_that_grow_are_those_that_are_wider_afterwards(old: int, added: int) -> None:
    new = old + added
    growing = list(tiles_between(old, new))
    assert all(tile_width(level, index, old) < width for level, index, width in growing)
    assert all(tile_width(level, index, new) == width for level, index, width in growing)
    for level in range(4):
        hashes = (new >> 8 * level) - (old >> 8 * level)
        widths = [width - tile_width(level, n, old) for at, n, width in growing if at == level]
        assert sum(widths) == hashes


# -- growing -------------------------------------------------------------------------------------


def test_a_tile_holds_the_hashes_that_the_specification_says() -> None:
    subtree = reading(MANY)
    for level, index, width in tiles_between(0, len(MANY)):
        if level or index in {0, 1, 272, 273}:
            hashes = [subtree(8 * level, 256 * index + each) for each in range(width)]
            assert FULL.tiles[level, index] == b"".join(hashes)
    assert set(FULL.tiles) == {(level, index) for level, index, _ in tiles_between(0, 70_000)}


@given(batches=st.lists(st.integers(0, 700), min_size=1, max_size=8))
def test_tiles_are_the_same_whether_the_log_grew_slowly_or_at_once(batches: list[int]) -> None:
    log, size = Log(), 0
    for batch in batches:
        grown = log.append(MANY[size : size + batch])
        assert [(tile.level, tile.index, tile.width) for tile in grown] == list(
            tiles_between(size, size + batch)
        )
        size += batch
    at_once = log_of(MANY[:size])
    assert log.tiles == at_once.tiles
    assert log.frontier.root() == at_once.frontier.root()


@given(before=st.sampled_from([0, 255, 256, 511, 65_535, 65_536, 69_000]), added=st.integers(0, 9))
def test_only_partial_tiles_that_grow_are_read(before: int, added: int) -> None:
    log = log_of(MANY[:before])
    grown = log.append(MANY[before : before + added])
    assert log.read == [
        (tile.level, tile.index, width)
        for tile in grown
        if (width := tile_width(tile.level, tile.index, before))
    ]


def test_a_grown_tile_knows_its_path() -> None:
    assert [tile.path for tile in log_of(MANY[:257]).append(MANY[257:258])] == ["tile/0/001.p/2"]


@pytest.mark.parametrize("cut", [1, 32, 64])
def test_a_partial_tile_that_is_too_short_is_not_continued(cut: int) -> None:
    log = log_of(MANY[:2])
    log.tiles[0, 0] = log.tiles[0, 0][:-cut]
    with pytest.raises(TileInvalid, match=r"tile/0/000\.p/2 has"):
        log.append(MANY[2:3])


# -- reading -------------------------------------------------------------------------------------


@given(data=st.data(), size=st.integers(1, len(MANY)))
def test_any_complete_subtree_is_read_from_tiles_of_any_later_size(
    data: st.DataObject, size: int
) -> None:
    level = data.draw(st.integers(0, min(9, size.bit_length() - 1)))
    index = data.draw(st.integers(0, (size >> level) - 1))
    assert FULL.hashes(size)(level, index) == reading(MANY)(level, index)


@given(data=st.data(), size=st.integers(1, len(MANY)))
def test_a_proof_from_tiles_holds(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = FULL.hashes(size)
    root = frontier_of(size, hashes).root()
    verify_inclusion(MANY[index], index, size, inclusion_proof(index, size, hashes), root)


def test_the_root_read_from_tiles_is_the_recursive_one() -> None:
    for size in (1, 255, 256, 257, 1500):
        assert frontier_of(size, FULL.hashes(size)).root() == mth(LEAVES[:size])


def test_each_tile_is_read_once_for_a_proof() -> None:
    log = log_of(MANY[:66_000])
    inclusion_proof(12_345, 66_000, log.hashes())
    assert len(log.read) == len(set(log.read)) <= 5


@pytest.mark.parametrize(("level", "index"), [(0, 300), (8, 1), (1, 150), (-1, 0), (0, -1)])
def test_a_subtree_that_is_not_complete_is_not_read(level: int, index: int) -> None:
    with pytest.raises(ValueError, match="no complete subtree"):
        FULL.hashes(300)(level, index)


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(43 * 32), bytes(44 * 32 + 1), bytes(8224)])
def test_a_tile_of_another_length_is_refused(data: bytes) -> None:
    with pytest.raises(TileInvalid, match=r"tile/0/001\.p/44 has \d+ bytes, not 1408"):
        TileHashes(300, lambda *_: data)(0, 256)


# -- bundles -------------------------------------------------------------------------------------

entries = st.lists(st.binary(max_size=300), max_size=20)


@given(entries=entries)
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_a_bundle_has_each_entry_with_its_length_before_it() -> None:
    assert encode_bundle([b"abc", b"", b"d" * 258]) == b"\0\3abc\0\0\1\2" + b"d" * 258


@given(entries=entries, garbage=st.binary(min_size=1, max_size=3))
def test_a_bundle_with_bytes_after_its_end_is_refused(entries: list[bytes], garbage: bytes) -> None:
    with pytest.raises(TileInvalid, match="follow"):
        decode_bundle(encode_bundle(entries) + garbage, len(entries))


@given(data=st.data(), entries=entries.filter(bool))
def test_a_bundle_that_ends_early_is_refused(data: st.DataObject, entries: list[bytes]) -> None:
    bundle = encode_bundle(entries)
    cut = bundle[: data.draw(st.integers(0, len(bundle) - 1))]
    with pytest.raises(TileInvalid, match="ends within"):
        decode_bundle(cut, len(entries))


def test_a_bundle_holds_at_most_256_entries_of_65535_bytes() -> None:
    longest = b"x" * ENTRY_BYTES_MAX
    assert decode_bundle(encode_bundle([longest] * 256), 256) == [longest] * 256
    with pytest.raises(ValueError, match="256 entries, not 257"):
        encode_bundle([b""] * 257)
    with pytest.raises(ValueError, match="not 65536"):
        encode_bundle([longest + b"x"])
