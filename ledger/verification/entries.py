"""Verifies a whole ledger: entries, columns, versions, commands, tiles and roots.

Nothing that the ledger says about itself is believed except what follows from the bytes of its
entries. The check goes on after the first finding.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from eventsourcing.persistence import PersistenceError

from ledger.merkle.tiles import TILE_WIDTH, Tile, append, tiles_between
from ledger.merkle.tree import EMPTY_ROOT, Frontier, fold
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import Location, location_of
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import AnotherLedger, StoredRows
from ledger.persistence.schema_difference import refuse_misleading
from ledger.processes import processors
from ledger.verification.findings import Before, Findings, Verification, Whole
from ledger.verification.row_check import faults
from ledger.verification.segment import (
    SegmentReader,
    SegmentRequest,
    SegmentResult,
    compare_tile,
    digest_of,
)
from ledger.verification.table_check import (
    TableFindings,
    check_documents,
    check_tables,
    find_unlisted,
    schema_findings,
)
from ledger.verification.workers import WorkerLost, Workers

SEGMENT_SIZE: Final = 16_384
"""How many entries a segment has: a power of two, so that they are a subtree of the log."""
SAMPLE: Final = 2_000
"""How many rows patterns are learned from before the workers begin."""
_BEFORE_ALL: Final = -(2**63)
_WORKERS_FAILED: Final = (WorkerLost, AnotherLedger, PersistenceError, sqlite3.Error, OSError)
"""Why workers may fail: too many connections, or another ledger at the same place meanwhile."""


class _NotAsBefore(Exception):
    """The ledger is not as an earlier check found it, or the earlier check is not one of it."""


OnProgress = Callable[[str, int, int], None]


def verify_entries(
    ledger: Location | Path | str,
    sizes: Iterable[int] = (),
    on_progress: OnProgress = lambda *_: None,
    *,
    jobs: int | None = None,
    indexes: bool = False,
    digests: bool = False,
    without_names: bool = False,
    segment_size: int = SEGMENT_SIZE,
    one_process_max: int | None = None,
    before: Before | None = None,
    with_whole: bool = False,
) -> Verification:
    """Read all of a ledger as it is now, and return the findings. Memory stays bounded.

    `sizes`: the sizes of the log whose roots are wanted. `jobs`: how many processes read (None: as
    many as there are processors); only this one reads a ledger of at most `one_process_max`
    entries. `indexes`: compare the indexes with their tables as well. `digests`: compute the
    digests of traces again. `without_names`: a name that is missing is not a finding.

    `before`: the whole segments of an earlier check are only hashed, and digests of their columns
    and commands compared. If anything is found or is not as it was then, all of the ledger is
    checked in full. `with_whole`: the result has what a later check needs for that.

    Raises StoreUnavailable, SchemaAltered if its tables cannot even be read, or InvalidInput if the
    database cannot check its indexes.
    """
    location, wanted = location_of(ledger), set(sizes)
    jobs = processors() if jobs is None else jobs
    if before is not None:
        wanted.add(before.size)
    with as_store_errors(str(location)), stored_rows(location) as rows:
        altered = rows.schema_differences()
        if indexes:
            rows.index_faults()  # Raises at once if the database cannot check its indexes.
        one_process_max = rows.one_process_max if one_process_max is None else one_process_max

        def reading(before: Before | None) -> _Reading:
            return _Reading(
                location,
                rows,
                sorted(wanted),
                on_progress,
                segment_size,
                indexes=indexes,
                digests=digests,
                without_names=without_names,
                before=before,
                with_whole=with_whole or before is not None,
            )

        def read(before: Before | None) -> Verification:
            first = reading(before)
            if jobs > 1 and first.is_dense and first.last > one_process_max:
                try:
                    return first.with_workers(jobs)
                except _WORKERS_FAILED:
                    pass  # This process reads everything again, and reports its own errors.
            return reading(before).alone()

        def read_all() -> Verification:
            if before is not None and before.whole.size:
                with suppress(_NotAsBefore):
                    return read(before)
            return read(None)

        try:
            done = read_all()
        except (PersistenceError, sqlite3.Error):
            refuse_misleading(str(location), altered)
            raise
        done.add_parts(schema_findings(altered))
        return done


class _Reading:
    """One pass over a ledger: segments are read, and joined in the order of their positions."""

    def __init__(
        self,
        location: Location,
        rows: StoredRows,
        sizes: Sequence[int],
        on_progress: OnProgress,
        segment_size: int,
        *,
        indexes: bool,
        digests: bool,
        without_names: bool,
        before: Before | None,
        with_whole: bool,
    ) -> None:
        self._options = {"indexes": indexes, "digests": digests, "without_names": without_names}
        self._before, self._with_whole = before, with_whole
        self._trusted = before.whole.size if before is not None else 0
        """How many entries are only hashed."""
        self._columns: list[str] = []
        self._location = location
        self._rows = rows
        self._on_progress = on_progress
        self._sizes = tuple(size for size in sizes if size)
        self._segment_size = segment_size
        self._done = Verification(roots={0: EMPTY_ROOT})
        self._above = Frontier()
        """The tree above the full tiles of leaves: each of them is a leaf of it."""
        self._edges: dict[tuple[int, int], bytes] = {}
        """By level and index: the tiles that are not full yet."""
        self._digests: list[str] = []
        self._documents: set[str] = set()
        self._erased_documents: set[str] = set()
        first, last, self._count = rows.extent()
        self.last: int = last or 0
        self.is_dense: bool = first == 1 and last == self._count
        """Whether positions seem to have no gap. Reading the segments shows whether it is so."""
        self._reader = SegmentReader(rows, faults)

    # -- reading ---------------------------------------------------------------------------------

    def alone(self) -> Verification:
        """Read it in this process, also if positions have gaps."""
        request = self._request(0, self._segment_size, after=_BEFORE_ALL, sizes=self._sizes)
        request = replace(request, recorded_at="")
        is_whole = True
        while is_whole:
            read = self._reader.read(request)
            self._join(read, request, self._count)
            is_whole = read.size == self._segment_size
            last = request.last
            request = replace(
                self._request(last, last + self._segment_size, after=request.after),
                after=read.position if read.size else request.after,
                before=read.position,
                recorded_at=read.recorded_at,
                sizes=self._sizes,
            )
        is_dense = self.is_dense and self._done.size == self.last
        tables = self._check_tables(self._rows, self._segment_size if is_dense else 0)
        return self._conclude(tables, is_dense=is_dense)

    def with_workers(self, jobs: int) -> Verification:
        """Have worker processes read it. Raises WorkerLost, also if positions have gaps."""
        moment = self._rows.moment()
        with ExitStack() as stack:
            workers = stack.enter_context(Workers(jobs))
            self._reader.learn(range(1, self.last, -(-self.last // SAMPLE)))
            workers.begin(self._location, moment, self._reader.patterns)
            thread = stack.enter_context(ThreadPoolExecutor(1))
            tables = thread.submit(self._check_tables_at, moment)
            results = workers.read(self._requests())
            for request, read in zip(self._requests(), results, strict=True):
                if (read.size, read.position) != (request.last - request.first, request.last):
                    raise WorkerLost
                self._join(read, request, self.last)
            return self._conclude(tables.result(), is_dense=True)

    def _requests(self) -> Iterator[SegmentRequest]:
        for first in range(0, self.last, self._segment_size):
            last = min(first + self._segment_size, self.last)
            sizes = tuple(size for size in self._sizes if first < size <= last)
            yield self._request(first, last, after=first, sizes=sizes)

    def _request(
        self, first: int, last: int, *, after: int, sizes: tuple[int, ...] = ()
    ) -> SegmentRequest:
        return SegmentRequest(
            first,
            last,
            after,
            first,
            sizes=sizes,
            trusted=last <= self._trusted,
            with_columns=self._with_whole,
        )

    def _check_tables_at(self, moment: str) -> TableFindings:
        with stored_rows(self._location, moment) as rows:
            return self._check_tables(rows, self._segment_size)

    def _check_tables(self, rows: StoredRows, segment_size: int) -> TableFindings:
        return check_tables(rows, self.last, segment_size, **self._options)

    # -- joining ---------------------------------------------------------------------------------

    def _join(self, read: SegmentResult, request: SegmentRequest, total: int) -> None:
        """Take in a segment: its findings, its tiles, and the roots within it."""
        done = self._done
        done.add_parts(read.found)
        done.size += read.size
        for size in self._sizes:
            if request.first < size <= done.size:
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
        self._digests.append(read.command_ids)
        self._columns.append(read.columns)
        self._documents.update(read.documents)
        self._erased_documents.update(read.erased_documents)
        self._on_progress("entries", done.size, total)

    def _compare(self, tile: Tile) -> None:
        found = Findings()
        compare_tile(self._rows, tile, found)
        self._done.add_parts(found)

    def _conclude(self, tables: TableFindings, *, is_dense: bool) -> Verification:
        """Compare what is left once all entries are read, and return the result."""
        done = self._done
        for place, data in sorted(self._edges.items()):
            self._compare(Tile(*place, data))
        done.add_parts(self._extra_rows())
        done.add_parts(tables.versions)
        if tables.last_commanded != done.size:
            tables.commands.add(
                "commands",
                f"they list positions up to {tables.last_commanded}, but the ledger has "
                f"{done.size} entries",
            )
        done.add_parts(tables.commands)
        if self._with_whole and is_dense:
            whole = done.size // self._segment_size
            done.whole = self._whole(whole, tables.digests)
            self._compare_with_before(tables.digests)
        elif self._before is not None:
            raise _NotAsBefore
        done.add_parts(tables.digests_of_facts)
        done.add_parts(self._unlisted(tables.digests, is_dense=is_dense))
        done.add_parts(tables.subjects)
        check_documents(self._rows, self._documents, self._erased_documents, tables)
        done.add_parts(tables.documents)
        done.add_parts(tables.snapshots)
        done.add_parts(tables.indexes)
        done.without_text = tables.without_text
        done.names_missing = tables.names_missing
        done.not_replayed = tables.not_replayed
        if done.rehashed and done.count:
            raise _NotAsBefore  # The findings of a full check say more.
        return done

    def _whole(self, count: int, digests: list[str]) -> Whole:
        """So many whole segments, as they are now."""
        size = count * self._segment_size
        return Whole(size, digest_of(self._columns[:count]), digest_of(digests[:count]))

    def _compare_with_before(self, digests: list[str]) -> None:
        """Raises _NotAsBefore."""
        before = self._before
        if before is None:
            return
        now = self._whole(self._trusted // self._segment_size, digests)
        if before.whole != now or self._done.roots.get(before.size) != before.root:
            raise _NotAsBefore
        self._done.rehashed = self._trusted

    def _extra_rows(self) -> Findings:
        """Rows that do not belong to the log."""
        found, size = Findings(), self._done.size
        if self._count != size:
            what = f"the table has {self._count} rows, but only {size} positions"
            found.add("entries", what)
        expected = sum(1 for _ in tiles_between(0, size))
        stored = self._rows.tiles()
        if stored > expected:
            what = f"the table has {stored} tiles; a log of {size} entries has {expected}"
            found.add("tiles", what)
        return found

    def _unlisted(self, digests: list[str], *, is_dense: bool) -> Findings:
        """Entries that their command does not list; looked for where the digests differ."""
        found = Findings()
        if not is_dense:
            find_unlisted(self._rows, _BEFORE_ALL, self.last, found)
            return found
        for index, digest in enumerate(self._digests):
            if (index + 1) * self._segment_size <= self._trusted:
                continue  # A digest of all of them was compared.
            if digests[index : index + 1] != [digest]:
                first = index * self._segment_size
                find_unlisted(self._rows, first + 1, first + self._segment_size, found)
        return found
