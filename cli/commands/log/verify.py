"""The work of `authledger log verify`: verify, print the verdict, replace the pins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cli.commands.log.witness import read_policy
from cli.printing.output import Output, out, say, show
from cli.printing.progress import progress

if TYPE_CHECKING:
    from cli.settings import Setting
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
    log_keys: Setting,
    jobs: int | None = None,
    indexes: bool = False,
    digests: bool = False,
    without_names: bool = False,
    receipt: Path | None = None,
) -> None:
    """Verify, print the verdict, and replace the pins by the new checkpoint, and the receipt.

    Raises VerificationFailed if there are findings.
    """
    from ledger.verification.receipt import read_receipt
    from ledger.verification.verdict import verifier_of, verify

    note = ledger.entries.checkpoint()
    policy = None if policy_file is None else _policy(policy_file, since, vkeys)
    keys = [verifier_of(vkey) for vkey in vkeys]
    own = _KeyFolder.of(ledger, note)
    keys_from = _keys_from(vkeys, policy_file, own, log_keys)
    keys = keys or own.keys
    keys = list(policy.logs) if policy else keys
    pins = {f"--since {path}": _read_pin(path, keys, policy) for path in since}
    earlier = None if receipt is None else read_receipt(receipt)
    with progress("verifying", quiet=True) as advance:
        verdict = verify(
            ledger.location,
            note,
            keys,
            pins=pins,
            record=own.record,
            record_fault=own.fault,
            on_progress=advance,
            jobs=jobs,
            indexes=indexes,
            digests=digests,
            without_names=without_names,
            receipt=earlier,
            with_receipt=receipt is not None,
        )
    _show(form, verdict, keys_from)
    if policy and verdict.checkpoint:
        cosigned = max((pin.size for pin in pins.values()), default=0)
        if cosigned < verdict.checkpoint.size:
            say(f"Not checked: whether witnesses cosigned the entries after position {cosigned}.")
    _check_verified(verdict)
    if receipt is not None and (kept := verdict.receipt(note or "", ledger.clock())):
        kept.write(receipt)
    for path in () if policy else since:  # A cosigned checkpoint is replaced by `log witness`.
        _replace_pin(path, note or "", verdict, pins[f"--since {path}"])


def _check_verified(verdict: Verdict) -> None:
    from ledger.errors import VerificationFailed

    if not verdict.verified:
        count = verdict.verification.count
        raise VerificationFailed(
            f"The ledger is not verified: {count} finding{'s' if count > 1 else ''}."
        )


@dataclass(frozen=True, slots=True)
class _KeyFolder:
    """The content of the log's key folder; empty if it is not on this machine."""

    keys: list[Verifier] = field(default_factory=list)
    record: Checkpoint | None = None
    """The signer's record."""
    fault: str = ""
    """Why the signer's record cannot be read."""
    folder: Path | None = None

    @classmethod
    def of(cls, ledger: Ledger, note: str | None) -> _KeyFolder:
        """The folder of the log that signed a note."""
        from ledger.verification.verdict import record_of

        signer = ledger.signers(note.split("\n", maxsplit=1)[0]) if note is not None else None
        if signer is None:
            return cls()
        kept = record_of(signer.key)
        return cls(list(signer.key.verifiers), *kept, folder=signer.key.folder)


def _keys_from(
    vkeys: Sequence[str], policy_file: Path | None, own: _KeyFolder, log_keys: Setting
) -> str | None:
    """Where the keys come from that the verdict relies on; None without any."""
    if policy_file is not None:
        return f"--policy {policy_file}"
    if vkeys:
        return "--key"
    if own.folder is None:
        return None
    named = "by default" if log_keys.value is None else f"log_keys from {log_keys.source}"
    return f"the folder {own.folder}, {named}"


def _policy(path: Path, since: Sequence[Path], vkeys: Sequence[str]) -> Policy:
    """The policy. Without a cosigned checkpoint it would check nothing."""
    from ledger.errors import InvalidInput

    if vkeys:
        raise InvalidInput("--policy names the log's keys already: leave out --key.")
    policy = read_policy(path)
    if not since and policy.quorum != "none":
        raise InvalidInput(
            f"{path} requires witnesses: give the checkpoint that they cosigned with --since.",
            remedy=f"To get one: authledger log witness --policy {path} -o KEPT",
        )
    return policy


def _read_pin(path: Path, keys: Sequence[Verifier], policy: Policy | None) -> Checkpoint:
    from ledger.errors import NotFound
    from ledger.verification.verdict import pinned

    try:
        return pinned(path.read_bytes(), str(path), keys, policy)
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no checkpoint file {path}.",
            remedy="Keep a checkpoint first, where nobody else can write: authledger log "
            "checkpoint > FILE",
        ) from error


def _show(form: Output, verdict: Verdict, keys_from: str | None) -> None:
    done, checkpoint = verdict.verification, verdict.checkpoint
    if form is not Output.TABLE:
        document = {
            "verified": verdict.verified,
            "entries": done.size,
            "origin": checkpoint.origin if checkpoint else None,
            "checkpoint_size": checkpoint.size if checkpoint else None,
            "keys_from": keys_from,
            "findings": [{"place": each.place, "what": each.what} for each in done.findings],
            "findings_in_all": done.count,
            "not_checked": list(verdict.unchecked),
            "only_hashed": done.rehashed,
            "receipt": verdict.relied or None,
        }
        show(form, tuple(document), [tuple(document.values())])
        return
    out(*map(str, done.findings))
    if done.count > len(done.findings):
        out(f"… and {done.count - len(done.findings)} more")
    if verdict.verified and checkpoint is not None:
        names = ", ".join(key.key_id.hex() for key in verdict.signed_by)
        keys = "key" if len(verdict.signed_by) == 1 else "keys"
        out(
            f"Verified: all {done.size} entries of {checkpoint.origin}, against its checkpoint of "
            f"{checkpoint.size} entries, signed with the {keys} {names}."
        )
        say(f"The {keys} came from: {keys_from}.")
    if verdict.relied:
        say(f"Receipt: {verdict.relied}.")
    say("\n".join(f"Not checked: {each}." for each in verdict.unchecked))


def _replace_pin(path: Path, note: str, verdict: Verdict, pin: Checkpoint) -> None:
    """Put the checkpoint that was just verified in the place of an older one that was kept."""
    from ledger import durable_file

    checkpoint = verdict.checkpoint
    if checkpoint is None or checkpoint.size <= pin.size:
        return
    durable_file.write(path, note.encode())
    say(f"{path} now holds the checkpoint of {checkpoint.size} entries (before: {pin.size}).")
