"""Exports a ledger to Parquet, part by part; goes on where the folder's manifest ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.errors import Conflict, InvalidInput, VerificationFailed
from ledger.merkle.invalid import EvidenceInvalid
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tree import EMPTY_ROOT, Frontier, frontier_of, leaf_hash
from projections.export.events import COLUMNS, EventSource, Row
from projections.export.manifest import Manifest, Part, check_sizes
from projections.export.parquet import PartBuffer, arrow, leftovers

BUCKETS: Final = 4
PART_ROWS: Final = 1_000_000
PART_BYTES: Final = 256_000_000
"""How much is held in memory until it is written: what is reached first."""

OnProgress = Callable[[str, int, int], None]
_ENTRY: Final = COLUMNS.index("entry")


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: the sizes before and after, and what is in the folder now."""

    folder: str
    before: int
    entries: int
    buckets: int
    files: int
    bytes: int
    root: str


def export_parquet(
    source: EventSource,
    folder: Path,
    *,
    buckets: int | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> Exported:
    """Bring a folder to the ledger's last position; each part counts once its manifest is there.

    Raises VerificationFailed if the folder holds another history than the ledger, if one of its
    files is missing or cut, or if what is exported is not what the log says; InvalidInput for a
    folder with other files in it, or another number of buckets than it has; Conflict while another
    process exports there.
    """
    arrow()
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        manifest = before = _begun(folder, buckets)
        frontier = _continued(source, folder, manifest)
        check_sizes(folder, manifest)
        for path in leftovers(folder, (each.path for each in manifest.files())):
            path.unlink()
        last = source.last_position()
        for part in _parts(source, manifest, frontier, last, on_progress):
            _check_root(source, frontier, part.last)
            files = tuple(part.buffer.write(folder, part.first, part.last))
            part.buffer.clear()
            manifest = manifest.model_copy(
                update={
                    "size": part.last,
                    "root": frontier.root().hex(),
                    "parts": (
                        *manifest.parts,
                        Part(first=part.first, last=part.last, files=files),
                    ),
                }
            )
            manifest.write(folder)
    return _count(folder, before, manifest)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The folder's lock, which goes with the process that holds it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Conflict(
            f"Another process exports to {folder}.", remedy="Try again when it has finished."
        ) from error
    finally:
        os.close(handle)


def _begun(folder: Path, buckets: int | None) -> Manifest:
    """The manifest; a first one is written before anything else, so that leftovers are known."""
    manifest = Manifest.read(folder)
    if manifest is not None:
        if buckets not in (None, manifest.buckets):
            raise InvalidInput(
                f"{folder} was begun with {manifest.buckets} buckets.",
                remedy="Leave --buckets out, or export into another folder.",
            )
        return manifest
    strangers = [
        path.name for path in folder.iterdir() if not path.name.startswith(durable_file.UNFINISHED)
    ]
    if strangers:
        raise InvalidInput(
            f"{folder} is not empty, and holds no export: {strangers[0]!r} is in it.",
            remedy="Name a new folder.",
        )
    manifest = Manifest(buckets=BUCKETS if buckets is None else buckets, root=EMPTY_ROOT.hex())
    manifest.write(folder)
    return manifest


def _continued(source: EventSource, folder: Path, manifest: Manifest) -> Frontier:
    """The log at the export's end. Raises VerificationFailed if it is another history's."""
    frontier = _frontier(source, manifest.size)
    if frontier is None or frontier.root().hex() != manifest.root:
        raise VerificationFailed(
            f"{folder} holds another history: its {manifest.size} entries are not the first of "
            "this ledger.",
            remedy="Name another folder. If it was exported from this ledger, one of them was "
            "rewritten: `authledger log verify --since` tells by a checkpoint that you kept.",
        )
    return frontier


def belongs(source: EventSource, folder: Path, manifest: Manifest) -> None:
    """Raises VerificationFailed if an export is not of this ledger's history."""
    _continued(source, folder, manifest)


def _frontier(source: EventSource, size: int) -> Frontier | None:
    """The log's frontier when it had that size; None if it never had."""
    try:
        return frontier_of(size, TileHashes(size, source.read_tile))
    except EvidenceInvalid:
        return None


def _check_root(source: EventSource, exported: Frontier, last: int) -> None:
    """What was read is what the log has leaves of."""
    logged = _frontier(source, last)
    if logged is None or (logged.size, logged.root()) != (exported.size, exported.root()):
        raise VerificationFailed(
            f"The first {last} entries are not those that the log has leaves of.",
            remedy="`authledger log verify` names what was altered.",
        )


@dataclass(slots=True)
class _Held:
    """A part that is held in memory until it is written."""

    first: int
    buffer: PartBuffer
    last: int = 0

    @property
    def is_full(self) -> bool:
        return self.buffer.rows >= PART_ROWS or self.buffer.bytes >= PART_BYTES


def _parts(
    source: EventSource,
    manifest: Manifest,
    frontier: Frontier,
    last: int,
    on_progress: OnProgress,
) -> Iterator[_Held]:
    """The parts after the manifest's; the frontier has grown by each that is yielded."""
    held: _Held | None = None
    for page in _pages(source, manifest.size + 1, last):
        if held is None:
            held = _Held(page[0][0], PartBuffer(manifest.buckets))
        held.buffer.add(page)
        held.last = page[-1][0]
        frontier.extend(leaf_hash(row[_ENTRY].encode()) for row in page)
        on_progress("events", held.last, last)
        if held.is_full:
            yield held
            held = None
    if held is not None:
        yield held


def _pages(source: EventSource, first: int, last: int) -> Iterator[list[Row]]:
    """The events between two positions: what is appended meanwhile comes the next time."""
    if first > last:
        return
    for whole in source.pages(first):
        page = [row for row in whole if row[0] <= last]
        if page:
            yield page
        if not page or page[-1][0] >= last:
            return


def _count(folder: Path, before: Manifest, after: Manifest) -> Exported:
    files = list(after.files())
    return Exported(
        folder=str(folder),
        before=before.size,
        entries=after.size,
        buckets=after.buckets,
        files=len(files),
        bytes=sum(each.bytes for each in files),
        root=after.root,
    )
