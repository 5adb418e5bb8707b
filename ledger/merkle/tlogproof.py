"""One entry's proof in one file, `.tlog-proof` (c2sp.org/tlog-proof@v1).

    c2sp.org/tlog-proof@v1⏎
    extra base64⏎                    may be missing; nobody vouches for it
    index 73894⏎
    base64(hash)⏎                    the inclusion proof, the leaf's sibling first
    ⏎
    the checkpoint, a signed note

The entry itself is not in it: who verifies it brings its bytes, and a policy of his own.
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
"""No tree has more levels."""

_HEADER = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That an entry stands at an index of a log, with the checkpoint that it is proven against."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes | None = None
    """Not authenticated: anyone can put anything here."""

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
    """The inverse. Proves nothing by itself. Raises NoteInvalid or ProofInvalid."""
    head, empty_line, checkpoint = data.partition(b"\n\n")
    if not empty_line:
        raise ProofInvalid("The proof has no empty line before its checkpoint.")
    try:
        header, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ProofInvalid("The proof has other than ASCII characters.") from error
    if header != _HEADER:
        raise ProofInvalid(f"The proof does not begin with {_HEADER}: {header[:100]!r}.")
    extra = None
    if lines and lines[0].startswith(_EXTRA):
        extra = base64_bytes(lines.pop(0).removeprefix(_EXTRA), "The proof's extra line")
    if not lines or not lines[0].startswith(_INDEX):
        raise ProofInvalid("The proof has no index line where one must be.")
    index = decimal(lines.pop(0).removeprefix(_INDEX), "The proof's index")
    return TlogProof(index, _hashes(lines), parse_note(checkpoint), extra)


def verify_proof(proof: TlogProof, entry: bytes, policy: Policy) -> Accepted:
    """Returns the checkpoint that the entry, by its exact bytes, is proven to be in.

    Raises NoteInvalid or PolicyInvalid if the checkpoint is not to be trusted, ProofInvalid if the
    entry does not stand at this index of it.
    """
    accepted = policy.accept(proof.checkpoint)
    checkpoint = accepted.checkpoint
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return accepted


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > HASHES_MAX:
        raise ProofInvalid(f"The proof has {len(lines)} hashes; no tree is as high.")
    hashes = tuple(base64_bytes(line, "A hash of the proof") for line in lines)
    if any(len(each) != HASH_BYTES for each in hashes):
        raise NoteInvalid(f"A hash of the proof has another length than {HASH_BYTES} bytes.")
    return hashes
