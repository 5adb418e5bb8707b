"""The commands of `authledger log` that give proofs away, and the one that checks them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Opening, Reading, command
from cli.printing.output import out, say, show
from cli.printing.progress import progress
from cli.reading import ledger_of

Position = Annotated[int | None, typer.Argument(help="Of which entry.", show_default=False)]
Into = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Where the proof goes; the entry goes beside it. Default: POSITION.tlog-proof.",
    ),
]
Sizes = Annotated[
    tuple[int, int] | None,
    typer.Option(
        "--consistency", metavar="OLD NEW", help="That the log only grew between two sizes."
    ),
]
Proof = Annotated[Path, typer.Argument(metavar="FILE", help="The .tlog-proof.")]
Entry = Annotated[
    Path | None,
    typer.Option("--entry", metavar="FILE", help="The entry's bytes. Default: beside the proof."),
]
Keys = Annotated[
    list[str],
    typer.Option("--key", metavar="VKEY", help="The verifier key, as its owner gave it to you."),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder; made if it is not there.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    command(app, "prove")(prove)
    app.command("verify-proof")(verify_proof)
    command(app, "export")(export)


def prove(
    ask: Opening, position: Position = None, into: Into = None, consistency: Sizes = None
) -> None:
    """Prove that an entry is in the log (a .tlog-proof file), or that the log only grew.

    The proof and the entry's bytes are all that somebody needs who knows the verifier key: neither
    this ledger nor this program.
    """
    from ledger import durable_file
    from ledger.errors import InvalidInput

    if (position is None) == (consistency is None):
        raise InvalidInput("Name a position, or two sizes with --consistency.")
    if consistency is not None:
        _prove_growth(ask, *consistency)
        return
    from ledger.log import prover

    path = into or Path(f"{position}.tlog-proof")
    beside = _entry_beside(path)
    with ledger_of(ask) as ledger:
        proof = prover.inclusion(ledger.entries, position or 0)
        entry = ledger.entry_text(position or 0).encode(errors="surrogateescape")
    durable_file.write(beside, entry, mode=None)
    durable_file.write(path, str(proof).encode(), mode=None)
    say(f"{path} proves the entry {beside}.")


def _prove_growth(ask: Opening, old: int, new: int) -> None:
    from ledger.log import prover
    from ledger.merkle.note import base64_text

    with ledger_of(ask) as ledger:
        hashes = prover.consistency(ledger.entries, old, new)
    say(f"The log of {old} entries is the beginning of that of {new}:")
    out(*map(base64_text, hashes))


def verify_proof(proof: Proof, key: Keys, entry: Entry = None) -> None:
    """Check a .tlog-proof with nothing but the entry and the verifier key. Needs no ledger."""
    from ledger.errors import VerificationFailed
    from ledger.merkle import tlogproof
    from ledger.merkle.invalid import EvidenceInvalid
    from ledger.merkle.policy import trusting
    from ledger.verification.verdict import verifier_of

    trusted = trusting([verifier_of(each) for each in key])
    beside = entry or _entry_beside(proof)
    try:
        parsed = tlogproof.parse_proof(_bytes_of(proof))
        accepted = tlogproof.verify_proof(parsed, _bytes_of(beside), trusted)
    except EvidenceInvalid as error:
        raise VerificationFailed(f"{proof} does not prove {beside}: {error}") from error
    checkpoint = accepted.checkpoint
    out(
        f"Verified: {beside} is position {parsed.index + 1} of {checkpoint.origin}, "
        f"under its checkpoint of {checkpoint.size} entries."
    )
    say("Not checked: what came after it, and what is not in this log.")


def _entry_beside(proof: Path) -> Path:
    """Where the entry lies that a proof is of. Raises InvalidInput if it cannot lie there."""
    from ledger.errors import InvalidInput

    if proof.is_dir() or proof.suffix == ".entry":
        raise InvalidInput(
            f"{proof} is no name for a proof: it is a folder, or ends as its entry does.",
            remedy="Name a file such as 3.tlog-proof.",
        )
    return proof.with_suffix(".entry")


def _bytes_of(path: Path) -> bytes:
    from ledger.errors import NotFound

    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error


def export(ask: Reading, folder: Folder) -> None:
    """Write the log as static files for any tlog-tiles client: only what grew since the last time.

    checkpoint, tile/<level>/<n>, tile/entries/<n> (c2sp.org/tlog-tiles). A web server or an object
    store may serve them as they are.
    """
    from ledger.log import prover

    form = ask.form
    with ledger_of(ask) as ledger, progress("exporting", quiet=True) as advance:
        before, after = prover.export(ledger.entries, folder, advance)
    show(form, ("folder", "before", "entries"), [(str(folder), before, after)])
