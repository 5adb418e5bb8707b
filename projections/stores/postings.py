"""Posting lists of the trail: for each word of a filter, the positions of the entries that have it.

The history is divided into blocks. For each column and word, a row says at which places of a block
the word stands, so that conditions on several columns are intersections of sets of bits:

    postings         full blocks of 32,768 positions
    postings_recent  blocks of 1,024 positions, from the last full block on
    after them       less than 1,024 positions, which a question reads one by one

    block    0, 1, 2 …                       places  up to 256 places, 2 bytes each; or a bit for
    kind     the column                              each place of the block
    word     a value of it

A word that does not occur in a block has no row for it. No row changes once it is written, and
each block stands after the ones before, so that writing costs the same in a long history.
"""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from projections.dialect import Dialect
from projections.term import Term

KINDS: Final = (
    "type",
    "provider",
    "account",
    "region",
    "service",
    "agency",
    "policy",
    "feature",
    "outcome",
    "actor",
    "origin",
    "actor_established",
    "run_by",
)
"""The columns by which the trail is filtered, and of which near words are looked for."""
_SORTED: Final = tuple(sorted(KINDS))
_DIGITS: Final = bytes.maketrans(b"\0\1", b"01")
LISTED_MAX: Final = 256
BLOCKS_MAX: Final = 128
"""How many blocks one statement reads, at most."""


