"""Holds every stored byte against the log: entries, columns, versions, tiles, root, signature.

Nothing that the ledger says of itself is believed but what follows from the entries' own bytes. It
goes on after the first thing that it finds, and says what it did not look at.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from eventsourcing.persistence import PersistenceError

from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tiles import TILE_WIDTH, Tile, append, tiles_between
from ledger.merkle.tree import EMPTY_ROOT, Frontier, fold
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import Location, location_of
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import AnotherLedger, StoredRows
from ledger.verification.findings import FINDINGS_MAX, Findings
from ledger.verification.row_check import faults
from ledger.verification.segment import Asked, Stretch, StretchReader, check_tile
from ledger.verification.table_check import Tables, check_named, check_tables
from ledger.verification.workers import ProcessLost, Readers

STRETCH: Final = 16_384
"""How many entries are read at a time: a power of two, so that they are a subtree of the log."""
SAMPLE: Final = 2_000
"""Of as many rows the shapes are learned before the other processes are told of them."""
_BEFORE_ALL: Final = -(2**63)
_UNREADABLE: Final = (ProcessLost, AnotherLedger, PersistenceError, sqlite3.Error, OSError)
"""What keeps several from reading: too many connections, another ledger meanwhile."""

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

    def found(self, found: Findings) -> None:
        """Something about positions, tiles, streams."""
        self.count += found.count
        room = FINDINGS_MAX - len(self.of_parts)
        self.of_parts += [Finding(*each) for each in found.kept[:room]]

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
    ledger: Location | Path | str,
    sizes: Iterable[int] = (),
    on_progress: OnProgress = lambda *_: None,
    *,
    jobs: int | None = None,
    indexes: bool = False,
    stretch: int = STRETCH,
    alone_max: int | None = None,
) -> Verification:
    """Read all of a ledger, as it is now; memory does not grow with its size.

    `sizes`: of how many first entries the roots are wanted. `jobs`: how many processes read it, as
    many as there are processors if None; so many as `alone_max` this one reads alone. `indexes`:
    hold them, too, against their tables. Raises StoreUnavailable, or InvalidInput if the database
    has no such look at its indexes.
    """
    location, wanted = location_of(ledger), sorted(set(sizes))
    jobs = processors() if jobs is None else jobs
    with as_store_errors(str(location)), stored_rows(location) as rows:
        if indexes:
            rows.index_faults()  # Says at once where there is no such look, and looks later.
        reading = _Reading(location, rows, wanted, on_progress, stretch, indexes=indexes)
        alone_max = rows.alone_max if alone_max is None else alone_max
        if jobs > 1 and reading.is_dense and reading.last > alone_max:
            try:
                return reading.side_by_side(jobs)
            except _UNREADABLE:
                pass  # What one process cannot read is told by this one, which reads all again.
        return _Reading(location, rows, wanted, on_progress, stretch, indexes=indexes).alone()


class _Reading:
    """One pass over a ledger: stretches are read, and joined in the order of their positions."""

    def __init__(
        self,
        location: Location,
        rows: StoredRows,
        sizes: Sequence[int],
        on_progress: OnProgress,
        stretch: int,
        *,
        indexes: bool,
    ) -> None:
        self._indexes = indexes
        self._location = location
        self._rows = rows
        self._on_progress = on_progress
        self._sizes = tuple(size for size in sizes if size)
        self._stretch = stretch
        self._done = Verification(roots={0: EMPTY_ROOT})
        self._above = Frontier()
        """The tree over the full tiles of leaves, each of which is a leaf of it."""
        self._edges: dict[tuple[int, int], bytes] = {}
        """The tiles that are not full yet."""
        self._digests: list[str] = []
        first, last, self._count = rows.extent()
        self.last: int = last or 0
        self.is_dense: bool = first == 1 and last == self._count
        """Whether it seems so. That no position is left out, none there twice, stretches show."""
        self._reader = StretchReader(rows, faults)

    # -- reading ---------------------------------------------------------------------------------

    def alone(self) -> Verification:
        """Read it here, whatever positions there are."""
        asked = Asked(0, self._stretch, _BEFORE_ALL, 0, "", self._sizes)
        is_whole = True
        while is_whole:
            read = self._reader.read(asked)
            self._join(read, asked, self._count)
            is_whole = read.size == self._stretch
            asked = replace(
                asked,
                first=asked.last,
                last=asked.last + self._stretch,
                after=read.position if read.size else asked.after,
                before=read.position,
                recorded_at=read.recorded_at,
            )
        is_dense = self.is_dense and self._done.size == self.last
        tables = self._tables(self._rows, self._stretch if is_dense else 0)
        return self._conclude(tables, is_dense=is_dense)

    def side_by_side(self, jobs: int) -> Verification:
        """Have it read by other processes. Raises ProcessLost, also if positions have gaps."""
        moment = self._rows.moment()
        with ExitStack() as stack:
            readers = stack.enter_context(Readers(jobs))
            self._reader.learn(range(1, self.last, -(-self.last // SAMPLE)))
            readers.begin(self._location, moment, self._reader.patterns)
            beside = stack.enter_context(ThreadPoolExecutor(1))
            tables = beside.submit(self._tables_beside, moment)
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

    def _tables_beside(self, moment: str) -> Tables:
        with stored_rows(self._location, moment) as rows:
            return self._tables(rows, self._stretch)

    def _tables(self, rows: StoredRows, stretch: int) -> Tables:
        return check_tables(rows, self.last, stretch, indexes=self._indexes)

    # -- joining ---------------------------------------------------------------------------------

    def _join(self, read: Stretch, asked: Asked, in_all: int) -> None:
        """Take in a stretch: what was found, its tiles, and the roots within it."""
        done = self._done
        done.found(read.found)
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
                self._compare(full)
        if read.edge:
            self._edges[0, done.size // TILE_WIDTH] = bytes.fromhex(read.edge)
        self._digests.append(read.commands)
        self._on_progress("entries", done.size, in_all)

    def _compare(self, tile: Tile) -> None:
        found = Findings()
        check_tile(self._rows, tile, found)
        self._done.found(found)

    def _conclude(self, tables: Tables, *, is_dense: bool) -> Verification:
        done = self._done
        for place, data in sorted(self._edges.items()):
            self._compare(Tile(*place, data))
        done.found(self._surplus())
        done.found(tables.versions)
        if tables.reached != done.size:
            tables.commands.add(
                "commands", f"they end at position {tables.reached}, not {done.size}"
            )
        done.found(tables.commands)
        done.found(self._unnamed(tables.digests, is_dense=is_dense))
        done.found(tables.subjects)
        done.found(tables.indexes)
        return done

    def _surplus(self) -> Findings:
        """Rows that have no place in the log."""
        found, size = Findings(), self._done.size
        if self._count != size:
            what = f"there are {self._count} rows, and {size} have a position of their own"
            found.add("entries", what)
        expected = sum(1 for _ in tiles_between(0, size))
        stored = self._rows.tiles()
        if stored > expected:
            what = f"there are {stored}, and {expected} in a log of {size} entries"
            found.add("tiles", what)
        return found

    def _unnamed(self, digests: list[str], *, is_dense: bool) -> Findings:
        """Entries of no command; looked for where the ids are not those of the commands."""
        found = Findings()
        if not is_dense:
            check_named(self._rows, _BEFORE_ALL, self.last, found)
            return found
        for index, digest in enumerate(self._digests):
            if digests[index : index + 1] != [digest]:
                first = index * self._stretch
                check_named(self._rows, first + 1, first + self._stretch, found)
        return found
