"""What a verification comes to: which checkpoints the log holds to, and what was not checked.

It fails closed. A key, a checkpoint or a tail that is missing is a finding of its own and no pass;
what could not be looked at for want of a pin or of the signer's record is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import InvalidInput, VerificationFailed
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, PolicyInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.policy import Policy
from ledger.merkle.signing import Verifier, verify_note
from ledger.persistence.location import Location, SQLiteFile, location_of
from ledger.verification.entries import OnProgress, Verification, verify_entries

_NO_KEY = (
    "none was given, so anybody may have signed the checkpoint; name the verifier key with --key"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings, the checkpoint that the log was held to, and what was not checked."""

    verification: Verification
    checkpoint: Checkpoint | None
    unchecked: tuple[str, ...]

    @property
    def verified(self) -> bool:
        return not self.verification.count


def verifier_of(vkey: str) -> Verifier:
    """A verifier key as it was given. Raises InvalidInput."""
    try:
        return Verifier.parse(vkey.strip())
    except NoteInvalid as error:
        raise InvalidInput(f"{vkey!r} is no verifier key: {error}") from error


def pinned(
    note: bytes, about: str, keys: Sequence[Verifier], policy: Policy | None = None
) -> Checkpoint:
    """The checkpoint that somebody kept. Raises InvalidInput if it is none of a key's,
    VerificationFailed if it is not cosigned as the policy asks.
    """
    try:
        parsed = parse_note(note)
        if policy is not None:
            return policy.accept(parsed).checkpoint
        verify_note(parsed, keys)
        return parse_checkpoint(parsed.text)
    except NoteInvalid as error:
        raise InvalidInput(f"{about} is no checkpoint of these keys: {error}") from error
    except PolicyInvalid as error:
        raise VerificationFailed(f"{about} is not witnessed: {error}") from error


def verify(
    ledger: Location | Path | str,
    note: str | None,
    keys: Sequence[Verifier],
    *,
    pins: Mapping[str, Checkpoint],
    record: Checkpoint | None = None,
    on_progress: OnProgress = lambda *_: None,
    jobs: int | None = None,
    indexes: bool = False,
) -> Verdict:
    """Hold a ledger against its own checkpoint (`note`), under keys that are known from
    elsewhere, and against checkpoints that others kept. Raises StoreUnavailable.
    """
    checkpoint, complaint = _signed(note, keys)
    held = {"checkpoint": checkpoint, "the signer's record": record, **pins}
    wanted = {about: each for about, each in held.items() if each is not None}
    sizes = [each.size for each in wanted.values()]
    done = verify_entries(ledger, sizes, on_progress, jobs=jobs, indexes=indexes)
    for about, each in wanted.items():
        if checkpoint is not None and each.origin != checkpoint.origin:
            done.judge(about, f"it is of the log {each.origin}, this one is {checkpoint.origin}")
        done.hold(about, each)
    if complaint:
        done.judge(*complaint)
    if checkpoint is not None and done.size > checkpoint.size:
        done.judge(
            "tail",
            f"no checkpoint covers the last {done.size - checkpoint.size} entries: they could be "
            "taken away unseen; `authledger log checkpoint` signs one",
        )
    unchecked = _unchecked(location_of(ledger), pins, record, indexes=indexes)
    return Verdict(done, checkpoint, unchecked)


def _signed(
    note: str | None, keys: Sequence[Verifier]
) -> tuple[Checkpoint | None, tuple[str, str] | None]:
    """What the stored checkpoint says, and why it cannot be believed."""
    if note is None:
        return None, (
            "checkpoint",
            "there is none: nobody signed this log; `authledger log init` begins it",
        )
    try:
        parsed = parse_note(note.encode(errors="surrogatepass"))
        checkpoint = parse_checkpoint(parsed.text)
        if not keys:
            return checkpoint, ("key", _NO_KEY)
        verify_note(parsed, keys)
    except NoteInvalid as error:
        return None, ("checkpoint", str(error))
    return checkpoint, None


def _unchecked(
    location: Location,
    pins: Mapping[str, Checkpoint],
    record: Checkpoint | None,
    *,
    indexes: bool,
) -> tuple[str, ...]:
    said = []
    if not pins:
        said.append(
            "whether an older genuine copy was put in its place, or another history signed with a "
            "stolen key: no checkpoint that you kept was given (--since)"
        )
    if record is None:
        said.append("the signer's own record: the log's key is not on this machine")
    if not indexes:
        look = "--indexes" if isinstance(location, SQLiteFile) else "pg_amcheck --heapallindexed"
        said.append(
            "whether the indexes agree with their tables: one that does not may hide an entry from "
            f"who asks by it ({look})"
        )
    said.append("whether the ledger was told all that happened")
    said.append("whether the clocks that times come from were right")
    said.append("the views: they are built from the entries, and may be deleted")
    return tuple(said)
