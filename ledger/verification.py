"""Holds every stored byte against the log: entries, columns, versions, tiles, root, signature.

Nothing that the ledger says of itself is believed but what follows from the entries' own bytes. It
goes on after the first thing that it finds, and says what it did not look at.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ledger.entry_check import COLUMNS, faults
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tiles import TILE_WIDTH, Tile, append, tiles_between
from ledger.merkle.tree import EMPTY_ROOT, Frontier, fold
from ledger.persistence.failures import told_clearly
from ledger.shapes import Shapes
from ledger.side_by_side import ProcessLost, Readers, opened
from ledger.stretch import FINDINGS_MAX, Asked, Stretch, StretchReader, wrong_tile
from ledger.tables_check import Tables, check_tables, unnamed

STRETCH: Final = 16_384
"""How many entries are read at a time: a power of two, so that they are a subtree of the log."""
ALONE_MAX: Final = 4
"""As many stretches are read by this process before starting others has paid for itself."""
SAMPLE: Final = 2_000
"""Of as many rows the shapes are learned before the other processes are told of them."""
_BEFORE_ALL: Final = -(2**63)

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written, and where."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(slots=True)
class Verification:
    """What was read and found. `roots` are those of the sizes that were asked for."""

    size: int = 0
    of_the_whole: list[Finding] = field(default_factory=list)
    of_parts: list[Finding] = field(default_factory=list)
    """The first FINDINGS_MAX."""
    count: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        return self.of_the_whole + self.of_parts

    def found(self, found: Iterable[tuple[str, str]], count: int = 0) -> None:
        """Something about positions, tiles, streams; `count`, if these are only the first."""
        for place, what in found:
            self.count += 1
            count -= 1
            if len(self.of_parts) < FINDINGS_MAX:
                self.of_parts.append(Finding(place, what))
        self.count += max(0, count)

    def judge(self, about: str, what: str) -> None:
        """Something about the log as a whole."""
        self.count += 1
        self.of_the_whole.append(Finding(about, what))

    def hold(self, about: str, checkpoint: Checkpoint) -> None:
        """The log must begin with what a checkpoint says."""
        if checkpoint.size > self.size:
            self.judge(
                about,
                f"the log has {self.size} entries, and had {checkpoint.size}: an older copy was "
                "put in its place, or its end was cut off",
            )
        elif self.roots[checkpoint.size] != checkpoint.root:
            self.judge(
                about,
                f"the first {checkpoint.size} entries are not those that it was made over: one was "
                "altered, taken out, put in or moved",
            )


def processors() -> int:
    """How many processes may run at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def verify_entries(
    path: Path,
    sizes: Iterable[int] = (),
    on_progress: OnProgress = lambda *_: None,
    *,
    jobs: int | None = None,
    indexes: bool = False,
    stretch: int = STRETCH,
) -> Verification:
    """Read all of a ledger's file, as it is now; memory does not grow with its size.

    `sizes`: of how many first entries the roots are wanted. `jobs`: how many processes read it,
    as many as there are processors if None; a short one is read by this one alone. `indexes`: hold
    them, too, against their tables. Raises StoreUnavailable.
    """
    wanted = sorted(set(sizes))
    with told_clearly(str(path)), closing(opened(path)) as connection:
        reading = _Reading(path, connection, wanted, on_progress, stretch, indexes=indexes)
        jobs = processors() if jobs is None else jobs
        if jobs > 1 and reading.last > ALONE_MAX * stretch and reading.is_dense():
            try:
                return reading.side_by_side(jobs)
            except (ProcessLost, OSError):
                pass  # What one process cannot read is told by this one, which reads all again.
        return _Reading(path, connection, wanted, on_progress, stretch, indexes=indexes).alone()


