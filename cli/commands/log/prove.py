"""authledger log prove, verify-proof and export: proofs of a log for other people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Opening, Reading, command
from cli.printing.output import out, say, show
from cli.printing.progress import progress
from cli.reading import ledger_of

Position = Annotated[
    int | None, typer.Argument(help="The position of the entry.", show_default=False)
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The file for the proof; the entry's bytes go to the same name with .entry. Default: "
        "POSITION.tlog-proof.",
    ),
]
Sizes = Annotated[
    tuple[int, int] | None,
    typer.Option(
        "--consistency", metavar="OLD NEW", help="Prove that the log only grew between two sizes."
    ),
]
Proof = Annotated[Path, typer.Argument(metavar="FILE", help="The .tlog-proof file.")]
Entry = Annotated[
    Path | None,
    typer.Option(
        "--entry", metavar="FILE", help="The entry's bytes. Default: the proof's name with .entry."
    ),
]
Keys = Annotated[
    list[str],
    typer.Option(
        "--key", metavar="VKEY", help="The verifier key, as the log's owner gave it to you."
    ),
]
Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder to write to; made if it does not exist.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    command(app, "prove")(prove)
    app.command("verify-proof")(verify_proof)
    command(app, "export")(export)


def prove(
    ask: Opening, position: Position = None, into: Into = None, consistency: Sizes = None
) -> None:
    """Write a proof that an entry is in the log (.tlog-proof), or print one that it only grew.

    A reader who knows the verifier key needs only the proof and the entry's bytes, neither this
    ledger nor this program.
    """
    from ledger import durable_file
    from ledger.errors import InvalidInput

    if (position is None) == (consistency is None):
        raise InvalidInput("Give either a position, or two sizes with --consistency.")
    if consistency is not None:
        _prove_growth(ask, *consistency)
        return
    from ledger.log import prover

    path = into or Path(f"{position}.tlog-proof")
    entry_path = _entry_path(path)
    with ledger_of(ask) as ledger:
        proof = prover.inclusion(ledger.entries, position or 0)
        entry = ledger.entry_text(position or 0).encode(errors="surrogateescape")
    durable_file.write(entry_path, entry, mode=None)
    durable_file.write(path, str(proof).encode(), mode=None)
    say(f"Wrote the proof to {path}, and the entry's bytes to {entry_path}.")


def _prove_growth(ask: Opening, old: int, new: int) -> None:
    from ledger.log import prover
    from ledger.merkle.note import base64_text

    with ledger_of(ask) as ledger:
        hashes = prover.consistency(ledger.entries, old, new)
    say(
        f"Proof that the log of {old} entries is the beginning of the log of {new} entries, in base64:"
    )
    out(*map(base64_text, hashes))


def verify_proof(proof: Proof, key: Keys, entry: Entry = None) -> None:
    """Check a .tlog-proof with only the entry and the verifier key. Needs no ledger."""
    from ledger.errors import VerificationFailed
    from ledger.merkle import tlogproof
    from ledger.merkle.invalid import EvidenceInvalid
    from ledger.merkle.policy import trusting
    from ledger.verification.verdict import verifier_of

    trusted = trusting([verifier_of(each) for each in key])
    entry_path = entry or _entry_path(proof)
    try:
        parsed = tlogproof.parse_proof(_bytes_of(proof))
        accepted = tlogproof.verify_proof(parsed, _bytes_of(entry_path), trusted)
    except EvidenceInvalid as error:
        raise VerificationFailed(f"{proof} does not prove {entry_path}: {error}") from error
    checkpoint = accepted.checkpoint
    out(
        f"Verified: {entry_path} is position {parsed.index + 1} of {checkpoint.origin}, "
        f"by its checkpoint of {checkpoint.size} entries."
    )
    say("Not checked: the other entries of the log, and whether everything that happened is in it.")


def _entry_path(proof: Path) -> Path:
    """The file of the entry that a proof is of. Raises InvalidInput if it would be the same."""
    from ledger.errors import InvalidInput

    if proof.is_dir() or proof.suffix == ".entry":
        raise InvalidInput(
            f"{proof} cannot hold a proof: it is a folder, or its name ends in .entry, as the "
            "file with the entry's bytes does.",
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
    """Write the log as static files for any tlog-tiles client; only what is new since last time.

    The files are checkpoint, tile/<level>/<n> and tile/entries/<n> (c2sp.org/tlog-tiles). A web
    server or an object store can serve them as they are.
    """
    from ledger.log import static_export

    form = ask.form
    with ledger_of(ask) as ledger, progress("exporting", quiet=True) as advance:
        before, after = static_export.export(ledger.entries, folder, advance)
    show(form, ("folder", "before", "entries"), [(str(folder), before, after)])
