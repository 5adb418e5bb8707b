"""Keys that all tests share; their seeds are public."""

from __future__ import annotations

from hashlib import sha256

from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.note import Note
from ledger.merkle.signing import Algorithm, Signer

ORIGIN = "example.com/ledger"


def log_key(name: str = ORIGIN, seed: str = "") -> Signer:
    return Signer(name, Algorithm.ED25519, sha256(f"log {name}{seed}".encode()).digest())


def witness_key(name: str) -> Signer:
    return Signer(name, Algorithm.COSIGNATURE, sha256(f"witness {name}".encode()).digest())


LOG = log_key()
W1, W2, W3 = (witness_key(f"w{number}.example") for number in (1, 2, 3))
SIGNED_AT = 1_774_000_000


def signed(checkpoint: Checkpoint, *witnesses: Signer, log: Signer = LOG) -> Note:
    """The checkpoint, signed by its log and then by the witnesses."""
    text = checkpoint.text()
    return Note(text, (log.sign(text), *(each.cosign(text, SIGNED_AT) for each in witnesses)))
