"""Writes the log as static files in the layout of c2sp.org/tlog-tiles, for any client of it.

DIR/checkpoint
DIR/tile/<level>/<n>        tiles
DIR/tile/entries/<n>        entry bundles
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.errors import VerificationFailed
from ledger.log.prover import consistency, signed_checkpoint, tile_errors
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, ProofInvalid, TileInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.proofs import verify_consistency
from ledger.merkle.tiles import (
    TILE_WIDTH,
    encode_bundle,
    entries_path,
    tile_path,
    tile_width,
    tiles_between,
)
from ledger.merkle.tree import HASH_BYTES
from ledger.persistence.recorder import Recorder

OnProgress = Callable[[str, int, int], None]
CHECKPOINT_FILE: Final = "checkpoint"
PUBLISHED: Final = 0o644
"""A web server reads these files."""


def export(
    recorder: Recorder, folder: Path, on_progress: OnProgress = lambda *_: None
) -> tuple[int, int]:
    """Write what the log has grown by since the last export to the folder.

    The checkpoint is written once everything that it covers is on the disk; after it, partial
    tiles that fuller ones replace are deleted. Returns the sizes before and after. Raises
    VerificationFailed if the folder holds another log, or another history of this one.
    """
    note, checkpoint = signed_checkpoint(recorder)
    known = _exported(folder)
    before = known.size if known else 0
    if known is not None:
        _check_continues(recorder, folder, known, checkpoint)
    for level, index, width in tiles_between(before, checkpoint.size):
        with tile_errors():
            _write(folder / tile_path(level, index, width), _tile(recorder, level, index, width))
            if level == 0:
                _write(folder / entries_path(index, width), _bundle(recorder, index, width))
        if level == 0:
            on_progress("entries", index * TILE_WIDTH + width, checkpoint.size)
    durable_file.sync_all()
    _write(folder / CHECKPOINT_FILE, str(note).encode(), synced=True)
    for path in set(_partials(before)) - set(_partials(checkpoint.size)):
        (folder / path).unlink(missing_ok=True)
    return before, checkpoint.size


def _exported(folder: Path) -> Checkpoint | None:
    """The checkpoint of the last export; None if there was none."""
    try:
        return parse_checkpoint(parse_note((folder / CHECKPOINT_FILE).read_bytes()).text)
    except FileNotFoundError:
        return None
    except NoteInvalid as error:
        raise VerificationFailed(
            f"{folder / CHECKPOINT_FILE} is not a valid checkpoint: {error}",
            remedy="Nothing was written. Name a new folder, or the one of an earlier export.",
        ) from error


def _check_continues(
    recorder: Recorder, folder: Path, known: Checkpoint, checkpoint: Checkpoint
) -> None:
    if known.origin != checkpoint.origin:
        raise VerificationFailed(
            f"{folder} holds the log {known.origin}, not {checkpoint.origin}.",
            remedy="Nothing was written. Name another folder.",
        )
    proof = consistency(recorder, min(known.size, checkpoint.size), checkpoint.size)
    try:
        verify_consistency(known.size, checkpoint.size, proof, known.root, checkpoint.root)
    except ProofInvalid as error:
        raise VerificationFailed(
            f"{folder} holds another history of {known.origin}, of {known.size} entries: {error}",
            remedy="Nothing was written. Keep the folder: its checkpoint and this ledger's are "
            "evidence that one of the two histories was rewritten.",
        ) from error


def _partials(size: int) -> Iterator[str]:
    """The paths of the partial tiles and bundles in a log of that size."""
    level = 0
    while size >> 8 * level:
        index = size >> 8 * (level + 1)
        width = tile_width(level, index, size)
        if width:
            yield tile_path(level, index, width)
            if level == 0:
                yield entries_path(index, width)
        level += 1


def _tile(recorder: Recorder, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile. Raises TileInvalid if it has fewer."""
    data = recorder.read_tile(level, index, width)[: width * HASH_BYTES]
    if len(data) != width * HASH_BYTES:
        raise TileInvalid(f"{tile_path(level, index, width)} is missing or cut off.")
    return data


def _bundle(recorder: Recorder, index: int, width: int) -> bytes:
    """The bundle of the first `width` entries of a tile. Raises TileInvalid if there are fewer."""
    first = index * TILE_WIDTH
    page = recorder.select_notifications(first + 1, width, stop=first + width)
    entries = [entry.state for entry in page]
    if len(entries) != width:
        last = first + width
        raise TileInvalid(f"Entries are missing between the positions {first + 1} and {last}.")
    return encode_bundle(entries)


def _write(path: Path, data: bytes, *, synced: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    durable_file.write(path, data, mode=PUBLISHED, synced=synced)
