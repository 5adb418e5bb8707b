"""Exports a ledger: into a folder, part by part, or as one text."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StoreUnavailable,
    VerificationFailed,
)
from ledger.merkle.tree import EMPTY_ROOT, Frontier
from projections.export.events import COLUMNS, EventSource, Row
from projections.export.format import FolderFormat, Part, TextFormat
from projections.export.manifest import BUCKETS_MAX, ExportedPart, Manifest, check_sizes, leftovers
from projections.export.verified import frontier_at, verified_pages

BUCKETS: Final = 4
PART_ROWS: Final = 1_000_000
PART_BYTES: Final = 256_000_000
"""A part is written when it holds so many rows or bytes in memory, whichever is reached first."""

OnProgress = Callable[[str, int, int], None]
_POSITION: Final = COLUMNS.index("position")


@contextmanager
def _write_errors(path: Path, remedy: str) -> Iterator[None]:
    """Turn an OSError within into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"{path} could not be written: {error.strerror or error}.", remedy=remedy
        ) from error


# -- one text ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportedText:
    """The result of an export: `entries` events from position `first` to `last`.

    `bytes` is the length of the text in UTF-8; `root` is the log's root over the first `last`
    entries, in hex.
    """

    first: int
    last: int
    entries: int
    bytes: int
    root: str


