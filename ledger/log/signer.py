"""Signs a log's checkpoints as it grows, and never two that contradict each other.

The checkpoint of an append is signed and stored in the append's own transaction, so that no
checkpoint covers entries that were not committed. It is released after the commit: then the
signer's record is replaced, and the caller gets the checkpoint. A checkpoint that was signed and
rolled back is never shown to anybody.
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

from ledger.errors import LogForked
from ledger.log.key_folder import LogKey
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, ProofInvalid, TileInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.proofs import consistency_proof, verify_consistency
from ledger.merkle.signing import verify_note
from ledger.merkle.tree import Frontier, SubtreeHash


class LogSigner:
    """A log's key, which signs nothing that contradicts the signer's record."""

    def __init__(self, keys: Path, origin: str) -> None:
        self.key = LogKey(keys, origin)

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.key.origin

    def checkpoint(self, before: Frontier, after: Frontier, subtree: SubtreeHash) -> str:
        """Sign the log as it is `after` an append, and return the note; `subtree` reads its tiles.

        Raises LogForked if it does not continue the log that this key signed last, KeyUnusable.
        """
        last = self.key.last()
        reached = Checkpoint(self.key.origin, after.size, after.root())
        if last is not None and not last.is_of(before):
            self._check(last, reached, subtree)
        return self.key.sign(reached)

    def last(self, before: Frontier, note: str | None) -> Checkpoint | None:
        """The newest checkpoint that this key signed: by the signer's record, or by the `note` that
        the ledger keeps, if this key signed it. None if there is none. Raises KeyUnusable.
        """
        last = self.key.last()
        if note is None or (last is not None and last.is_of(before)):
            return last
        own = self._own(note)
        return max(filter(None, (last, own)), key=attrgetter("size"), default=None)

    def check(self, last: Checkpoint, after: Frontier, subtree: SubtreeHash) -> None:
        """Raises LogForked if the log does not continue that checkpoint."""
        self._check(last, Checkpoint(self.key.origin, after.size, after.root()), subtree)

    def _own(self, note: str) -> Checkpoint | None:
        """The checkpoint in a note, if this key signed it."""
        try:
            parsed = parse_note(note.encode(errors="surrogatepass"))
            verify_note(parsed, self.key.verifiers)
            return parse_checkpoint(parsed.text)
        except NoteInvalid:
            return None

    def released(self, note: str) -> None:
        """Record that the transaction with this checkpoint was committed. Raises KeyUnusable."""
        self.key.remember(note)

    def _check(self, last: Checkpoint, reached: Checkpoint, subtree: SubtreeHash) -> None:
        if last.size > reached.size:
            raise LogForked(
                f"The log {reached.origin} has {reached.size} entries, but its key has already signed "
                f"a checkpoint of {last.size}.",
                remedy=_REMEDY,
            )
        try:
            proof = consistency_proof(last.size, reached.size, subtree)
            verify_consistency(last.size, reached.size, proof, last.root, reached.root)
        except (ProofInvalid, TileInvalid) as error:
            raise LogForked(
                f"The first {last.size} entries of the log {reached.origin} are not shown to be those "
                f"that its key signed before: {error}",
                remedy=_REMEDY,
            ) from error


_REMEDY = (
    "Nothing was signed. An older copy of the ledger was restored, another copy of it was "
    "continued with the same key, or its history was altered: bring back the copy that was signed "
    "last, or continue this one as another log (`authledger log init --origin NEW-NAME`)."
)
