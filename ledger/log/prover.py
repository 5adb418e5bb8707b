"""Makes proofs from a ledger: that an entry is in its log, and that the log only grew.

They are read from the tiles, so that each costs as many hashes as the tree is high. A proof is
worth as much as its checkpoint: the verifier must know the log's key from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ledger.errors import InvalidInput, NotFound, VerificationFailed
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, TileInvalid
from ledger.merkle.note import Note, parse_note
from ledger.merkle.proofs import consistency_proof, inclusion_proof
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tlogproof import TlogProof
from ledger.persistence.recorder import Recorder


def signed_checkpoint(recorder: Recorder) -> tuple[Note, Checkpoint]:
    """The ledger's newest checkpoint, as a note and parsed. Raises NotFound, VerificationFailed."""
    note = recorder.checkpoint()
    if note is None:
        raise NotFound(
            "The ledger has no checkpoint, so nothing can be proved yet.",
            remedy="Make a key and sign one: authledger log init --origin example.com/authledger",
        )
    try:
        parsed = parse_note(note.encode())
        return parsed, parse_checkpoint(parsed.text)
    except NoteInvalid as error:
        raise VerificationFailed(f"The stored checkpoint cannot be read: {error}") from error


def inclusion(recorder: Recorder, position: int) -> TlogProof:
    """The proof that an entry is in the log, under its newest checkpoint. Raises NotFound."""
    note, checkpoint = signed_checkpoint(recorder)
    if not 1 <= position <= recorder.tree_size():
        raise NotFound(
            f"There is no position {position}: the log has {recorder.tree_size()} entries."
        )
    if position > checkpoint.size:
        raise NotFound(
            f"No checkpoint covers position {position}: the newest covers {checkpoint.size} entries.",
            remedy="Sign one that does: authledger log checkpoint",
        )
    (proof,) = inclusions(recorder, note, checkpoint, [position])
    return proof


def inclusions(
    recorder: Recorder, note: Note, checkpoint: Checkpoint, positions: Iterable[int]
) -> Iterator[TlogProof]:
    """Proofs that entries are in the log, all under one checkpoint, which must cover them.

    They agree with each other even if other writers append meanwhile.
    """
    subtree = TileHashes(checkpoint.size, recorder.read_tile)
    for position in positions:
        with tile_errors():
            hashes = inclusion_proof(position - 1, checkpoint.size, subtree)
        yield TlogProof(position - 1, tuple(hashes), note)


def consistency(recorder: Recorder, old: int, new: int) -> list[bytes]:
    """The proof that the log of `old` entries is the beginning of the log of `new` entries.

    Raises InvalidInput.
    """
    size = recorder.tree_size()
    if not 0 <= old <= new <= size:
        raise InvalidInput(
            f"A log of {size} entries has no consistency proof from {old} to {new}.",
            remedy=f"Give two sizes from 0 to {size}, the smaller one first.",
        )
    with tile_errors():
        return consistency_proof(old, new, TileHashes(new, recorder.read_tile))


@contextmanager
def tile_errors() -> Iterator[None]:
    """Raises VerificationFailed where a tile of the log is missing or has another length."""
    try:
        yield
    except TileInvalid as error:
        raise VerificationFailed(
            f"The log of this ledger is damaged: {error}",
            remedy="`authledger log verify` lists everything that is.",
        ) from error
