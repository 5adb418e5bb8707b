"""The verdict on a ledger: whether its checkpoints hold, and what was not checked.

It fails closed: a missing key or checkpoint, or entries that no checkpoint covers, are findings of
their own. Checks that need a checkpoint kept elsewhere, or the signer's record, are listed as not
done where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.errors import InvalidInput, KeyUnusable, VerificationFailed
from ledger.log.key_folder import LogKey
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid, PolicyInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.policy import Policy
from ledger.merkle.signing import Verifier, verify_note
from ledger.persistence.location import Location, SQLiteFile, location_of
from ledger.verification.entries import SEGMENT_SIZE, OnProgress, verify_entries
from ledger.verification.findings import Verification
from ledger.verification.receipt import Receipt, check_origin, receipt_of

NO_CHECKPOINT = (
    "the ledger stores no checkpoint: either its log was never signed (`authledger log init "
    "--origin NAME` begins that), or the checkpoint was deleted"
)
NO_KEY = (
    "no verifier key was given, so the signature of the checkpoint was not checked and anybody may "
    "have made it; give the key with --key"
)
NOT_COMPARED_WITH_PINS = (
    "whether an older, genuine copy replaced this ledger, or somebody who has the private key "
    "signed another history: that takes a checkpoint that you kept (--since FILE)"
)
NOT_COMPARED_WITH_RECORD = "the signer's own record of its last checkpoint: it is not available"
DIGESTS = (
    "the digests by which a repeated command or trace is compared with its first time (--digests "
    "checks those of traces, and takes several times as long)"
)
DIGESTS_OF_COMMANDS = (
    "the digests by which a repeated command is compared with its first time: the entries do not "
    "have all that was asked"
)
NOT_RECORDED = "whether everything that happened in the cloud was recorded"
NOT_ON_TIME = "whether the clocks that the times come from were right"
NOT_THE_VIEWS = (
    "the views, which are derived from the entries (`authledger projection rebuild` compares them)"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings, the ledger's checkpoint and its signers, and what was not checked."""

    verification: Verification
    checkpoint: Checkpoint | None
    """None if it is missing, or not signed by a key that was given."""
    signed_by: tuple[Verifier, ...]
    """The keys, of those that were given, whose signatures of the checkpoint verify."""
    unchecked: tuple[str, ...]
    relied_on: Receipt | None = None
    """The receipt because of which some entries were only hashed."""
    not_relied: str = ""
    """Why the receipt that was given was not relied on, and everything was checked in full."""
    segment_size: int = SEGMENT_SIZE

    @property
    def relied(self) -> str:
        """A sentence about what it relied on, or why not on the receipt; empty without one."""
        if self.relied_on is not None:
            return self.relied_on.relied_on()
        if self.not_relied:
            return f"the receipt was not relied on, and everything was checked in full: {self.not_relied}"
        return ""

    def receipt(self, note: str, now: datetime) -> Receipt | None:
        """The receipt to keep for the next time; None if there are findings.

        `note` is the checkpoint that was verified. Only `verify(with_receipt=True)` makes one.
        """
        checkpoint, whole = self.checkpoint, self.verification.whole
        if not self.verified or checkpoint is None or whole is None:
            return None
        keys = _key_ids(self.signed_by)
        return receipt_of(checkpoint, note, keys, whole, self.relied_on, self.segment_size, now)

    @property
    def verified(self) -> bool:
        """Whether there are no findings."""
        return not self.verification.count


def verifier_of(vkey: str) -> Verifier:
    """Parse a verifier key. Raises InvalidInput."""
    try:
        return Verifier.parse(vkey.strip())
    except NoteInvalid as error:
        raise InvalidInput(f"{vkey!r} is not a valid verifier key: {error}") from error


def pinned(
    note: bytes, about: str, keys: Sequence[Verifier], policy: Policy | None = None
) -> Checkpoint:
    """Parse a pin: a checkpoint that somebody kept elsewhere. Errors call it `about`.

    Raises InvalidInput if none of the keys signed it, VerificationFailed if it does not have the
    cosignatures that the policy requires.
    """
    try:
        parsed = parse_note(note)
        if policy is not None:
            return policy.accept(parsed).checkpoint
        verify_note(parsed, keys)
        return parse_checkpoint(parsed.text)
    except NoteInvalid as error:
        raise InvalidInput(
            f"{about} is not a valid checkpoint under the keys given: {error}",
            remedy="If the log's key was rotated since it was signed, give the older verifier key "
            "as well: --key OLD --key NEW.",
        ) from error
    except PolicyInvalid as error:
        raise VerificationFailed(
            f"{about} does not have the cosignatures that the policy requires: {error}"
        ) from error