class _Reading:
    """One pass over the file: stretches are read, and joined in the order of their positions."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        sizes: Sequence[int],
        on_progress: OnProgress,
        stretch: int,
        *,
        indexes: bool,
    ) -> None:
        self._indexes = indexes
        self._path = path
        self._connection = connection
        self._on_progress = on_progress
        self._sizes = tuple(size for size in sizes if size)
        self._stretch = stretch
        self._done = Verification(roots={0: EMPTY_ROOT})
        self._above = Frontier()
        """The tree over the full tiles of leaves, each of which is a leaf of it."""
        self._edges: dict[tuple[int, int], bytes] = {}
        """The tiles that are not full yet."""
        self._digests: list[str] = []
        self.last: int = self._value("SELECT max(position) FROM events") or 0
        self._reader = StretchReader(connection, COLUMNS, faults, Shapes())

    def is_dense(self) -> bool:
        """Whether the first position is 1. That none is left out each stretch shows."""
        return bool(self._value("SELECT min(position) FROM events") == 1)

    # -- reading ---------------------------------------------------------------------------------

    def alone(self) -> Verification:
        """Read it here, whatever positions there are."""
        count = self._value("SELECT count(*) FROM events")
        asked = Asked(0, self._stretch, _BEFORE_ALL, 0, "", self._sizes)
        is_whole = True
        while is_whole:
            read = self._reader.read(asked)
            self._join(read, asked, count)
            is_whole = read.size == self._stretch
            after = asked.after if not read.size else read.position
            first = asked.first + self._stretch
            asked = replace(
                asked,
                first=first,
                last=first + self._stretch,
                after=after,
                before=read.position,
                recorded_at=read.recorded_at,
            )
        is_dense = self._done.size == self.last and self.is_dense()
        tables = self._tables(self._connection, self._stretch if is_dense else 0)
        return self._conclude(tables, is_dense=is_dense)

    def side_by_side(self, jobs: int) -> Verification:
        """Have it read by other processes. Raises ProcessLost, also if positions have gaps."""
        with ExitStack() as stack:
            readers = stack.enter_context(Readers(jobs))
            self._reader.learn(range(1, self.last, -(-self.last // SAMPLE)))
            readers.begin(self._path, COLUMNS, self._reader.patterns)
            beside = stack.enter_context(ThreadPoolExecutor(1))
            tables = beside.submit(self._tables_beside)
            for asked, read in zip(self._asks(), readers.read(self._asks()), strict=True):
                if (read.size, read.position) != (asked.last - asked.first, asked.last):
                    raise ProcessLost
                self._join(read, asked, self.last)
            return self._conclude(tables.result(), is_dense=True)

    def _asks(self) -> Iterator[Asked]:
        for first in range(0, self.last, self._stretch):
            last = min(first + self._stretch, self.last)
            sizes = tuple(size for size in self._sizes if first < size <= last)
            yield Asked(first, last, first, first, sizes=sizes)

    def _tables_beside(self) -> Tables:
        with closing(opened(self._path)) as connection:
            return self._tables(connection, self._stretch)

    def _tables(self, connection: sqlite3.Connection, stretch: int) -> Tables:
        return check_tables(connection, self.last, stretch, indexes=self._indexes)

    # -- joining ---------------------------------------------------------------------------------

    def _join(self, read: Stretch, asked: Asked, in_all: int) -> None:
        """Take in a stretch: what was found, its tiles, and the roots within it."""
        done = self._done
        done.found(read.found, read.count)
        done.size += read.size
        for size in self._sizes:
            if asked.first < size <= done.size:
                own = map(bytes.fromhex, read.frontiers[str(size)])
                done.roots[size] = fold([*self._above.hashes, *own])
        for tile in append(
            self._above,
            map(bytes.fromhex, read.tiles),
            lambda level, index, _: self._edges[level + 1, index],
        ):
            self._edges[tile.level + 1, tile.index] = tile.data
            if tile.width == TILE_WIDTH:
                full = Tile(tile.level + 1, tile.index, tile.data)
                del self._edges[full.level, full.index]
                done.found(wrong_tile(self._connection, full))
        if read.edge:
            self._edges[0, done.size // TILE_WIDTH] = bytes.fromhex(read.edge)
        self._digests.append(read.commands)
        self._on_progress("entries", done.size, in_all)

    def _conclude(self, tables: Tables, *, is_dense: bool) -> Verification:
        done = self._done
        for place, data in sorted(self._edges.items()):
            done.found(wrong_tile(self._connection, Tile(*place, data)))
        self._surplus()
        done.found(tables.versions)
        done.found(tables.commands)
        if tables.reached != done.size:
            what = f"they end at position {tables.reached}, not {done.size}"
            done.found([("commands", what)])
        done.found(self._unnamed(tables.digests, is_dense=is_dense))
        done.found(tables.subjects)
        done.found(tables.indexes)
        return done

    def _surplus(self) -> None:
        expected = sum(1 for _ in tiles_between(0, self._done.size))
        stored = self._value("SELECT count(*) FROM tiles")
        if stored > expected:
            what = f"there are {stored}, and {expected} in a log of {self._done.size} entries"
            self._done.found([("tiles", what)])

    def _unnamed(self, digests: list[str], *, is_dense: bool) -> Iterator[tuple[str, str]]:
        """Entries of no command; looked for where the ids are not those of the commands."""
        if not is_dense:
            yield from unnamed(self._connection, _BEFORE_ALL, self.last)
            return
        for index, digest in enumerate(self._digests):
            if digests[index : index + 1] != [digest]:
                first = index * self._stretch
                yield from unnamed(self._connection, first + 1, first + self._stretch)

    def _value(self, statement: str, *params: Any) -> Any:
        row = self._connection.execute(statement, params).fetchone()
        return None if row is None else row[0]
