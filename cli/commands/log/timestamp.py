"""authledger log timestamp and verify-timestamp: that a checkpoint existed at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.printing.output import out, say

Kept = Annotated[
    Path, typer.Argument(metavar="CHECKPOINT", help="A checkpoint that you kept in a file.")
]
Stamp = Annotated[
    Path, typer.Argument(metavar="TIMESTAMP", help="The file with the timestamp (.tsr).")
]
Authority = Annotated[
    str, typer.Option("--tsa", metavar="URL", help="The timestamp authority (RFC 3161).")
]
Roots = Annotated[
    Path,
    typer.Option(
        "--tsa-ca",
        metavar="FILE",
        help="The authority's root certificate (PEM), which you got from the authority itself.",
    ),
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The file for the timestamp. Default: CHECKPOINT.tsr.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command("timestamp")(timestamp)
    app.command("verify-timestamp")(verify_timestamp)


def timestamp(checkpoint: Kept, tsa: Authority, tsa_ca: Roots, into: Into = None) -> None:
    """Have a timestamp authority confirm that a checkpoint exists now: it cannot be backdated.

    The answer is verified before it is written. Needs no ledger.
    """
    from ledger import durable_file
    from ledger.log.timestamp import request_stamp, roots_of

    text = _text_of(checkpoint)
    stamp = request_stamp(text, tsa, roots_of(_bytes_of(tsa_ca), str(tsa_ca)))
    path = into or checkpoint.with_name(f"{checkpoint.name}.tsr")
    durable_file.write(path, stamp.data)
    say(
        f"Wrote {path}: the authority confirms that {checkpoint} existed at {stamp.at.isoformat()}."
    )


def verify_timestamp(checkpoint: Kept, stamp: Stamp, tsa_ca: Roots) -> None:
    """Check an authority's timestamp of a checkpoint. Needs no ledger."""
    from ledger.log.timestamp import roots_of, verify_stamp

    roots = roots_of(_bytes_of(tsa_ca), str(tsa_ca))
    at = verify_stamp(_text_of(checkpoint), _bytes_of(stamp), roots)
    out(f"Verified: {checkpoint} existed at {at.isoformat()}.")
    say(f"Not checked: who signed the checkpoint (authledger log verify --since {checkpoint}).")


def _text_of(path: Path) -> str:
    """The checkpoint's text without signatures, which may be added later: it gets the timestamp."""
    from ledger.errors import InvalidInput
    from ledger.merkle.checkpoint import parse_checkpoint
    from ledger.merkle.invalid import NoteInvalid
    from ledger.merkle.note import parse_note

    try:
        note = parse_note(_bytes_of(path))
        parse_checkpoint(note.text)
    except NoteInvalid as error:
        raise InvalidInput(f"{path} is not a valid checkpoint: {error}") from error
    return note.text


def _bytes_of(path: Path) -> bytes:
    from ledger.errors import NotFound

    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
