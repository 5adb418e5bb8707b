"""A small, strict witness (c2sp.org/tlog-witness) over HTTP, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import EvidenceInvalid, NoteInvalid
from ledger.merkle.note import Note, base64_bytes, parse_note
from ledger.merkle.proofs import verify_consistency
from ledger.merkle.signing import Algorithm, Signer, Verifier, verify_note
from tests import serving as serve

NOW = 1_750_000_000
Reply = tuple[int, bytes, str]


class Witness:
    """Keeps the newest checkpoint of each log, and cosigns only a checkpoint that extends it."""

    def __init__(self, name: str, *logs: str) -> None:
        self.signer = Signer(name, Algorithm.COSIGNATURE, name.encode().ljust(32, b"."))
        self.logs = [Verifier.parse(each) for each in logs]
        self.seen: dict[str, Checkpoint] = {}
        self.requests = 0
        self.url = ""

    def policy_line(self, name: str) -> str:
        return f"witness {name} {self.signer.verifier} {self.url}\n"

    def answer(self, path: str, body: bytes) -> Reply:
        self.requests += 1
        if not path.endswith("/add-checkpoint"):
            return 404, b"no such thing\n", "text/plain"
        try:
            return self._add(body)
        except (ValueError, IndexError) as error:
            return 400, str(error).encode(), "text/plain"

    def _add(self, body: bytes) -> Reply:
        head, _, written = body.partition(b"\n\n")
        first, *lines = head.decode("ascii").split("\n")
        old, note = int(first.removeprefix("old ")), parse_note(written)
        asked = parse_checkpoint(note.text)
        if asked.origin not in {each.name for each in self.logs}:
            return 404, b"unknown log\n", "text/plain"
        try:
            verify_note(note, self.logs)
        except NoteInvalid as error:
            return 403, str(error).encode(), "text/plain"
        if old > asked.size:
            return 400, b"old is larger\n", "text/plain"
        known = self.seen.get(asked.origin)
        size = known.size if known else 0
        if old != size or (known and old == asked.size and known.root != asked.root):
            return 409, f"{size}\n".encode(), "text/x.tlog.size"
        proof = [base64_bytes(line, "a hash") for line in lines]
        try:
            self._check(known, asked, proof)
        except EvidenceInvalid as error:
            return 422, str(error).encode(), "text/plain"
        self.seen[asked.origin] = asked
        return 200, self.cosigned(note), "text/plain"

    def _check(self, known: Checkpoint | None, asked: Checkpoint, proof: list[bytes]) -> None:
        if known is not None:
            verify_consistency(known.size, asked.size, proof, known.root, asked.root)
        elif proof:
            raise ValueError("a proof from nothing")

    def cosigned(self, note: Note) -> bytes:
        return self.signer.cosign(note.text, NOW).line().encode()


@contextmanager
def serving(witness: Witness) -> Iterator[Witness]:
    """Run the witness on this machine while the context lasts; `witness.url` is its address."""

    def answer(path: str, _: object, body: bytes) -> serve.Reply:
        status, data, kind = witness.answer(path, body)
        location = {"Location": data.decode()} if status == 302 else {}
        return serve.Reply(status, data, {"Content-Type": kind, **location})

    with serve.serving(answer) as url:
        witness.url = f"{url}/a/prefix"
        yield witness
