"""Reading a stretch of positions: each row against its entry, the leaves against their tiles.

What a stretch comes to is small, and can be joined to what came before it: the hashes of its full
tiles, the frontier where a root is wanted, a digest of whose commands its entries are. It begins at
a multiple of its length, so that its tree is a subtree of the log's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from ledger.merkle.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.shapes import Shapes

PAGE: Final = 2_560
"""Ten tiles of leaves."""
FINDINGS_MAX: Final = 100
"""How many are kept; all are counted."""

_JSON_TAKES_BYTES: Final = sqlite3.sqlite_version_info >= (3, 45)
"""Those that are JSON in its own binary form (JSONB) look like the text then."""

Row = Sequence[Any]
Judge = Callable[[Row, bytes, int, str], list[str]]
"""(a row of all columns, its entry, the position before it, the recorded time before it) → what is
wrong with it."""


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
    found: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def find(self, place: str, what: str) -> None:
        self.count += 1
        if len(self.found) < FINDINGS_MAX:
            self.found.append((place, what))


def digest_of(command_ids: list[str | None]) -> str:
    """The same for the same ids in the same order, and for no others."""
    return sha256(json.dumps(command_ids).encode()).hexdigest()


class StretchReader:
    """Reads stretches of a SQLite ledger, in the transaction that its connection is in.

    `columns` are those that a row is judged by, `judge` says what is wrong with one. Good rows of a
    known shape are never shown to it.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        columns: Sequence[str],
        judge: Judge,
        shapes: Shapes,
    ) -> None:
        self._connection = connection
        self._judge = judge
        self._shapes = shapes
        self._names = tuple(columns)
        self._beside = tuple(name for name in columns if name not in {"position", "entry"})
        self._quickly = quick_select(self._beside)
        self._in_full = f"SELECT {', '.join(columns)} FROM events WHERE position = ?"  # noqa: S608
        self._entry_at, self._type_at, self._time_at, self._command_at = map(
            self._names.index, ("entry", "type", "recorded_at", "command_id")
        )

    @property
    def patterns(self) -> Mapping[str, list[str]]:
        """Of the shapes that it has learned."""
        return self._shapes.patterns

    def read(self, asked: Asked) -> Stretch:
        """Read it. It is shorter than asked for where the table is."""
        recorded_at = asked.recorded_at
        if recorded_at is None:
            recorded_at = self._recorded_before(asked.after)
        done = Stretch(position=asked.before, recorded_at=recorded_at)
        after = asked.after
        tree, leaves = Frontier(), list[bytes]()
        commands: list[str | None] = []
        wanted = sorted({*asked.sizes, asked.last})
        while asked.first + done.size < asked.last:
            rows = self._page(after, min(PAGE, asked.last - asked.first - done.size))
            if not rows:
                break
            after = rows[-1][0]
            page = self._leaves(rows, done, commands)
            self._grow(tree, page, asked.first, wanted, done)
            leaves += page
            leaves = self._compare(leaves, asked.first + done.size, done)
        done.edge = b"".join(leaves).hex()
        done.frontiers[str(asked.first + done.size)] = [each.hex() for each in tree.hashes]
        done.commands = digest_of(commands)
        return done

    # -- rows ------------------------------------------------------------------------------------

    def _page(self, after: int, count: int) -> list[tuple[int, str, str]]:
        """Position, topic, and the text that a shape matches; empty where it cannot be had."""
        try:
            return self._connection.execute(self._quickly, (after, count)).fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
                raise
            # A text is no UTF-8, or bytes stand where a text should.
            return self._connection.execute(
                "SELECT position, '', '' FROM events WHERE position > ? ORDER BY position LIMIT ?",
                (after, count),
            ).fetchall()

    def _leaves(
        self, rows: list[tuple[int, str, str]], done: Stretch, commands: list[str | None]
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
        row = self._row(position)
        text = row[self._entry_at]
        entry = text if isinstance(text, bytes) else str(text).encode(errors="surrogateescape")
        wrong = self._judge(row, entry, done.position, done.recorded_at)
        for what in wrong:
            done.find(f"position {position}", what)
        if not wrong:
            self._shapes.learn(text, self._beside, row[self._type_at])
        if isinstance(row[self._time_at], str):
            done.recorded_at = row[self._time_at]
        command_id = row[self._command_at]
        commands.append(command_id if isinstance(command_id, str) else None)
        done.position = position
        return leaf_hash(entry)

    def _row(self, position: int) -> Row:
        """All columns; a text that is no UTF-8 is read so that it can be told. Empty if there is
        none.
        """
        self._connection.text_factory = _with_surrogates
        try:
            row: Row = self._connection.execute(self._in_full, (position,)).fetchone() or ()
        finally:
            self._connection.text_factory = str
        return row

    def _recorded_before(self, position: int) -> str:
        row = self._connection.execute(
            "SELECT CAST(recorded_at AS BLOB) FROM events WHERE position <= ? AND "
            "typeof(recorded_at) = 'text' ORDER BY position DESC LIMIT 1",
            (position,),
        ).fetchone()
        return _with_surrogates(row[0]) if row else ""

    def learn(self, positions: Iterable[int]) -> None:
        """Look at some rows in full beforehand, so that their shapes are known to all readers."""
        for position in positions:
            row = self._row(position)
            if row and isinstance(row[self._entry_at], str):
                before = row[self._time_at] if isinstance(row[self._time_at], str) else ""
                entry = row[self._entry_at].encode(errors="surrogateescape")
                if not self._judge(row, entry, position - 1, before):
                    self._shapes.learn(row[self._entry_at], self._beside, row[self._type_at])

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
            for what in wrong_tile(self._connection, Tile(0, index, b"".join(tile))):
                done.find(*what)
        return leaves[full:]


def wrong_tile(connection: sqlite3.Connection, tile: Tile) -> Iterator[tuple[str, str]]:
    """What is wrong with the stored tile in the place of this one, and where."""
    row = connection.execute(
        "SELECT data FROM tiles WHERE level = ? AND tile = ?", (tile.level, tile.index)
    ).fetchone()
    if row is None or row[0] != tile.data:
        said = "is missing" if row is None or row[0] is None else "is not the one of the entries"
        yield tile.path, f"the stored tile {said}"


def quick_select(columns: Sequence[str], *, json_takes_bytes: bool = _JSON_TAKES_BYTES) -> str:
    """Entry and columns as one text; empty if bytes stand where a text should: they are greater
    than any text. (An older SQLite fails.)
    """
    text = f"entry || json_array(typeof(entry), {', '.join(columns)})"
    if json_takes_bytes:
        texts = " AND ".join(f"{name} < x''" for name in columns)
        text = f"CASE WHEN ({texts}) IS NOT 0 THEN {text} END"
    return (
        f"SELECT position, topic, ifnull({text}, '') "  # noqa: S608
        "FROM events WHERE position > ? ORDER BY position LIMIT ?"
    )


def _with_surrogates(text: bytes) -> str:
    return text.decode(errors="surrogateescape")
