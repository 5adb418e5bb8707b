"""What is wrong with a proof, a tile or a text that somebody handed over.

EvidenceInvalid
├── ProofInvalid     the hashes do not lead to the root
├── TileInvalid      a tile or an entry bundle is not what its place says
├── NoteInvalid      a note, key or checkpoint is malformed, or a signature does not verify
└── PolicyInvalid    a policy is malformed
"""

from __future__ import annotations


class EvidenceInvalid(ValueError):
    """The evidence does not show what it claims to. The argument is a sentence for people."""


class ProofInvalid(EvidenceInvalid):
    """An inclusion or consistency proof does not hold."""


class TileInvalid(EvidenceInvalid):
    """A tile or an entry bundle has the wrong length."""


class NoteInvalid(EvidenceInvalid):
    """A note, a key or a checkpoint is malformed, or nobody who is trusted signed it."""


class PolicyInvalid(EvidenceInvalid):
    """A policy is malformed, or a checkpoint does not satisfy it."""
