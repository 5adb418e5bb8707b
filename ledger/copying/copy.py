"""Copies a ledger to another place: the same bytes at the same positions, under the same root.

Nothing is copied that is not as it was written: every entry is held against its own log before it
is appended. Each part is one transaction that ends where a command ends, so a copy that was killed
is the beginning of the ledger, and the next one goes on from there. Snapshots are derived, and not
copied; the log's key and the signer's record stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from eventsourcing.persistence import IntegrityError

from ledger.copying.original import CopySource
from ledger.errors import Conflict, InvalidInput, VerificationFailed
from ledger.execution.outcome import Committed
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, TileInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.tiles import TileHashes, tile_path, tiles_between
from ledger.merkle.tree import HASH_BYTES, first_difference, frontier_of
from ledger.persistence.as_is import AsIs, went_on
from ledger.persistence.location import Location, SQLiteFile
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import PAGE
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SubjectRow
from ledger.subjects import is_as_registered

OnProgress = Callable[[str, int, int], None]


class Kept(Protocol):
    """A ledger that is open, as far as copying is concerned."""

    location: Location

    committed: Committed

    @property
    def entries(self) -> Recorder: ...
    def store_errors(self) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Copied:
    """How many entries the target has now, and under which root; how many of them it had before,
    and how many have come to the source since the copy began.
    """

    size: int
    root: bytes
    before: int
    later: int


def check_are_two(source: Location, target: Location) -> None:
    """Raises InvalidInput if both are one place."""
    if source == target or (
        isinstance(source, SQLiteFile)
        and isinstance(target, SQLiteFile)
        and source.path.resolve() == target.path.resolve()
    ):
        raise InvalidInput(f"{source} is both the source and the target.")


def copy(
    source: Kept,
    target: Kept,
    *,
    with_names: bool = True,
    on_progress: OnProgress = lambda *_: None,
) -> Copied:
    """Copy every entry that the source has now and the target has not.

    Raises Conflict if the target holds something else, or somebody else writes to it;
    VerificationFailed if the source is not as it was written; StoreUnavailable.
    """
    with target.committed.call(or_nothing=False):
        return _copied(source, target, with_names=with_names, on_progress=on_progress)


def _copied(source: Kept, target: Kept, *, with_names: bool, on_progress: OnProgress) -> Copied:
    with source.store_errors(), stored_rows(source.location) as rows:
        origin = CopySource(rows)
        note = _checkpoint(origin)
        before = _begun(origin, source, target)
        _forget(source, target, before)
        for part in origin.parts(before):
            _append(target, part)
            on_progress("entries", part.last, origin.size)
        root = _compared(origin, source, target, before)
        if note is not None:
            _put_note(target, note, origin.size)
    _forget(source, target, origin.size)
    if with_names:
        _put_names(source, target, origin.size)
    with source.store_errors():
        later = (source.entries.max_notification_id() or 0) - origin.size
    return Copied(origin.size, root, before, later)


def _begun(origin: CopySource, source: Kept, target: Kept) -> int:
    """How much of the source the target has already. Raises Conflict if it has anything else."""
    with target.store_errors(), _whole(target):
        entries, last = target.entries, target.entries.max_notification_id() or 0
        if entries.tree_size() != last:
            raise TileInvalid(f"it has {last} entries, and {entries.tree_size()} leaves")
        both = min(last, origin.size)
        differing = first_difference(
            both, TileHashes(both, origin.tile), TileHashes(both, entries.read_tile)
        )
    if differing is not None:
        raise Conflict(
            f"{target.location} holds another history than {source.location}: position "
            f"{differing + 1} is the first that differs.",
            remedy="Copy to an empty place. Nothing was changed.",
        )
    if last > origin.size:
        raise Conflict(
            f"{target.location} has all {origin.size} entries of {source.location}, and has gone "
            f"on by itself to position {last}.",
            remedy="It is the newer one: there is nothing to copy. Nothing was changed.",
        )
    return last


def _append(target: Kept, part: AsIs) -> None:
    with target.store_errors():
        try:
            target.entries.append_as_is(part)
        except IntegrityError as error:
            raise Conflict(
                f"{target.location} holds something beside its entries that contradicts what "
                f"follows on position {part.after}: {error}",
                remedy="Copy to an empty place; what was copied is whole.",
            ) from error
    target.committed.add(range(part.after + 1, part.last + 1))


def _compared(origin: CopySource, source: Kept, target: Kept, before: int) -> bytes:
    """The root, after all tiles that grew were held against the source's."""
    size = origin.size
    with target.store_errors(), _whole(target):
        if (last := target.entries.max_notification_id() or 0) != size:
            raise went_on(size, last)
        for level, index, width in tiles_between(before, size):
            copied = target.entries.read_tile(level, index, width)[: width * HASH_BYTES]
            if origin.tile(level, index, width) != copied:
                raise VerificationFailed(
                    f"{tile_path(level, index, width)}: the tile in {source.location} is not the "
                    "one of its entries.",
                    remedy="The entries themselves were copied; `authledger log verify` tells more.",
                )
        root = frontier_of(size, TileHashes(size, target.entries.read_tile)).root()
    if root != origin.root(size):
        raise VerificationFailed(
            f"The root of {target.location} is not that of {source.location}.",
            remedy="Verify both with `authledger log verify`.",
        )
    return root


