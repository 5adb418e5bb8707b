"""Proofs out of a ledger: that an entry is in the log, and that the log only grew; its export.

Read from the tiles, so that each costs the tree's height. A proof is worth what its checkpoint is:
whoever verifies it brings the log's key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.errors import InvalidInput, NotFound, VerificationFailed
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, ProofInvalid
from ledger.merkle.note import Note, parse_note
from ledger.merkle.proofs import consistency_proof, inclusion_proof, verify_consistency
from ledger.merkle.tiles import (
    TILE_WIDTH,
    TileHashes,
    encode_bundle,
    entries_path,
    tile_path,
    tile_width,
    tiles_between,
)
from ledger.merkle.tlogproof import TlogProof
from ledger.persistence.recorder import Recorder

OnProgress = Callable[[str, int, int], None]
CHECKPOINT_FILE: Final = "checkpoint"
PUBLISHED: Final = 0o644
"""A web server reads these files."""


def signed_checkpoint(recorder: Recorder) -> tuple[Note, Checkpoint]:
    """The ledger's newest checkpoint. Raises NotFound, VerificationFailed."""
    note = recorder.checkpoint()
    if note is None:
        raise NotFound(
            "The log has no checkpoint: no key was made for it.",
            remedy="`authledger log init --origin example.com/authledger` makes one.",
        )
    try:
        parsed = parse_note(note.encode())
        return parsed, parse_checkpoint(parsed.text)
    except NoteInvalid as error:
        raise VerificationFailed(f"The stored checkpoint is none: {error}") from error


def inclusion(recorder: Recorder, position: int) -> TlogProof:
    """The proof that an entry is in the log, under its newest checkpoint. Raises NotFound."""
    note, checkpoint = signed_checkpoint(recorder)
    if not 1 <= position <= recorder.tree_size():
        raise NotFound(f"There is no position {position}; the last is {recorder.tree_size()}.")
    if position > checkpoint.size:
        raise NotFound(
            f"No checkpoint covers position {position}: the newest is of {checkpoint.size} entries.",
            remedy="`authledger log checkpoint` signs one.",
        )
    (proof,) = inclusions(recorder, note, checkpoint, [position])
    return proof


def inclusions(
    recorder: Recorder, note: Note, checkpoint: Checkpoint, positions: Iterable[int]
) -> Iterator[TlogProof]:
    """Proofs that entries are in the log, all under one checkpoint that covers them.

    They fit together even where other writers append meanwhile.
    """
    subtree = TileHashes(checkpoint.size, recorder.read_tile)
    for position in positions:
        hashes = inclusion_proof(position - 1, checkpoint.size, subtree)
        yield TlogProof(position - 1, tuple(hashes), note)


def consistency(recorder: Recorder, old: int, new: int) -> list[bytes]:
    """That the log of `old` entries is the beginning of that of `new`. Raises InvalidInput."""
    size = recorder.tree_size()
    if not 0 <= old <= new <= size:
        raise InvalidInput(
            f"A log of {size} entries has no proof from {old} to {new}.",
            remedy=f"Name two sizes, the smaller first, of {size} at most.",
        )
    return consistency_proof(old, new, TileHashes(new, recorder.read_tile))


# -- the static layout ---------------------------------------------------------------------------


def export(
    recorder: Recorder, folder: Path, on_progress: OnProgress = lambda *_: None
) -> tuple[int, int]:
    """Write the log as tlog-tiles lays it out: checkpoint, tile/L/N, tile/entries/N.

    Only what grew since the last time. The checkpoint is written once all that it covers is on the
    disk; a partial tile goes when a fuller one has come and the new checkpoint is there. Returns
    the sizes before and after. Raises VerificationFailed if the folder holds another log, or one
    that this is no continuation of.
    """
    note, checkpoint = signed_checkpoint(recorder)
    known = _exported(folder)
    before = known.size if known else 0
    if known is not None:
        _check_continues(recorder, folder, known, checkpoint)
    for level, index, width in tiles_between(before, checkpoint.size):
        data = recorder.read_tile(level, index, width)[: width * 32]
        _write(folder / tile_path(level, index, width), data)
        if level == 0:
            entries = _entries(recorder, index * TILE_WIDTH, width)
            _write(folder / entries_path(index, width), encode_bundle(entries))
            on_progress("entries", index * TILE_WIDTH + width, checkpoint.size)
    durable_file.sync_all()
    _write(folder / CHECKPOINT_FILE, str(note).encode(), synced=True)
    for path in set(_partials(before)) - set(_partials(checkpoint.size)):
        (folder / path).unlink(missing_ok=True)
    return before, checkpoint.size


def _exported(folder: Path) -> Checkpoint | None:
    try:
        return parse_checkpoint(parse_note((folder / CHECKPOINT_FILE).read_bytes()).text)
    except FileNotFoundError:
        return None
    except NoteInvalid as error:
        raise VerificationFailed(
            f"{folder / CHECKPOINT_FILE} is no checkpoint: {error}",
            remedy="Name a new folder, or the one of this log.",
        ) from error


def _check_continues(
    recorder: Recorder, folder: Path, known: Checkpoint, checkpoint: Checkpoint
) -> None:
    if known.origin != checkpoint.origin:
        raise VerificationFailed(
            f"{folder} holds the log {known.origin}, not {checkpoint.origin}.",
            remedy="Name another folder.",
        )
    proof = consistency(recorder, min(known.size, checkpoint.size), checkpoint.size)
    try:
        verify_consistency(known.size, checkpoint.size, proof, known.root, checkpoint.root)
    except ProofInvalid as error:
        raise VerificationFailed(
            f"{folder} holds another history of {known.origin}, of {known.size} entries: {error}",
            remedy="Keep it: with this ledger's checkpoint it shows that one was rewritten.",
        ) from error


def _partials(size: int) -> Iterator[str]:
    """The partial tiles and bundles of a log of that size."""
    level = 0
    while size >> 8 * level:
        index = size >> 8 * (level + 1)
        width = tile_width(level, index, size)
        if width:
            yield tile_path(level, index, width)
            if level == 0:
                yield entries_path(index, width)
        level += 1


def _entries(recorder: Recorder, first: int, count: int) -> list[bytes]:
    page = recorder.select_notifications(first + 1, count, stop=first + count)
    return [entry.state for entry in page]


def _write(path: Path, data: bytes, *, synced: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    durable_file.write(path, data, mode=PUBLISHED, synced=synced)
