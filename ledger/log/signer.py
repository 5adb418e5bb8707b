"""Signs a log's checkpoints as it grows, and never two that contradict each other.

The checkpoint of an append is signed and kept in the append's own transaction, so that none covers
what was not committed, and released when that is on the disk: then the signer's record moves on,
and the caller gets it. What was signed and rolled back nobody has seen.
"""

from __future__ import annotations

from pathlib import Path

from ledger.errors import LogForked
from ledger.log.key_folder import LogKey
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import ProofInvalid, TileInvalid
from ledger.merkle.proofs import consistency_proof, verify_consistency
from ledger.merkle.tree import Frontier, SubtreeHash


class LogSigner:
    """A key, and what it must not contradict."""

    def __init__(self, keys: Path, origin: str) -> None:
        self.key = LogKey(keys, origin)

    def checkpoint(self, before: Frontier, after: Frontier, subtree: SubtreeHash) -> str:
        """The signed note over the log as it is `after`; `subtree` reads its tiles.

        Raises LogForked if it does not continue what this key signed last, KeyUnusable.
        """
        last = self.key.last()
        reached = Checkpoint(self.key.origin, after.size, after.root())
        if last is not None and (last.size, last.root) != (before.size, before.root()):
            self._check(last, reached, subtree)
        return self.key.sign(reached)

    def released(self, note: str) -> None:
        """The transaction with the checkpoint is committed. Raises KeyUnusable."""
        self.key.remember(note)

    def _check(self, last: Checkpoint, reached: Checkpoint, subtree: SubtreeHash) -> None:
        if last.size > reached.size:
            raise LogForked(
                f"The log {reached.origin} has {reached.size} entries; its key signed one of "
                f"{last.size} before.",
                remedy=_REMEDY,
            )
        try:
            proof = consistency_proof(last.size, reached.size, subtree)
            verify_consistency(last.size, reached.size, proof, last.root, reached.root)
        except (ProofInvalid, TileInvalid) as error:
            raise LogForked(
                f"The first {last.size} entries of the log {reached.origin} are not those that its "
                "key signed before.",
                remedy=_REMEDY,
            ) from error


_REMEDY = (
    "An older copy was restored, or the history was rewritten: bring back the "
    "newest copy; or go on with this one as another log (`authledger log init --origin`)."
)