class Level(NamedTuple):
    """Blocks of one size."""

    table: str
    size: int

    def bits_of(self, places: bytes) -> int:
        """A set of places as a number, whose bit i is place i."""
        if len(places) == self.size // 8:
            return int.from_bytes(places, "little")
        bits = bytearray(self.size // 8)
        for place in _listed(places):
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    def stored(self, places: Sequence[int]) -> bytes:
        """How places are stored: as a list, or as bits where these take less or are many."""
        if len(places) * 2 < self.size // 8 and len(places) <= LISTED_MAX:
            return b"".join(place.to_bytes(2, "little") for place in places)
        marked = bytearray(self.size)
        for place in places:
            marked[place] = 1
        marked.reverse()  # A number in digits begins with its last bit.
        return int(marked.translate(_DIGITS), 2).to_bytes(self.size // 8, "little")


FULL: Final = Level("postings", 32_768)
RECENT: Final = Level("postings_recent", 1_024)


class Statements(Protocol):
    """The statements that posting lists need of a connection to the views."""

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any: ...
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...


# -- writing --------------------------------------------------------------------------------------


def tables(dialect: Dialect) -> tuple[str, ...]:
    """The tables: `full` and `until` are the last positions of full and of recent blocks."""
    columns = [("kind", "TEXT NOT NULL"), ("word", "TEXT NOT NULL"), ("block", "INTEGER NOT NULL")]
    columns.append(("places", "BLOB NOT NULL"))
    number = "INTEGER NOT NULL"
    return (
        *(dialect.table(each.table, columns, ["block", "kind", "word"]) for each in (FULL, RECENT)),
        dialect.table("posted", [("full_until", number), ("until", number)], ["until"]),
    )


def clear(connection: Statements) -> None:
    """Empty the posting lists."""
    for table in (FULL.table, RECENT.table, "posted"):
        connection.execute(f"DELETE FROM {table}")


def posted(connection: Statements) -> tuple[int, int]:
    """The last position of the full blocks, and the last one of all blocks."""
    row = connection.execute("SELECT full_until, until FROM posted").fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def extend(connection: Statements, last: int) -> None:
    """Write the blocks that the trail, which reaches to a position, has completed."""
    full, until = posted(connection)
    if last - until < RECENT.size:
        return
    if last - full >= FULL.size:
        full = until = _write(connection, FULL, full, last)
        connection.execute(f"DELETE FROM {RECENT.table}")
    until = _write(connection, RECENT, until, last)
    if until_before := posted(connection)[1]:
        connection.execute(
            "UPDATE posted SET full_until = ?, until = ? WHERE until = ?",
            (full, until, until_before),
        )
    else:
        connection.insert("posted", ("full_until", "until"), [(full, until)])


def compared(
    connection: Statements, last: int
) -> Iterator[tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]]:
    """How far the lists reach, and the rows of each block: as they are stored, and as they should
    be where the trail reaches to a position.
    """
    full, until = last // FULL.size * FULL.size, last // RECENT.size * RECENT.size
    yield [posted(connection)], [(full, until)]
    for level, first, end in ((FULL, 0, full), (RECENT, full, until)):
        yield _outside(connection, level, first, end), []
        for after in range(first, end, level.size):
            found = connection.execute(
                f"SELECT kind, word, block, places FROM {level.table} WHERE block = ? "
                "ORDER BY kind, word",
                (after // level.size,),
            )
            stored = [(*row[:3], bytes(row[3])) for row in found.fetchall()]
            yield stored, list(_block(connection, level, after))


def _outside(connection: Statements, level: Level, first: int, end: int) -> list[tuple[Any, ...]]:
    """The rows of blocks that do not lie after a first position and before an end."""
    found = connection.execute(
        f"SELECT kind, word, block, places FROM {level.table} WHERE block < ? OR block >= ? "
        "ORDER BY block, kind, word",
        (first // level.size, end // level.size),
    )
    return [(*row[:3], bytes(row[3])) for row in found.fetchall()]


def _write(connection: Statements, level: Level, after: int, last: int) -> int:
    """Write the blocks of one size that are complete; return their last position."""
    while last - after >= level.size:
        rows = _block(connection, level, after)
        connection.insert(level.table, ("kind", "word", "block", "places"), rows)
        after += level.size
    return after


def _block(connection: Statements, level: Level, after: int) -> Iterator[tuple[Any, ...]]:
    """The rows of the block that begins after a position: its place 0 is the next position."""
    found = connection.execute(
        f"SELECT position, {', '.join(_SORTED)} FROM trail WHERE position > ? AND position <= ? "
        "ORDER BY position",
        (after, after + level.size),
    ).fetchall()
    if not found:  # The entries of evidence are not all of a history.
        return
    numbers, *columns = zip(*found, strict=True)
    at = [number - after - 1 for number in numbers]
    for kind, words in zip(_SORTED, columns, strict=True):
        places: dict[str | None, list[int]] = defaultdict(list)
        for place, word in zip(at, words, strict=True):
            places[word].append(place)
        places.pop(None, None)
        for word in sorted(places, key=str):
            yield kind, word, after // level.size, level.stored(places[word])


def _listed(places: bytes) -> array[int]:
    found = array("H", places)
    if sys.byteorder == "big":
        found.byteswap()
    return found


# -- reading --------------------------------------------------------------------------------------


def positions(
    connection: Statements, terms: Sequence[Term], first: int, last: int, *, newest_first: bool
) -> Iterator[int]:
    """The positions between two, both included, at which all terms hold. At least one term is not
    negated, and `last` is at most the last one that is posted.
    """
    full, _ = posted(connection)
    spans = [(FULL, first, min(last, full)), (RECENT, max(first, full + 1), last)]
    for level, start, end in reversed(spans) if newest_first else spans:
        if start <= end:
            yield from _Search(connection, level, newest_first=newest_first)(terms, start, end)


def words(connection: Statements, kind: str) -> Iterator[str]:
    """The words that a column has in the blocks, sorted; some twice."""
    for level in (FULL, RECENT):
        found = connection.execute(
            f"SELECT DISTINCT word FROM {level.table} WHERE kind = ? ORDER BY word", (kind,)
        )
        for (word,) in found:
            yield word


class _Search:
    """Looks for positions in the blocks of one size, in one direction."""

    def __init__(self, connection: Statements, level: Level, *, newest_first: bool) -> None:
        self.connection, self.level, self.falls = connection, level, newest_first

    def __call__(self, terms: Sequence[Term], first: int, last: int) -> Iterator[int]:
        """The positions between two at which all terms hold, in order."""
        size = self.level.size
        blocks = (first - 1) // size, (last - 1) // size
        for block, found in self._intersection([_Blocks(self, term, blocks) for term in terms]):
            start = block * size + 1
            bits = found & ((1 << (last - start + 1)) - 1)
            if first > start:
                bits = bits >> (first - start) << (first - start)
            for place in _falling(bits) if self.falls else _rising(bits):
                yield start + place

    def _intersection(self, wanted: Sequence[_Blocks]) -> Iterator[tuple[int, int]]:
        """The blocks in which all terms may hold, and the places at which they do, in order."""
        holding = [each for each in wanted if not each.term.is_not]
        block = holding[0].first()
        while block is not None:
            found = [at for each in holding if (at := each.next_from(block)) is not None]
            if len(found) < len(holding):
                return
            furthest = min(found) if self.falls else max(found)
            if furthest == block:
                yield block, self._at(block, wanted)
                furthest += -1 if self.falls else 1
            block = holding[0].next_from(furthest)

    def _at(self, block: int, wanted: Sequence[_Blocks]) -> int:
        bits = (1 << self.level.size) - 1
        for each in wanted:
            bits &= ~each.bits(block) if each.term.is_not else each.bits(block)
        return bits


class _Blocks:
    """The blocks in which one term holds somewhere, one after the other."""

    def __init__(self, search: _Search, term: Term, blocks: tuple[int, int]) -> None:
        self.term, self._search = term, search
        self._rows = [self._read(word, *blocks) for word in term.words]
        self._heads = [next(each, None) for each in self._rows]

    def first(self) -> int | None:
        """The first block in the order of reading that is not passed yet; None if all are."""
        left = [head[0] for head in self._heads if head is not None]
        if not left:
            return None
        return max(left) if self._search.falls else min(left)

    def next_from(self, block: int) -> int | None:
        """The first block from one on; None if there are no more."""
        for index, rows in enumerate(self._rows):
            head = self._heads[index]
            while head and (head[0] > block if self._search.falls else head[0] < block):
                head = next(rows, None)
            self._heads[index] = head
        return self.first()

    def bits(self, block: int) -> int:
        """The places in a block at which one of the words stands."""
        self.next_from(block)
        found = 0
        for head in self._heads:
            if head is not None and head[0] == block:
                found |= self._search.level.bits_of(head[1])
        return found

    def _read(self, word: str, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """A word's blocks. The first blocks alone are often enough, so few are read at first."""
        numbers = range(last, first - 1, -1) if self._search.falls else range(first, last + 1)
        order = "DESC" if self._search.falls else "ASC"
        size, start = 2, 0
        while some := numbers[start : start + size]:
            found = self._search.connection.execute(
                f"SELECT block, places FROM {self._search.level.table} "
                f"WHERE block IN ({', '.join('?' * len(some))}) AND kind = ? AND word = ? "
                f"ORDER BY block {order}",
                (*some, self.term.kind, word),
            )
            yield from found.fetchall()
            start, size = start + size, min(size * 4, BLOCKS_MAX)


def _falling(bits: int) -> Iterator[int]:
    while bits:
        place = bits.bit_length() - 1
        yield place
        bits ^= 1 << place


def _rising(bits: int) -> Iterator[int]:
    while bits:
        least = bits & -bits
        yield least.bit_length() - 1
        bits ^= least
