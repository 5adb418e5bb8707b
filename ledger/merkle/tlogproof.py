"""The proof of one entry in one file, `.tlog-proof` (c2sp.org/tlog-proof@v1).

    c2sp.org/tlog-proof@v1⏎
    extra base64⏎                    optional, and not authenticated
    index 73894⏎
    base64(hash)⏎                    the inclusion proof, starting with the leaf's sibling
    ⏎
    the checkpoint, a signed note

The entry itself is not in it: the verifier needs its bytes, and a policy from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.merkle.checkpoint import decimal
from ledger.merkle.invalid import NoteInvalid, ProofInvalid
from ledger.merkle.note import Note, base64_bytes, base64_text, format_note, parse_note
from ledger.merkle.policy import Accepted, Policy
from ledger.merkle.proofs import verify_inclusion
from ledger.merkle.tree import HASH_BYTES, leaf_hash

HASHES_MAX: Final = 63
"""The most levels that a tree can have."""

_HEADER = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class TlogProof:
    """The proof that a log has an entry at an index, with the checkpoint that it is for."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None
    """Not authenticated: anybody can put anything here."""

    def __str__(self) -> str:
        return format_proof(self)


def format_proof(proof: TlogProof) -> str:
    """The file's text. Raises NoteInvalid if its checkpoint cannot be written."""
    lines = [_HEADER]
    if proof.extra is not None:
        lines.append(_EXTRA + base64_text(proof.extra))
    lines.append(f"{_INDEX}{proof.index}")
    lines += map(base64_text, proof.hashes)
    return "\n".join(lines) + "\n\n" + format_note(proof.checkpoint)


def parse_proof(data: bytes) -> TlogProof:
    """The inverse of `format_proof`. Verifies nothing. Raises NoteInvalid or ProofInvalid."""
    head, empty_line, checkpoint = data.partition(b"\n\n")
    if not empty_line:
        raise ProofInvalid("The proof has no empty line before its checkpoint.")
    try:
        header, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ProofInvalid("The proof has characters that are not ASCII.") from error
    if header != _HEADER:
        raise ProofInvalid(f"The proof does not begin with {_HEADER}: {header[:100]!r}.")
    extra = None
    if lines and lines[0].startswith(_EXTRA):
        extra = base64_bytes(lines.pop(0).removeprefix(_EXTRA), "The proof's extra line")
    if not lines or not lines[0].startswith(_INDEX):
        raise ProofInvalid("The proof has no index line where it is expected.")
    index = decimal(lines.pop(0).removeprefix(_INDEX), "The proof's index")
    return TlogProof(index, _hashes(lines), parse_note(checkpoint), extra)


def verify_proof(proof: TlogProof, entry: bytes, policy: Policy) -> Accepted:
    """Verify that the entry, by its exact bytes, is in the log; return the checkpoint.

    Raises NoteInvalid or PolicyInvalid if the checkpoint cannot be trusted, ProofInvalid if the
    entry is not at this index of it.
    """
    accepted = policy.accept(proof.checkpoint)
    checkpoint = accepted.checkpoint
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return accepted


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > HASHES_MAX:
        raise ProofInvalid(
            f"The proof has {len(lines)} hashes; a tree has at most {HASHES_MAX} levels."
        )
    hashes = tuple(base64_bytes(line, "A hash of the proof") for line in lines)
    if any(len(each) != HASH_BYTES for each in hashes):
        raise NoteInvalid(f"A hash of the proof does not have {HASH_BYTES} bytes.")
    return hashes
