"""Verifies one segment of positions: each row against its entry, leaves against stored tiles.

A segment's result is small, and can be joined with those of the segments before it: the hashes of
its full tiles, frontiers where roots are wanted, a digest of its entries' command ids. A segment
begins at a multiple of its size, so that its tree is a subtree of the log's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.documents import FIELDS
from ledger.merkle.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.persistence.columns import COLUMNS
from ledger.persistence.entry import command_id_of
from ledger.persistence.numbering import recorded_in
from ledger.persistence.raw_rows import PAGE, Row, StoredRows
from ledger.verification.findings import Findings
from ledger.verification.row_patterns import RowPatterns

CheckRow = Callable[[Row, bytes, int, str], list[str]]
"""(row, its entry, the position before it, the recorded time before it) → what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """Which segment to read: the leaves [first, last), in the rows after the position `after`.

    `before` is the position that the first row must follow; `recorded_at` the recorded time before
    it, which is looked up where it is None. For each of `sizes` that lies in the segment, the
    frontier is returned. `trusted`: its rows are only hashed, because they were checked in full
    before. `with_columns`: a digest of the columns that the hashes do not cover is wanted.
    """

    first: int
    last: int
    after: int
    before: int
    recorded_at: str | None = None
    sizes: tuple[int, ...] = ()
    trusted: bool = False
    with_columns: bool = False


@dataclass(slots=True)
class SegmentResult:
    """The content of a segment and its findings. All fields can be written as JSON."""

    size: int = 0
    position: int = 0
    """The position of its last row."""
    recorded_at: str = ""
    """The recorded time of its last row."""
    tiles: list[str] = field(default_factory=list)
    """The root of each full tile of leaves, in hexadecimal digits."""
    edge: str = ""
    """The leaves of the last tile if it is not full, in hexadecimal digits."""
    frontiers: dict[str, list[str]] = field(default_factory=dict)
    """By size of the whole log: the frontier of the segment's own leaves."""
    command_ids: str = ""
    """A digest of the entries' command ids, in order. Without meaning if the segment is trusted."""
    columns: str = ""
    """A digest of the rows' streams, versions and topics, if it was wanted."""
    documents: list[str] = field(default_factory=list)
    """The digests of the documents that its entries refer to."""
    erased_documents: list[str] = field(default_factory=list)
    """The digests of those that its entries erase."""
    found: Findings = field(default_factory=Findings)


def digest_of(values: list[Any]) -> str:
    """SHA-256 of a list, as hexadecimal digits: other values or types give another digest."""
    return sha256(json.dumps(values, default=_as_list).encode()).hexdigest()


def _as_list(value: object) -> list[str]:
    """Bytes, which JSON does not have. No column has a list."""
    return [repr(value)]