# -- the checkpoint ------------------------------------------------------------------------------


def _checkpoint(origin: CopySource) -> tuple[str, Checkpoint] | None:
    """The source's checkpoint, which must be of its log. Raises VerificationFailed."""
    note = origin.note
    if note is None:
        return None
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except NoteInvalid as error:
        raise VerificationFailed(f"The source's checkpoint is none: {error}") from error
    if checkpoint.size > origin.size or origin.root(checkpoint.size) != checkpoint.root:
        raise VerificationFailed(
            f"The source's checkpoint of {checkpoint.size} entries is not one of its log, which "
            f"has {origin.size}.",
            remedy="Nothing was copied; `authledger log verify` tells more.",
        )
    return note.decode(), checkpoint


def _put_note(target: Kept, noted: tuple[str, Checkpoint], size: int) -> None:
    """The source's checkpoint, unless the target has a newer one, or is called otherwise."""
    note, checkpoint = noted
    with target.store_errors():
        kept = target.entries.checkpoint()
    if kept is not None:
        try:
            known = parse_checkpoint(parse_note(kept.encode(errors="surrogatepass")).text)
        except NoteInvalid:
            pass  # Whatever it is, it is no checkpoint.
        else:
            if known.origin != checkpoint.origin or known.size > checkpoint.size:
                return
    if kept != note:
        _append(target, AsIs(size, note=note))


# -- names ---------------------------------------------------------------------------------------


def _forget(source: Kept, target: Kept, size: int) -> None:
    """Forget in the target who was forgotten in the source."""
    gone: list[str] = []
    with target.store_errors(), stored_rows(target.location) as rows:
        for page in _pages(row[0] for row in rows.subjects()):
            with source.store_errors():
                known = source.entries.subject_names(page)
            gone += [subject for subject in page if subject not in known]
    if gone:
        _append(target, AsIs(size, erased=gone))
        with target.store_errors():
            target.entries.wipe()


def _put_names(source: Kept, target: Kept, size: int) -> None:
    """The names as they are now, of those who are registered in the target."""
    with source.store_errors(), stored_rows(source.location) as rows:
        for page in _pages(rows.subjects()):
            _append(target, AsIs(size, subjects=[_registered(*row) for row in page]))


def _registered(subject: str, kind: Any, name: Any, salt: Any, entry: bytes | None) -> SubjectRow:
    if not is_as_registered(kind, name, salt, entry):
        raise VerificationFailed(
            f"subject {subject}: the name that is kept is not the one that was registered.",
            remedy="Every entry was copied; --without-names leaves the names out.",
        )
    return SubjectRow(subject, kind, name, salt)


def _pages(rows: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while page := list(islice(remaining, PAGE)):
        yield page


@contextmanager
def _whole(ledger: Kept) -> Iterator[None]:
    """A log whose tiles are not all there is told by its place."""
    try:
        yield
    except TileInvalid as error:
        raise VerificationFailed(
            f"The log of {ledger.location} is not whole: {error}",
            remedy="Nothing was copied; `authledger log verify` tells more.",
        ) from error
