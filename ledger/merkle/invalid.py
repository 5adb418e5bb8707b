"""Errors in proofs, tiles and notes that come from elsewhere.

EvidenceInvalid
├── ProofInvalid     the hashes do not lead to the root
├── TileInvalid      a tile or an entry bundle does not fit its place
├── NoteInvalid      a note, key or checkpoint is malformed, or a signature does not verify
└── PolicyInvalid    a policy is malformed
"""

from __future__ import annotations


class EvidenceInvalid(ValueError):
    """The evidence does not prove what it claims. The argument is a sentence for the user."""


class ProofInvalid(EvidenceInvalid):
    """An inclusion or consistency proof does not hold."""


class TileInvalid(EvidenceInvalid):
    """A tile or an entry bundle has the wrong length."""


class NoteInvalid(EvidenceInvalid):
    """A note, a key or a checkpoint is malformed, or no trusted key signed it."""


class PolicyInvalid(EvidenceInvalid):
    """A policy is malformed, or a checkpoint does not satisfy it."""
