"""Copies a ledger to another place: the same bytes at the same positions, under the same root.

Every entry is compared with its log before it is appended, so nothing that was altered is copied.
Each part is one transaction that ends where a command ends: a copy that was killed is the
beginning of the ledger, and the next copy continues it. Snapshots are derived and are not copied;
the log's key and the signer's record stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

from eventsourcing.persistence import IntegrityError

from ledger.copying.original import Original
from ledger.documents import is_text_of
from ledger.errors import Conflict, InvalidInput, VerificationFailed
from ledger.execution.outcome import Committed
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, TileInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.tiles import TileHashes, tile_path, tiles_between
from ledger.merkle.tree import HASH_BYTES, first_difference, frontier_of
from ledger.persistence.as_is import AsIs, another_writer
from ledger.persistence.location import Location, SQLiteFile
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import PAGE
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import DocumentRow, Erasable, SubjectRow
from ledger.subjects import is_as_registered

_VERIFY_BOTH: Final = "To learn which one is damaged, run `authledger log verify` on both."

DOCUMENTS_PAGE: Final = 100
"""How many texts are copied at once: each may have a quarter of a megabyte."""

OnProgress = Callable[[str, int, int], None]


class OpenLedger(Protocol):
    """The part of an open ledger that copying uses."""

    location: Location

    committed: Committed

    @property
    def entries(self) -> Recorder: ...
    def store_errors(self) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Copied:
    """The result of a copy."""

    size: int
    """How many entries the target has now."""
    root: bytes
    """The root over them."""
    before: int
    """How many of them it had before the copy."""
    later: int
    """How many entries were appended to the source after the copy began; they are not copied."""


def check_are_two(source: Location, target: Location) -> None:
    """Raises InvalidInput if both are the same place."""
    if source == target or (
        isinstance(source, SQLiteFile)
        and isinstance(target, SQLiteFile)
        and source.path.resolve() == target.path.resolve()
    ):
        raise InvalidInput(f"{source} is both the source and the target.")


def copy(
    source: OpenLedger,
    target: OpenLedger,
    *,
    with_names: bool = True,
    on_progress: OnProgress = lambda *_: None,
) -> Copied:
    """Append to the target every entry that the source has now and the target does not have.

    Raises Conflict if the target holds another history, or another process writes to it;
    VerificationFailed if the source is not as it was written; StoreUnavailable.
    """
    with target.committed.call(or_nothing=False):
        return _copy(source, target, with_names=with_names, on_progress=on_progress)


def _copy(
    source: OpenLedger, target: OpenLedger, *, with_names: bool, on_progress: OnProgress
) -> Copied:
    with source.store_errors(), stored_rows(source.location) as rows:
        original = Original(rows, str(source.location))
        kept = frozenset(digest for digest, *_ in rows.documents()) if with_names else frozenset()
        note = _checkpoint(original)
        before = _size_before(original, source, target)
        _erase(source, target, before)
        for part in original.parts(before):
            _append(target, part)
            _wipe(target, part)
            on_progress("entries", part.last, original.size)
        root = _compare(original, source, target, before)
        if note is not None:
            _copy_checkpoint(target, note, original.size)
    _erase(source, target, original.size)
    if with_names:
        _copy_names(source, target, original.size)
        _copy_documents(source, target, original.size, kept)
    with source.store_errors():
        later = (source.entries.max_notification_id() or 0) - original.size
    return Copied(original.size, root, before, later)


def _size_before(original: Original, source: OpenLedger, target: OpenLedger) -> int:
    """How many of the source's entries the target has. Raises Conflict if it has any others."""
    with target.store_errors(), _log_errors(target):
        entries, last = target.entries, target.entries.max_notification_id() or 0
        if entries.tree_size() != last:
            raise TileInvalid(f"it has {last} entries, but {entries.tree_size()} leaves")
        both = min(last, original.size)
        differing = first_difference(
            both, TileHashes(both, original.tile), TileHashes(both, entries.read_tile)
        )
    if differing is not None:
        raise Conflict(
            f"{target.location} holds another history than {source.location}: position "
            f"{differing + 1} is the first that differs.",
            remedy="Nothing was changed. Copy to an empty place instead.",
        )
    if last > original.size:
        raise Conflict(
            f"{target.location} has all {original.size} entries of {source.location}, and later "
            f"ones up to position {last}.",
            remedy="Nothing was changed. The target is the newer ledger: there is nothing to copy.",
        )
    return last


def _append(target: OpenLedger, part: AsIs) -> None:
    with target.store_errors():
        try:
            target.entries.append_as_is(part)
        except IntegrityError as error:
            raise Conflict(
                f"{target.location} cannot take the entries after position {part.after}: a row in "
                f"one of its other tables contradicts them ({error}).",
                remedy="Up to that position the copy is complete. Copy to an empty place instead.",
            ) from error
    target.committed.add(range(part.after + 1, part.last + 1))


def _compare(original: Original, source: OpenLedger, target: OpenLedger, before: int) -> bytes:
    """Compare the tiles that grew, and the root, with the source's; return the root."""
    size = original.size
    with target.store_errors(), _log_errors(target):
        if (last := target.entries.max_notification_id() or 0) != size:
            raise another_writer(size, last)
        for level, index, width in tiles_between(before, size):
            copied = target.entries.read_tile(level, index, width)[: width * HASH_BYTES]
            if original.tile(level, index, width) != copied:
                raise VerificationFailed(
                    f"{tile_path(level, index, width)}: the tiles in {source.location} and "
                    f"{target.location} differ, although every entry was copied.",
                    remedy=_VERIFY_BOTH,
                )
        root = frontier_of(size, TileHashes(size, target.entries.read_tile)).root()
    if root != original.root(size):
        raise VerificationFailed(
            f"The copy in {target.location} does not have the root of {source.location}.",
            remedy=_VERIFY_BOTH,
        )
    return root