def verify(
    ledger: Location | Path | str,
    note: str | None,
    keys: Sequence[Verifier],
    *,
    pins: Mapping[str, Checkpoint],
    record: Checkpoint | None = None,
    record_fault: str = "",
    on_progress: OnProgress = lambda *_: None,
    jobs: int | None = None,
    indexes: bool = False,
    digests: bool = False,
    without_names: bool = False,
    receipt: Receipt | None = None,
    with_receipt: bool = False,
    segment_size: int = SEGMENT_SIZE,
) -> Verdict:
    """Verify a ledger, its checkpoint, and that its log continues older checkpoints.

    `note` is the ledger's own checkpoint, `keys` are verifier keys known from elsewhere. `pins`
    are checkpoints that others kept, by the name that findings call them; `record` is the last
    checkpoint that the signer recorded, `record_fault` why it cannot be read (`record_of`).
    `receipt`: an earlier verification, which is relied on for the entries that it covers; it is a
    pin too. `with_receipt`: one is made for the next time.

    Raises StoreUnavailable; InvalidInput for the receipt of another log.
    """
    checkpoint, signed_by, complaint = _signed(note, keys)
    before, not_relied = None, ""
    if receipt is not None and checkpoint is not None:
        check_origin(receipt, checkpoint.origin, "The receipt")
        not_relied = receipt.why_not(keys=_key_ids(signed_by), segment_size=segment_size)
        before = None if not_relied else receipt.before
    elif receipt is not None:
        not_relied = "the ledger's checkpoint is missing, or is not signed by a key that was given"
    kept = {"the receipt": receipt.as_checkpoint} if receipt is not None else {}
    older = {"checkpoint": checkpoint, "the signer's record": record, **kept, **pins}
    known = {about: each for about, each in older.items() if each is not None}
    sizes = [each.size for each in known.values()]
    done = verify_entries(
        ledger,
        sizes,
        on_progress,
        jobs=jobs,
        indexes=indexes,
        digests=digests,
        without_names=without_names,
        segment_size=segment_size,
        before=before,
        with_whole=with_receipt,
    )
    if before is not None and not done.rehashed:
        not_relied = "the ledger is not as it says, or something was found"
    for about, each in known.items():
        if checkpoint is not None and each.origin != checkpoint.origin:
            done.add_log(
                about,
                f"this is a checkpoint of the log {each.origin}, but the ledger is the log "
                f"{checkpoint.origin}",
            )
        else:
            done.compare(about, each)
    for fault in (complaint, ("the signer's record", record_fault) if record_fault else None):
        if fault:
            done.add_log(*fault)
    if checkpoint is not None and done.size > checkpoint.size:
        done.add_log(
            "tail",
            f"the checkpoint covers {checkpoint.size} of {done.size} entries: deleting later ones "
            "would go unnoticed; `authledger log checkpoint` signs one that covers all",
        )
    unchecked = _unchecked(location_of(ledger), pins, record, indexes=indexes, digests=digests)
    unchecked += _left_out(done)
    return Verdict(
        done,
        checkpoint,
        signed_by,
        unchecked,
        relied_on=receipt if done.rehashed else None,
        not_relied=not_relied,
        segment_size=segment_size,
    )


def record_of(key: LogKey) -> tuple[Checkpoint | None, str]:
    """The last checkpoint in the signer's record; and why there is none that can be read."""
    try:
        return key.recorded(), ""
    except KeyUnusable as error:
        return None, error.message


def _key_ids(keys: Sequence[Verifier]) -> tuple[str, ...]:
    return tuple(key.key_id.hex() for key in keys)


def _signed(
    note: str | None, keys: Sequence[Verifier]
) -> tuple[Checkpoint | None, tuple[Verifier, ...], tuple[str, str] | None]:
    """The stored checkpoint, the keys that signed it, and a finding if it cannot be believed."""
    if note is None:
        return None, (), ("checkpoint", NO_CHECKPOINT)
    try:
        parsed = parse_note(note.encode(errors="surrogatepass"))
        checkpoint = parse_checkpoint(parsed.text)
        if not keys:
            return checkpoint, (), ("key", NO_KEY)
        signed_by = tuple(each.verifier for each in verify_note(parsed, keys))
    except NoteInvalid as error:
        return None, (), ("checkpoint", str(error))
    return checkpoint, signed_by, None


def _left_out(done: Verification) -> tuple[str, ...]:
    """The clauses about what was passed over because it is not there, or not used."""
    return tuple(
        clause(count)
        for count, clause in (
            (done.without_text, _without_text),
            (done.names_missing, _without_names),
            (done.not_replayed, _not_replayed),
        )
        if count
    )


def _without_text(count: int) -> str:
    documents = "1 document" if count == 1 else f"{count} documents"
    return (
        f"the content of {documents}: only the digest is known, because the text was erased, is not "
        "JSON, is too long, or was left out of a copy"
    )


def _without_names(count: int) -> str:
    names = "1 name is" if count == 1 else f"{count} names are"
    return f"why {names} missing that no entry erases: this is said to be a copy without names"


def _not_replayed(count: int) -> str:
    snapshots = "1 snapshot of an account" if count == 1 else f"{count} snapshots of accounts"
    return f"{snapshots} that another version of the program wrote, and that this one does not use"


def _unchecked(
    location: Location,
    pins: Mapping[str, Checkpoint],
    record: Checkpoint | None,
    *,
    indexes: bool,
    digests: bool,
) -> tuple[str, ...]:
    """The clauses that follow on "Not checked: "."""
    clauses = []
    if not pins:
        clauses.append(NOT_COMPARED_WITH_PINS)
    if record is None:
        clauses.append(NOT_COMPARED_WITH_RECORD)
    if not indexes:
        by = "--indexes" if isinstance(location, SQLiteFile) else "pg_amcheck --heapallindexed"
        clauses.append(
            "whether the indexes agree with their tables: a damaged index can hide entries from "
            f"queries ({by} checks that)"
        )
    clauses.append(DIGESTS_OF_COMMANDS if digests else DIGESTS)
    return (*clauses, NOT_RECORDED, NOT_ON_TIME, NOT_THE_VIEWS)
