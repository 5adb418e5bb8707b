"""authledger log witness: have the newest checkpoint cosigned, as a policy requires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Opening, command
from cli.printing.output import exact, say
from cli.reading import ledger_of

if TYPE_CHECKING:
    from ledger.merkle.policy import Policy

PolicyFile = Annotated[
    Path,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="The log's key, the witnesses with their addresses, and how many must cosign "
        "(c2sp.org/tlog-policy).",
    ),
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The file for the cosigned checkpoint; an older one is replaced. Default: print it.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    command(app, "witness")(witness)


def witness(ask: Opening, policy: PolicyFile, into: Into = None) -> None:
    """Have witnesses cosign the newest checkpoint: each confirms that the log only grew.

    The cosignatures are verified under the policy before the checkpoint is written. Give the file
    to `log verify --policy` with --since.
    """
    from ledger import durable_file
    from ledger.errors import StoreUnavailable
    from ledger.log.witness import cosigned_before, witnessed
    from ledger.merkle.invalid import PolicyInvalid
    from ledger.merkle.note import format_note

    trusted = read_policy(policy)
    known = 0
    if into is not None and into.exists():
        known = cosigned_before(into.read_bytes(), trusted.logs)
    with ledger_of(ask) as ledger:
        got = witnessed(ledger.entries, trusted, known=known)
    for failure in got.failures:
        say(f"No cosignature from {failure}.")
    try:
        accepted = trusted.accept(got.note)
    except PolicyInvalid as error:
        raise StoreUnavailable(
            f"The checkpoint of {got.checkpoint.size} entries does not have the cosignatures that "
            f"the policy requires: {error}",
            remedy="No file was written. Try again when the witnesses can be reached.",
        ) from error
    if into is None:
        exact(format_note(got.note))
    else:
        durable_file.write(into, format_note(got.note).encode())
    names = ", ".join(each.verifier.name for each in accepted.cosignatures)
    has = f"is cosigned by {names}" if names else "has no cosignature; the policy requires none"
    say(f"The checkpoint of {got.checkpoint.size} entries of {got.checkpoint.origin} {has}.")


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises NotFound, InvalidInput."""
    from ledger.errors import InvalidInput, NotFound
    from ledger.merkle.invalid import PolicyInvalid
    from ledger.merkle.policy import parse_policy

    try:
        return parse_policy(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(f"There is no policy file {path}.") from error
    except PolicyInvalid as error:
        raise InvalidInput(f"{path} is not a valid policy: {error}") from error
