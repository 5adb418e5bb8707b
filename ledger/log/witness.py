"""Asks witnesses to cosign a log's checkpoint (c2sp.org/tlog-witness).

    POST <url>/add-checkpoint
    old 20852014⏎          the size that the witness cosigned last
    base64(hash)⏎          the consistency proof from there
    ⏎
    the checkpoint, a signed note

    200  its cosignature lines
    409  the size that it cosigned last, if that is not `old`: it is asked again from there
    422  the proof does not verify: it cosigned another history
    4xx  refused

A witness keeps one checkpoint of each log and cosigns only a continuation of it. A reader who
trusts enough witnesses can therefore rule out that others were shown another history under the
same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import LogForked, StoreUnavailable
from ledger.log.http_post import Answer, post
from ledger.log.prover import consistency, signed_checkpoint
from ledger.merkle.checkpoint import Checkpoint, decimal
from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import Note, Signature, base64_text, format_note, parse_note
from ledger.merkle.policy import Policy
from ledger.merkle.signing import Verifier, verify_note
from ledger.persistence.recorder import Recorder

OK, CONFLICT, UNPROVEN = 200, 409, 422

Post = Callable[[str, bytes], Answer]


class Witnessed(NamedTuple):
    """The checkpoint with its cosignatures, and for each witness that gave none, why."""

    note: Note
    checkpoint: Checkpoint
    failures: tuple[str, ...]


def witnessed(
    recorder: Recorder, policy: Policy, *, known: int = 0, send: Post | None = None
) -> Witnessed:
    """Have the newest checkpoint cosigned by each of the policy's witnesses that has an address.

    `known` is the size that they probably cosigned last. Raises LogForked if one of them cosigned
    another history, NotFound if there is no checkpoint.
    """
    note, checkpoint = signed_checkpoint(recorder)
    cosignatures, failures = list[Signature](), list[str]()
    for name, verifier in policy.witnesses.items():
        if (url := policy.urls.get(verifier)) is None:
            continue
        request = _CosignRequest(
            recorder=recorder,
            note=note,
            checkpoint=checkpoint,
            verifier=verifier,
            url=url,
            send=send or _send,
        )
        try:
            cosignatures.append(request.cosignature(min(known, checkpoint.size)))
        except StoreUnavailable as error:
            failures.append(f"{name}: {error.message}")
    own = tuple(each for each in note.signatures if each.name == checkpoint.origin)
    return Witnessed(Note(note.text, (*own, *cosignatures)), checkpoint, tuple(failures))


@dataclass(frozen=True, slots=True, kw_only=True)
class _CosignRequest:
    """One witness, and the checkpoint that it shall cosign."""

    recorder: Recorder
    note: Note
    checkpoint: Checkpoint
    verifier: Verifier
    url: str
    send: Post

    def cosignature(self, old: int) -> Signature:
        """The witness's cosignature, verified; `old` is the size that it probably knows.

        Raises LogForked, StoreUnavailable.
        """
        answer = self._ask(old)
        if answer.status == CONFLICT and (known := self._known(answer)) != old:
            old, answer = known, self._ask(known)
        is_rejected = answer.status == CONFLICT and self._known(answer) == old
        if is_rejected or answer.status == UNPROVEN:
            raise LogForked(
                f"The witness {self.verifier.name} rejected the proof that this log continues the "
                f"checkpoint of {self.checkpoint.origin} that it cosigned last.",
                remedy="Either an older copy of the ledger was restored, or a history was "
                "rewritten: run `authledger log verify`, and compare with the witness's "
                "checkpoint.",
            )
        if answer.status != OK:
            text = answer.body[:200].decode(errors="replace").strip()
            raise StoreUnavailable(f"it answered {answer.status}: {text}")
        return self._verified(answer.body)

    def _ask(self, old: int) -> Answer:
        proof = consistency(self.recorder, old, self.checkpoint.size) if old else []
        lines = [f"old {old}", *map(base64_text, proof), ""]
        body = "\n".join(lines) + "\n" + format_note(self.note)
        return self.send(f"{self.url.rstrip('/')}/add-checkpoint", body.encode())

    def _known(self, answer: Answer) -> int:
        """The size that the witness cosigned last, as a 409 says it."""
        try:
            size = decimal(answer.body.decode("ascii").rstrip("\n"), "The witness's size")
        except (NoteInvalid, UnicodeDecodeError) as error:
            raise StoreUnavailable(
                "it answered 409 without the size that it cosigned last"
            ) from error
        if size > self.checkpoint.size:
            raise LogForked(
                f"The witness {self.verifier.name} says that it cosigned {size} entries of "
                f"{self.checkpoint.origin}, but the checkpoint here covers "
                f"{self.checkpoint.size}.",
                remedy="Either an older copy of the ledger was restored, or entries were deleted: "
                "bring back the newest copy.",
            )
        return size

    def _verified(self, body: bytes) -> Signature:
        try:
            lines = parse_note(f"{self.note.text}\n".encode() + body)
            verify_note(lines, [self.verifier])
        except NoteInvalid as error:
            raise StoreUnavailable(f"its answer is not a valid cosignature: {error}") from error
        name, key_id = self.verifier.name, self.verifier.key_id
        return next(e for e in lines.signatures if (e.name, e.key_id) == (name, key_id))


def cosigned_before(data: bytes, keys: Iterable[Verifier]) -> int:
    """The size of a checkpoint that was kept; 0 if none of these keys signed it."""
    try:
        note = parse_note(data)
        verify_note(note, keys)
        return decimal(note.text.split("\n")[1], "The size")
    except (NoteInvalid, IndexError):
        return 0


def _send(url: str, body: bytes) -> Answer:
    return post(url, body, "text/plain; charset=utf-8")
