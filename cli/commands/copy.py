"""authledger copy: the ledger to another place, entry by entry, under the same root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.appended import counted
from cli.options import Printing, command
from cli.printing.output import Output, out, say, show
from cli.printing.progress import progress
from cli.printing.text import as_cell

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.copying.copy import Copied

From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="PATH|URL",
        help="The ledger to copy: a path, sqlite:///PATH or postgresql://…. It is only read.",
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="PATH|URL",
        help="Where to: an empty place, or one that holds the beginning of the same ledger.",
    ),
]
WithoutNames = Annotated[
    bool,
    typer.Option(
        "--without-names",
        help="Leave out who stands behind the surrogate ids: names and salts.",
    ),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Read every byte of the copy again at the end.")
]


def register(app: typer.Typer) -> None:
    command(app, "copy", rich_help_panel="Keep")(copy)


def copy(
    ask: Printing,
    source: From,
    target: To,
    without_names: WithoutNames = False,
    verify: Verify = False,
) -> None:
    """Copy a ledger, between files and PostgreSQL in any direction: the same bytes at the same
    positions, under the same root.

    Broken off, it goes on where it was; what came to the source since the last time is added. Names
    go along (who was erased is erased there too), the newest checkpoint as well; the log's key
    stays where it is, and the views are built anew. A target that holds anything else is refused.
    """
    from ledger.copying.copy import check_are_two
    from ledger.copying.copy import copy as copied_between
    from ledger.errors import VerificationFailed
    from ledger.merkle.note import base64_text
    from ledger.persistence.location import location_of

    form = ask.form
    check_are_two(location_of(source), location_of(target))
    with _opened(ask, source, create=False) as one, _opened(ask, target, create=True) as other:
        with progress("copying") as advance:
            done = copied_between(one, other, with_names=not without_names, on_progress=advance)
        findings = _findings(other, done) if verify else None
    _tell(
        form,
        {
            "source": str(one.location),
            "target": str(other.location),
            "copied": done.size - done.before,
            "already_there": done.before,
            "size": done.size,
            "root": base64_text(done.root),
            "names": "left out" if without_names else "copied",
            "verified": None if findings is None else not findings,
        },
    )
    if done.later:
        say(f"{done.later} entries came to the source meanwhile: copy again to add them.")
    if findings:
        say("\n".join(findings))
        raise VerificationFailed(f"The copy is not verified: {len(findings)} findings.")


def _opened(ask: Printing, place: str, *, create: bool) -> Ledger:
    from ledger.application import Ledger
    from ledger.catalogue import load_catalogue

    catalogue = load_catalogue(ask.settings.catalogue)
    return counted(Ledger(place, create=create, catalogue=catalogue))


def _findings(other: Ledger, done: Copied) -> list[str]:
    """What a verification of the copy finds: that it is whole, and still has that root."""
    from ledger.verification.entries import verify_entries

    with progress("verifying", quiet=True) as advance:
        found = verify_entries(other.location, [done.size], advance)
    root = found.roots.get(done.size)
    wrong = [] if root == done.root else [f"root: the first {done.size} entries have another"]
    return wrong + [str(finding) for finding in found.findings]


def _tell(form: Output, told: Mapping[str, Any]) -> None:
    if form is Output.TABLE:
        lines = {name.replace("_", " "): value for name, value in told.items() if value is not None}
        out(*(f"{name:<14} {as_cell(value)}" for name, value in lines.items()))
    else:
        show(form, tuple(told), [tuple(told.values())])