def export_file(
    form: TextFormat,
    source: EventSource,
    path: Path,
    *,
    first: int = 1,
    last: int | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> ExportedText:
    """Write the events from position `first` to `last` into a file, which is replaced as a whole.

    If anything fails, the file is as it was. Raises as `export_text` does, and StoreUnavailable if
    the file cannot be written.
    """
    untouched = f"If {path} existed before, it is unchanged."
    with _write_errors(path, untouched), durable_file.replacing(path, mode=None) as file:
        return export_text(
            form,
            source,
            lambda text: file.write(text.encode()),
            first=first,
            last=last,
            on_progress=on_progress,
        )


def export_text(
    form: TextFormat,
    source: EventSource,
    write: Callable[[str], object],
    *,
    first: int = 1,
    last: int | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> ExportedText:
    """Hand the events from position `first` to `last`, both included, to `write`, page by page.

    Without `last` it ends at the ledger's last position. Each page is compared with the log before
    it is written. Raises NotFound if the ledger ends before `last`, InvalidInput if `last` comes
    before `first`, VerificationFailed if an entry is not the one that the log has.
    """
    last = _last_position(source, first, last)
    frontier = _frontier_before(source, first)
    written = 0

    def write_counted(text: str) -> None:
        nonlocal written
        written += len(text.encode())
        write(text)

    if form.head:
        write_counted(form.head)
    for page in verified_pages(source, frontier, last):
        write_counted("".join(map(form.encode, page)))
        on_progress("events", frontier.size - first + 1, last - first + 1)
    entries = max(frontier.size - first + 1, 0)
    return ExportedText(first, frontier.size, entries, written, frontier.root().hex())


def _last_position(source: EventSource, first: int, last: int | None) -> int:
    end = source.last_position()
    if last is None:
        return end
    if last > end:
        raise NotFound(f"There is no position {last}; the last is {end}. Nothing was exported.")
    if last < first:
        raise InvalidInput(f"The range is not valid: it begins at {first} and ends at {last}.")
    return last


def _frontier_before(source: EventSource, first: int) -> Frontier:
    """The log's frontier before a position; its end, if the ledger ends before that position."""
    size = min(first - 1, source.last_position())
    frontier = frontier_at(source, size)
    if frontier is None:
        raise VerificationFailed(
            f"The Merkle log has no {size} leaves; nothing was exported.",
            remedy="`authledger log verify` names what is missing.",
        )
    return frontier


# -- a folder ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportedFolder:
    """The result of an export: the entries before and after it, and the folder's files now."""

    folder: str
    before: int
    entries: int
    buckets: int
    files: int
    bytes: int
    root: str


def export_folder(
    form: FolderFormat,
    source: EventSource,
    folder: Path,
    *,
    buckets: int | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> ExportedFolder:
    """Bring a folder to the ledger's last position. A part counts once the manifest names it.

    Raises VerificationFailed if the folder holds another history than the ledger, if one of its
    files is missing or cut, or if an entry is not the one that the log has; InvalidInput for a
    folder with other files in it, or another number of buckets than it has; Conflict while another
    process exports there; StoreUnavailable if the format's package is not installed, or the folder
    cannot be written.
    """
    form.check()
    whole = "The parts that its manifest names are whole; export again to continue."
    with _write_errors(folder, whole), _locked(folder):
        manifest = before = _manifest(form, folder, buckets)
        frontier = check_history(source, folder, manifest)
        check_sizes(folder, manifest)
        for path in leftovers(folder, manifest, form.ending):
            path.unlink()
        pages = _reported(source, frontier, on_progress)
        for held in _parts(pages, partial(form.new_part, manifest.buckets)):
            files = tuple(held.part.write(folder, held.first, held.last))
            held.part.clear()
            part = ExportedPart(first=held.first, last=held.last, files=files)
            manifest = manifest.extended(part, frontier.root())
            manifest.write(folder)
    return _summary(folder, before, manifest)


def _reported(
    source: EventSource, frontier: Frontier, on_progress: OnProgress
) -> Iterator[list[Row]]:
    """The pages behind the frontier; progress is reported by positions."""
    last = source.last_position()
    for page in verified_pages(source, frontier, last):
        on_progress("events", frontier.size, last)
        yield page


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make the folder, and hold its lock, which is released if the process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Conflict(
            f"Another process exports to {folder}; nothing was exported.",
            remedy="Try again when it has finished.",
        ) from error
    finally:
        os.close(handle)


def _manifest(form: FolderFormat, folder: Path, buckets: int | None) -> Manifest:
    """The folder's manifest. A first one is written before any other file, so that files which a
    killed export leaves are known as its own.
    """
    if buckets is not None and not 1 <= buckets <= BUCKETS_MAX:
        raise InvalidInput(
            f"{buckets} buckets are not valid: give a number from 1 to {BUCKETS_MAX}."
        )
    manifest = Manifest.read(folder)
    if manifest is None:
        _check_is_empty(folder)
        manifest = Manifest(buckets=BUCKETS if buckets is None else buckets, root=EMPTY_ROOT.hex())
        manifest.write(folder)
        return manifest
    manifest.check_ending(folder, form.ending)
    if buckets not in (None, manifest.buckets):
        raise InvalidInput(
            f"{folder} has {manifest.buckets} buckets since its first export.",
            remedy="Leave --buckets out, or export into another folder.",
        )
    return manifest


def _check_is_empty(folder: Path) -> None:
    for path in folder.iterdir():
        if not path.name.startswith(durable_file.UNFINISHED):
            raise InvalidInput(
                f"{folder} is not empty, and is not an export: {path.name!r} is in it.",
                remedy="Name a new folder.",
            )


def check_history(source: EventSource, folder: Path, manifest: Manifest) -> Frontier:
    """The log's frontier where an export ends. Raises VerificationFailed if the export is not the
    beginning of this ledger's history.
    """
    frontier = frontier_at(source, manifest.size)
    if frontier is None or frontier.root().hex() != manifest.root:
        raise VerificationFailed(
            f"{folder} holds another history: its {manifest.size} entries are not the first of "
            "this ledger.",
            remedy="Name another folder. If it was exported from this ledger, one of the two was "
            "rewritten: `authledger log verify --since FILE` finds out, by a checkpoint that you "
            "kept.",
        )
    return frontier


@dataclass(slots=True)
class _Held:
    """A part that is held in memory until it is written."""

    first: int
    part: Part
    last: int = 0

    @property
    def is_full(self) -> bool:
        return self.part.rows >= PART_ROWS or self.part.bytes >= PART_BYTES


def _parts(pages: Iterable[list[Row]], new_part: Callable[[], Part]) -> Iterator[_Held]:
    """The pages, held in parts. A part is yielded before the page behind it is read."""
    held: _Held | None = None
    for page in pages:
        if held is None:
            held = _Held(page[0][_POSITION], new_part())
        held.part.add(page)
        held.last = page[-1][_POSITION]
        if held.is_full:
            yield held
            held = None
    if held is not None:
        yield held


def _summary(folder: Path, before: Manifest, after: Manifest) -> ExportedFolder:
    files = list(after.files())
    return ExportedFolder(
        folder=str(folder),
        before=before.size,
        entries=after.size,
        buckets=after.buckets,
        files=len(files),
        bytes=sum(each.bytes for each in files),
        root=after.root,
    )
