"""How `authledger log verify` asks, prints and moves a pin on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli.commands.log.witness import read_policy, replace_durably
from cli.printing.output import Output, out, say, show
from cli.printing.progress import progress

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.merkle.checkpoint import Checkpoint
    from ledger.merkle.policy import Policy
    from ledger.merkle.signing import Verifier
    from ledger.verification.verdict import Verdict


def verify_log(
    form: Output,
    ledger: Ledger,
    since: Sequence[Path],
    vkeys: Sequence[str],
    policy_file: Path | None = None,
    *,
    jobs: int | None = None,
    indexes: bool = False,
) -> None:
    """Verify, print the verdict, and move the pins on. Raises VerificationFailed."""
    from ledger.errors import VerificationFailed
    from ledger.verification.verdict import verifier_of, verify

    note = ledger.entries.checkpoint()
    policy = None if policy_file is None else _policy(policy_file, since, vkeys)
    keys, record = [verifier_of(vkey) for vkey in vkeys], None
    if note is not None:
        own, record = _on_this_machine(ledger, note)
        keys = keys or own
    keys = list(policy.logs) if policy else keys
    pins = {f"pin {path}": _read(path, keys, policy) for path in since}
    with progress("verifying", quiet=True) as advance:
        verdict = verify(
            ledger.location,
            note,
            keys,
            pins=pins,
            record=record,
            on_progress=advance,
            jobs=jobs,
            indexes=indexes,
        )
    _show(form, verdict, keys)
    if policy and verdict.checkpoint:
        _say_unwitnessed(verdict.checkpoint.size - max((p.size for p in pins.values()), default=0))
    if not verdict.verified:
        count = verdict.verification.count
        raise VerificationFailed(
            f"The ledger is not verified: {count} finding{'s' if count > 1 else ''}."
        )
    for path in () if policy else since:  # What is cosigned moves on by `log witness`.
        _move_on(path, note or "", verdict, pins[f"pin {path}"])


def _on_this_machine(ledger: Ledger, note: str) -> tuple[list[Verifier], Checkpoint | None]:
    """The verifier key and the signer's record in the folder of the log's key, if it is here."""
    signer = ledger.signers(note.split("\n", maxsplit=1)[0])
    return (list(signer.key.verifiers), signer.key.last()) if signer else ([], None)


def _say_unwitnessed(count: int) -> None:
    if count > 0:
        say(f"Not checked: whether anybody witnessed the last {count} entries.")


def _policy(path: Path, since: Sequence[Path], vkeys: Sequence[str]) -> Policy:
    """The policy. Without a cosigned checkpoint it would check nothing."""
    from ledger.errors import InvalidInput

    if vkeys:
        raise InvalidInput("--policy names the keys already; --key is not needed.")
    policy = read_policy(path)
    if not since and policy.quorum != "none":
        raise InvalidInput(
            f"{path} asks for witnesses: name the checkpoint that they cosigned with --since.",
            remedy="`authledger log witness --policy FILE -o KEPT` gets one.",
        )
    return policy


def _read(path: Path, keys: Sequence[Verifier], policy: Policy | None) -> Checkpoint:
    from ledger.errors import NotFound
    from ledger.verification.verdict import pinned

    try:
        return pinned(path.read_bytes(), str(path), keys, policy)
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no checkpoint at {path}.",
            remedy="Keep one first, where nobody else can write: authledger log checkpoint > FILE.",
        ) from error


def _show(form: Output, verdict: Verdict, keys: Sequence[Verifier]) -> None:
    done, checkpoint = verdict.verification, verdict.checkpoint
    if form is not Output.TABLE:
        document = {
            "verified": verdict.verified,
            "entries": done.size,
            "origin": checkpoint.origin if checkpoint else None,
            "checkpoint_size": checkpoint.size if checkpoint else None,
            "findings": [{"place": each.place, "what": each.what} for each in done.findings],
            "findings_in_all": done.count,
            "not_checked": list(verdict.unchecked),
        }
        show(form, tuple(document), [tuple(document.values())])
        return
    out(*map(str, done.findings))
    if done.count > len(done.findings):
        out(f"… and {done.count - len(done.findings)} more")
    if verdict.verified and checkpoint is not None:
        out(
            f"Verified: {done.size} entries of {checkpoint.origin}, under the checkpoint of "
            f"{checkpoint.size}, with the key {', '.join(key.key_id.hex() for key in keys)}."
        )
    say("\n".join(f"Not checked: {each}." for each in verdict.unchecked))


def _move_on(path: Path, note: str, verdict: Verdict, pin: Checkpoint) -> None:
    """The auditor's checkpoint only ever moves on, to one that was just verified."""
    checkpoint = verdict.checkpoint
    if checkpoint is None or checkpoint.size <= pin.size:
        return
    replace_durably(path, note)
    say(f"{path} moved on from {pin.size} to {checkpoint.size} entries.")