class SegmentReader:
    """Reads segments of one ledger.

    A row that matches a known pattern is good; any other is given to `check_row`, which returns
    what is wrong with it.
    """

    def __init__(
        self,
        rows: StoredRows,
        check_row: CheckRow,
        patterns: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`patterns` are those that another reader of the same database has learned."""
        self._rows = rows
        self._check_row = check_row
        self._patterns = RowPatterns(patterns)

    @property
    def patterns(self) -> Mapping[str, Sequence[str]]:
        """The patterns that it has learned, by topic."""
        return self._patterns.patterns

    def read(self, request: SegmentRequest) -> SegmentResult:
        """Read a segment. The result is shorter than requested where the table ends."""
        recorded_at = request.recorded_at
        if recorded_at is None:
            recorded_at = self._rows.recorded_before(request.after)
        done = SegmentResult(position=request.before, recorded_at=recorded_at)
        after = request.after
        tree, leaves = Frontier(), list[bytes]()
        command_ids: list[str | None] = []
        columns: list[Row] = []
        wanted = sorted({*request.sizes, request.last})
        while request.first + done.size < request.last:
            rows = self._rows.page(after, min(PAGE, request.last - request.first - done.size))
            if not rows:
                break
            after = rows[-1][0]
            page = self._hashed(rows, done) if request.trusted else []
            page = page or self._leaves(rows, done, command_ids)
            _note_documents(rows, done)
            if request.with_columns:
                columns += [row[1:4] for row in rows]
            self._grow(tree, page, request.first, wanted, done)
            leaves += page
            leaves = self._compare_tiles(leaves, request.first + done.size, done)
        done.edge = b"".join(leaves).hex()
        done.frontiers[str(request.first + done.size)] = [each.hex() for each in tree.hashes]
        done.command_ids = digest_of(command_ids)
        done.columns = digest_of(columns) if request.with_columns else ""
        return done

    # -- rows ------------------------------------------------------------------------------------

    def _hashed(self, rows: Sequence[Row], done: SegmentResult) -> list[bytes]:
        """The leaf hashes of a page that was checked in full before; none if a row is odd."""
        first = done.position + 1
        if [row[0] for row in rows] != list(range(first, first + len(rows))):
            return []
        try:
            leaves = [leaf_hash(row[_ENTRY].encode()) for row in rows]
        except (AttributeError, UnicodeEncodeError):  # It is not a text, or not of UTF-8.
            return []
        done.position += len(rows)
        done.recorded_at = recorded_in(stored_bytes(rows[-1][_ENTRY])) or done.recorded_at
        return leaves

    def _leaves(
        self, rows: Sequence[Row], done: SegmentResult, command_ids: list[str | None]
    ) -> list[bytes]:
        """The leaf hashes of a page. This loop runs once for each entry: keep it short."""
        leaves = []
        before, latest = done.position, done.recorded_at
        only_ascii, others = self._patterns.ascii, self._patterns.any
        for row in rows:
            position, stream, version, topic, entry = row
            if position == before + 1 and type(entry) is str:
                found = None
                for match, groups in (only_ascii if entry.isascii() else others)[topic]:  # noqa: B007
                    if found := match(entry):
                        break
                if found is not None:
                    command_id, recorded_at, its_stream, its_version = found.group(*groups)
                    if (
                        recorded_at >= latest
                        and stream == its_stream
                        and type(version) is int
                        and str(version) == its_version
                    ):
                        before, latest = position, recorded_at
                        command_ids.append(command_id)
                        leaves.append(leaf_hash(entry.encode()))
                        continue
            done.position, done.recorded_at = before, latest
            leaves.append(self._check_in_full(row, done, command_ids))
            before, latest = done.position, done.recorded_at
        done.position, done.recorded_at = before, latest
        return leaves

    def _check_in_full(self, row: Row, done: SegmentResult, command_ids: list[str | None]) -> bytes:
        """Check a row that matched no pattern, and learn its pattern if it is good."""
        position, text = row[0], row[_ENTRY]
        entry = stored_bytes(text)
        recorded_at = recorded_in(entry)
        wrong = self._check_row(row, entry, done.position, done.recorded_at)
        for what in wrong:
            done.found.add(f"position {position}", what)
        if not wrong:
            self._patterns.learn(text)
        if recorded_at is not None:
            done.recorded_at = recorded_at
        command_ids.append(command_id_of(entry))
        done.position = position
        return leaf_hash(entry)

    def learn(self, positions: Iterable[int]) -> None:
        """Check some rows in full beforehand, so that all readers know their patterns."""
        for position in positions:
            row = self._rows.row(position)
            if row and isinstance(row[_ENTRY], str):
                entry = stored_bytes(row[_ENTRY])
                if not self._check_row(row, entry, position - 1, recorded_in(entry) or ""):
                    self._patterns.learn(row[_ENTRY])

    # -- the tree --------------------------------------------------------------------------------

    def _grow(
        self, tree: Frontier, page: list[bytes], first: int, wanted: list[int], done: SegmentResult
    ) -> None:
        """Let the segment's own tree grow, and keep its frontier at each size that is wanted."""
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

    def _compare_tiles(self, leaves: list[bytes], size: int, done: SegmentResult) -> list[bytes]:
        """Compare the full tiles of the leaves, which end at `size`, with the stored tiles.

        Returns the leaves that fill no tile yet.
        """
        full = len(leaves) // TILE_WIDTH * TILE_WIDTH
        first = (size - len(leaves)) // TILE_WIDTH
        for index, at in enumerate(range(0, full, TILE_WIDTH), first):
            tile = leaves[at : at + TILE_WIDTH]
            compare_tile(self._rows, Tile(0, index, b"".join(tile)), done.found)
        return leaves[full:]


_ENTRY = COLUMNS.index("entry")


def _note_documents(rows: Sequence[Row], done: SegmentResult) -> None:
    """Note the digests of documents in entries. An entry that was altered is found elsewhere."""
    for row in rows:
        entry = row[_ENTRY]
        if type(entry) is not str or 'document":"' not in entry:
            continue
        try:
            fields = json.loads(entry)
        except ValueError:
            continue
        is_erasure = str(row[_TOPIC]).startswith(_ERASED)
        into = done.erased_documents if is_erasure else done.documents
        into += [each for name in FIELDS if isinstance(each := fields.get(name), str)]


_TOPIC = COLUMNS.index("topic")
_ERASED = "DocumentErased."


def stored_bytes(stored: object) -> bytes:
    """The bytes of a value that is stored where a text should be."""
    return stored if isinstance(stored, bytes) else str(stored).encode(errors="surrogateescape")


def compare_tile(rows: StoredRows, tile: Tile, found: Findings) -> None:
    """Compare the stored tile with the one that the entries give."""
    stored = rows.tile(tile.level, tile.index)
    if stored != tile.data:
        what = "is missing" if stored is None else "does not match the entries"
        found.add(tile.path, f"the stored tile {what}")
