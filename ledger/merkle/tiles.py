"""Tiles and entry bundles, byte for byte as in c2sp.org/tlog-tiles (tile height 8).

    tile(L, N)     up to 256 hashes, 32 bytes each: those of the complete subtrees
                   (8·L, 256·N), (8·L, 256·N + 1), …
    entry bundle   up to 256 entries, each as its length and its bytes: uint16 big-endian ‖ entry

A tile or bundle of fewer than 256 is partial: it is the beginning of the full one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.merkle.invalid import TileInvalid
from ledger.merkle.tree import HASH_BYTES, Frontier, parents

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
ENTRY_BYTES_MAX: Final = 65_535
_LEVEL_MAX: Final = 63

ReadTile = Callable[[int, int, int], bytes]
"""(level, index, width) → a tile's bytes: `width` hashes, or more if it has grown since."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: its level, its index and its bytes."""

    level: int
    index: int
    data: bytes

    @property
    def width(self) -> int:
        return len(self.data) // HASH_BYTES

    @property
    def path(self) -> str:
        return tile_path(self.level, self.index, self.width)


# -- places --------------------------------------------------------------------------------------


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """`tile/0/x001/x234/067`; a partial tile ends in `.p/112`. Raises ValueError."""
    if not 0 <= level <= _LEVEL_MAX:
        raise ValueError(f"A tile's level is between 0 and {_LEVEL_MAX}, not {level}.")
    return f"tile/{level}/{_place(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """`tile/entries/x001/x234/067`; a partial bundle ends in `.p/112`."""
    return f"tile/entries/{_place(index, width)}"


def _place(index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= TILE_WIDTH:
        raise ValueError(f"There is no tile {index} of width {width}.")
    number, elements = divmod(index, 1000)
    path = f"{elements:03}"
    while number:
        number, elements = divmod(number, 1000)
        path = f"x{elements:03}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def tile_width(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of that size: 0 to 256."""
    hashes = size >> TILE_HEIGHT * level
    return max(0, min(TILE_WIDTH, hashes - TILE_WIDTH * index))


def tiles_between(old: int, new: int) -> Iterator[tuple[int, int, int]]:
    """(level, index, width) of each tile that grows when a tree of size `old` becomes `new`.

    If `old` is 0, these are all tiles of the tree.
    """
    level = 0
    while new:
        for index in range(old // TILE_WIDTH, -(-new // TILE_WIDTH) if new > old else 0):
            yield level, index, min(TILE_WIDTH, new - TILE_WIDTH * index)
        old, new, level = old >> TILE_HEIGHT, new >> TILE_HEIGHT, level + 1


# -- growing -------------------------------------------------------------------------------------


def append(frontier: Frontier, leaves: Iterable[bytes], read_tile: ReadTile) -> list[Tile]:
    """Append leaf hashes to the frontier, and return each tile that grew, as it is afterwards.

    Every hash of the tree is computed once. `read_tile` is called only for the partial tiles that
    grow, with their width before: once on most appends. Raises TileInvalid if such a tile is
    shorter; do not use the frontier afterwards, because it has grown.
    """
    size = frontier.size
    grown: list[Tile] = []
    for level, hashes in enumerate(frontier.extend(leaves)[::TILE_HEIGHT]):
        index, width = divmod(size >> TILE_HEIGHT * level, TILE_WIDTH)
        data = b"".join(hashes)
        if width:
            data = _read(read_tile, level, index, width) + data
        grown.extend(
            Tile(level, index + start // TILE_BYTES, data[start : start + TILE_BYTES])
            for start in range(0, len(data), TILE_BYTES)
        )
    return grown


class TileHashes:
    """Reads the hash of any complete subtree of a tree of one size from its tiles.

    It is a `SubtreeHash`. Each tile is read once. Its hashes are only as genuine as the tiles:
    compare the root that follows from them with a checkpoint.
    """

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self._size, self._read_tile = size, read_tile
        self._tiles: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Raises ValueError if the subtree is not complete, TileInvalid if its tile is short."""
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise ValueError(
                f"A tree of size {self._size} has no complete subtree {index} of level {level}."
            )
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, first = divmod(index << height, TILE_WIDTH)
        data = self._tile(tile_level, tile_index)
        start, end = first * HASH_BYTES, (first + (1 << height)) * HASH_BYTES
        row = [data[at : at + HASH_BYTES] for at in range(start, end, HASH_BYTES)]
        while len(row) > 1:
            row = parents(row)
        return row[0]

    def _tile(self, level: int, index: int) -> bytes:
        data = self._tiles.get((level, index))
        if data is None:
            data = _read(self._read_tile, level, index, tile_width(level, index, self._size))
            self._tiles[level, index] = data
        return data


def _read(read_tile: ReadTile, level: int, index: int, width: int) -> bytes:
    data = read_tile(level, index, width)
    if not width * HASH_BYTES <= len(data) <= TILE_BYTES or len(data) % HASH_BYTES:
        raise TileInvalid(
            f"{tile_path(level, index, width)} has {len(data)} bytes, not {width * HASH_BYTES}."
        )
    return data[: width * HASH_BYTES]


# -- entry bundles -------------------------------------------------------------------------------


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bundle of up to 256 entries. Raises ValueError if one is longer than 65,535 bytes."""
    if len(entries) > TILE_WIDTH:
        raise ValueError(f"A bundle holds {TILE_WIDTH} entries, not {len(entries)}.")
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise ValueError(f"An entry has {ENTRY_BYTES_MAX} bytes at most, not {len(entry)}.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The inverse of `encode_bundle`. Raises TileInvalid unless it has exactly `width` entries."""
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if not start <= at <= len(data):
            raise TileInvalid(f"The bundle ends within entry {len(entries)} of {width}.")
        entries.append(data[start:at])
    if at != len(data):
        raise TileInvalid(f"{len(data) - at} bytes follow the {width} entries of the bundle.")
    return entries