# -- the checkpoint ------------------------------------------------------------------------------


def _checkpoint(original: Original) -> tuple[str, Checkpoint] | None:
    """The source's checkpoint, as a note and parsed; None if it has none.

    Raises VerificationFailed if it does not match the source's log.
    """
    note = original.note
    if note is None:
        return None
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except NoteInvalid as error:
        raise original.altered(f"The source's checkpoint cannot be read: {error}") from error
    if checkpoint.size > original.size or original.root(checkpoint.size) != checkpoint.root:
        raise original.altered(
            f"The source's checkpoint of {checkpoint.size} entries does not match its log of "
            f"{original.size} entries. Nothing was copied."
        )
    return note.decode(), checkpoint


def _copy_checkpoint(target: OpenLedger, noted: tuple[str, Checkpoint], size: int) -> None:
    """Copy the checkpoint, unless the target has a newer one or one of another log."""
    note, checkpoint = noted
    with target.store_errors():
        kept = target.entries.checkpoint()
    if kept is not None:
        try:
            known = parse_checkpoint(parse_note(kept.encode(errors="surrogatepass")).text)
        except NoteInvalid:
            pass  # It is not a checkpoint: replace it.
        else:
            if known.origin != checkpoint.origin or known.size > checkpoint.size:
                return
    if kept != note:
        _append(target, AsIs(size, note=note))


# -- names and documents ---------------------------------------------------------------------------


def _erase_names(target: OpenLedger, size: int) -> None:
    """Erase the names in the target that its entries erase. A name that is missing in the source
    without such an entry stays.
    """
    with target.store_errors(), stored_rows(target.location) as rows:
        gone = [subject for (subject,) in rows.names_erased()]
    if gone:
        part = AsIs(size, erased=gone)
        _append(target, part)
        _wipe(target, part)


def _erase(source: OpenLedger, target: OpenLedger, size: int) -> None:
    """Erase in the target what was erased in the source."""
    _erase_names(target, size)
    _erase_documents(source, target, size)


def _erase_documents(source: OpenLedger, target: OpenLedger, size: int) -> None:
    with target.store_errors(), stored_rows(target.location) as rows:
        kept = [str(digest) for digest, *_ in rows.documents()]
    with source.store_errors():
        erased = source.entries.max_versions(f"document:{each}" for each in kept)
        gone = [each for each in kept if erased[f"document:{each}"]]
    if gone:
        part = AsIs(size, erased_documents=gone)
        _append(target, part)
        _wipe(target, part)


def _wipe(target: OpenLedger, part: AsIs) -> None:
    """Overwrite the bytes of what a part erased in the target."""
    erased: tuple[tuple[Erasable, object], ...] = (
        ("subjects", part.erased),
        ("documents", part.erased_documents),
    )
    for table, keys in erased:
        if keys:
            with target.store_errors():
                target.entries.wipe(table)


def _copy_documents(
    source: OpenLedger, target: OpenLedger, size: int, kept: frozenset[Any]
) -> None:
    """Copy the texts of documents as they are now. `kept`: the digests when the copy began; later
    ones belong to entries that are not copied.
    """
    with source.store_errors(), stored_rows(source.location) as rows:
        for page in _pages((row for row in rows.documents() if row[0] in kept), DOCUMENTS_PAGE):
            _append(target, AsIs(size, documents=[_document(*row) for row in page]))


def _document(digest: Any, size: Any, text: Any) -> DocumentRow:
    if not is_text_of(digest, size, text):
        raise VerificationFailed(
            f"document {digest}: the stored text does not have this digest and the stored size.",
            remedy="Every entry was copied. To copy without names and documents: --without-names",
        )
    return DocumentRow(digest, size, text)


def _copy_names(source: OpenLedger, target: OpenLedger, size: int) -> None:
    """Copy the names as they are now, of all subjects that the target has registered."""
    with source.store_errors(), stored_rows(source.location) as rows:
        for page in _pages(rows.subjects()):
            _append(target, AsIs(size, subjects=[_registered(*row) for row in page]))


def _registered(subject: str, kind: Any, name: Any, salt: Any, entry: bytes | None) -> SubjectRow:
    if not is_as_registered(subject, kind, name, salt, entry):
        raise VerificationFailed(
            f"subject {subject}: its stored kind, name and salt do not match its registration.",
            remedy="Every entry was copied. To copy without names: --without-names",
        )
    return SubjectRow(subject, kind, name, salt)


def _pages(rows: Iterable[Any], size: int = PAGE) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while page := list(islice(remaining, size)):
        yield page


@contextmanager
def _log_errors(ledger: OpenLedger) -> Iterator[None]:
    """Raises VerificationFailed if tiles of the ledger's log are missing or cut off."""
    try:
        yield
    except TileInvalid as error:
        raise VerificationFailed(
            f"The log of {ledger.location} is damaged: {error}",
            remedy=f"To list all that is: authledger log verify --ledger {ledger.location}",
        ) from error
