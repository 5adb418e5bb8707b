"""Reading a stretch of positions: each row against its entry, the leaves against their tiles.

What a stretch comes to is small, and can be joined to what came before it: the hashes of its full
tiles, the frontier where a root is wanted, a digest of whose commands its entries are. It begins at
a multiple of its length, so that its tree is a subtree of the log's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.merkle.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.persistence.columns import COLUMNS
from ledger.persistence.raw_rows import BESIDE, PAGE, Row, StoredRows
from ledger.verification.findings import Findings
from ledger.verification.row_patterns import Shapes

Judge = Callable[[Row, bytes, int, str], list[str]]
"""(a row, its entry, the position before it, the recorded time before it) → what is wrong with it.
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """The leaves [first, last): the rows that follow on position `after`. Of `sizes` between them
    the frontiers are wanted.

    `before` is the position that the first one must follow on; `recorded_at` the recorded time
    before, which is looked up where it is None.
    """

    first: int
    last: int
    after: int
    before: int
    recorded_at: str | None = None
    sizes: tuple[int, ...] = ()


@dataclass(slots=True)
class Stretch:
    """What it comes to. All of it can be written as JSON."""

    size: int = 0
    position: int = 0
    """The last."""
    recorded_at: str = ""
    tiles: list[str] = field(default_factory=list)
    """The root of each full tile of leaves."""
    edge: str = ""
    """The leaves of the last tile, if it is not full: it may grow while this is read."""
    frontiers: dict[str, list[str]] = field(default_factory=dict)
    """By size, of the whole log; of the stretch's own leaves."""
    commands: str = ""
    """A digest of the entries' command ids, in order."""
    found: Findings = field(default_factory=Findings)


def digest_of_command_ids(command_ids: list[str | None]) -> str:
    """The same for the same ids in the same order, and for no others."""
    return sha256(json.dumps(command_ids).encode()).hexdigest()


class StretchReader:
    """Reads stretches of a ledger, of which `judge` says what is wrong with a row. Good rows of a
    known shape are never shown to it.
    """

    def __init__(
        self, rows: StoredRows, judge: Judge, patterns: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """`patterns` are those of another reader of the same database."""
        self._rows = rows
        self._judge = judge
        self._shapes = Shapes(patterns, comma=rows.comma)

    @property
    def patterns(self) -> Mapping[str, Sequence[str]]:
        """Of the shapes that it has learned."""
        return self._shapes.patterns

    def read(self, asked: Asked) -> Stretch:
        """Read it. It is shorter than asked for where the table is."""
        recorded_at = asked.recorded_at
        if recorded_at is None:
            recorded_at = self._rows.recorded_before(asked.after)
        done = Stretch(position=asked.before, recorded_at=recorded_at)
        after = asked.after
        tree, leaves = Frontier(), list[bytes]()
        commands: list[str | None] = []
        wanted = sorted({*asked.sizes, asked.last})
        while asked.first + done.size < asked.last:
            rows = self._rows.page(after, min(PAGE, asked.last - asked.first - done.size))
            if not rows:
                break
            after = rows[-1][0]
            page = self._leaves(rows, done, commands)
            self._grow(tree, page, asked.first, wanted, done)
            leaves += page
            leaves = self._compare(leaves, asked.first + done.size, done)
        done.edge = b"".join(leaves).hex()
        done.frontiers[str(asked.first + done.size)] = [each.hex() for each in tree.hashes]
        done.commands = digest_of_command_ids(commands)
        return done

    # -- rows ------------------------------------------------------------------------------------

    def _leaves(
        self, rows: Sequence[tuple[int, str, str]], done: Stretch, commands: list[str | None]
    ) -> list[bytes]:
        """The leaves of a page. All that stands in this loop is done for each entry."""
        leaves = []
        before, latest, matches = done.position, done.recorded_at, self._shapes.matches
        for position, topic, text in rows:
            if position == before + 1:
                found = None
                for match in matches(topic, is_ascii=text.isascii()):
                    if found := match(text):
                        break
                if found is not None:
                    entry, recorded_at, command_id = found.group(1, "recorded_at", "command_id")
                    if recorded_at >= latest:
                        before, latest = position, recorded_at
                        commands.append(command_id)
                        leaves.append(leaf_hash(entry.encode()))
                        continue
            done.position, done.recorded_at = before, latest
            leaves.append(self._look_in_full(position, done, commands))
            before, latest = done.position, done.recorded_at
        done.position, done.recorded_at = before, latest
        return leaves

    def _look_in_full(self, position: int, done: Stretch, commands: list[str | None]) -> bytes:
        row = self._rows.row(position)
        text, recorded_at, command_id = row[_ENTRY], row[_RECORDED_AT], row[_COMMAND_ID]
        entry = bytes_of(text)
        wrong = self._judge(row, entry, done.position, done.recorded_at)
        for what in wrong:
            done.found.add(f"position {position}", what)
        if not wrong:
            self._shapes.learn(text, BESIDE, row[_TYPE])
        if isinstance(recorded_at, str):
            done.recorded_at = recorded_at
        commands.append(command_id if isinstance(command_id, str) else None)
        done.position = position
        return leaf_hash(entry)

    def learn(self, positions: Iterable[int]) -> None:
        """Look at some rows in full beforehand, so that their shapes are known to all readers."""
        for position in positions:
            row = self._rows.row(position)
            if row and isinstance(row[_ENTRY], str):
                before = row[_RECORDED_AT] if isinstance(row[_RECORDED_AT], str) else ""
                if not self._judge(row, bytes_of(row[_ENTRY]), position - 1, before):
                    self._shapes.learn(row[_ENTRY], BESIDE, row[_TYPE])

    # -- the tree --------------------------------------------------------------------------------

    def _grow(
        self, tree: Frontier, page: list[bytes], first: int, wanted: list[int], done: Stretch
    ) -> None:
        """Let the stretch's own tree grow, and stop at the sizes that are wanted."""
        while page:
            size = first + done.size
            until = next((s - size for s in wanted if s > size), len(page))
            part, page = page[:until], page[until:]
            grown = tree.extend(part)
            done.tiles += [
                each.hex() for row in grown[TILE_HEIGHT : TILE_HEIGHT + 1] for each in row
            ]
            done.size += len(part)
            if first + done.size in wanted:
                done.frontiers[str(first + done.size)] = [each.hex() for each in tree.hashes]

    def _compare(self, leaves: list[bytes], size: int, done: Stretch) -> list[bytes]:
        """Hold the full tiles among the leaves, which end at `size`, against the stored ones."""
        full = len(leaves) // TILE_WIDTH * TILE_WIDTH
        first = (size - len(leaves)) // TILE_WIDTH
        for index, at in enumerate(range(0, full, TILE_WIDTH), first):
            tile = leaves[at : at + TILE_WIDTH]
            check_tile(self._rows, Tile(0, index, b"".join(tile)), done.found)
        return leaves[full:]


_ENTRY, _TYPE, _RECORDED_AT, _COMMAND_ID = map(
    COLUMNS.index, ("entry", "type", "recorded_at", "command_id")
)


def bytes_of(stored: object) -> bytes:
    """Those that stand in the place of a text."""
    return stored if isinstance(stored, bytes) else str(stored).encode(errors="surrogateescape")


def check_tile(rows: StoredRows, tile: Tile, found: Findings) -> None:
    """Hold the stored tile in the place of this one against it."""
    stored = rows.tile(tile.level, tile.index)
    if stored != tile.data:
        what = "is missing" if stored is None else "is not the one of the entries"
        found.add(tile.path, f"the stored tile {what}")
