"""Verifies a ledger under keys and checkpoints that are known from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from authledger.proof import verifiers
from ledger.application import Ledger
from ledger.errors import NotFound, VerificationFailed
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.signing import Verifier
from ledger.verification.receipt import read_receipt
from ledger.verification.verdict import Verdict, pinned, record_of, verify

FINDINGS_NAMED = 3
"""How many findings the error's text names; the verdict has them all."""


def verdict_of(
    ledger: Ledger,
    keys: Iterable[str],
    since: Iterable[Path | str],
    *,
    check: bool,
    jobs: int | None,
    indexes: bool,
    receipt: Path | None = None,
) -> Verdict:
    """The verdict. Raises VerificationFailed if anything was found and `check` asks for it."""
    trusted, record, fault = verifiers(keys), None, ""
    note = ledger.entries.checkpoint()
    if note is not None and (signer := ledger.signers(note.split("\n", maxsplit=1)[0])):
        trusted = trusted or list(signer.key.verifiers)
        record, fault = record_of(signer.key)
    verdict = verify(
        ledger.location,
        note,
        trusted,
        pins={f"pin {path}": _kept(Path(path), trusted) for path in since},
        record=record,
        record_fault=fault,
        jobs=jobs,
        indexes=indexes,
        receipt=None if receipt is None else read_receipt(receipt),
        with_receipt=receipt is not None,
    )
    if receipt is not None and (kept := verdict.receipt(note or "", ledger.clock())):
        kept.write(receipt)
    if check and not verdict.verified:
        raise VerificationFailed(_found(verdict), remedy="Call verify(check=False) for all of it.")
    return verdict


def _kept(path: Path, keys: list[Verifier]) -> Checkpoint:
    try:
        return pinned(path.read_bytes(), str(path), keys)
    except FileNotFoundError as error:
        raise NotFound(f"There is no checkpoint at {path}. Nothing was verified.") from error


def _found(verdict: Verdict) -> str:
    count = verdict.verification.count
    named = [str(each) for each in verdict.verification.findings[:FINDINGS_NAMED]]
    more = "; …" if count > len(named) else ""
    what = "1 finding" if count == 1 else f"{count} findings"
    return f"The ledger is not verified: {what}: {'; '.join(named)}{more}."
