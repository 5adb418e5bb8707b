"""authledger copy: copy a ledger to another place, entry by entry, under the same root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.appended import counted
from cli.options import Printing, Where, command
from cli.printing.output import Output, out, say, show
from cli.printing.progress import progress
from cli.printing.text import as_cell

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.copying.copy import Copied
    from ledger.persistence.location import Location
    from ledger.verification.findings import Verification

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
        help="The target: an empty place, or one that holds the beginning of the same ledger.",
    ),
]
WithoutNames = Annotated[
    bool,
    typer.Option(
        "--without-names",
        help="Leave out what can be erased: the names behind surrogate ids, and the texts of policy "
        "documents, which may name people.",
    ),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="At the end, read every byte of the copy again.")
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
    """Copy a ledger between files and PostgreSQL, in any direction, byte for byte.

    Entries keep their positions, so the copy has the same root. Run it again to continue a copy
    that was interrupted, or to add what was appended to the source since. Names and documents are
    copied, and what was erased in the source is erased in the target too. So is the newest
    checkpoint copied. The log's key stays where it is, and the views are built anew. A target that
    holds anything else is refused.
    """
    from ledger.copying.copy import check_are_two
    from ledger.copying.copy import copy as copied_between
    from ledger.persistence.location import location_of

    form = ask.form
    check_are_two(location_of(source), location_of(target))
    with _source(ask, source) as one, opened_at(ask, target, create=True) as other:
        with progress("copying") as advance:
            done = copied_between(one, other, with_names=not without_names, on_progress=advance)
        found = verified(other, done, with_names=not without_names) if verify else None
    print_copied(form, one, other, done, with_names=not without_names, found=found)
    if done.later:
        say(
            f"{done.later} entries were appended to the source during the copy: run it again to "
            "add them."
        )
    if found is not None:
        check_verified(found, "copy")


def _source(ask: Printing, place: str) -> Ledger:
    from ledger.errors import NotFound

    try:
        return opened_at(ask, place, create=False)
    except NotFound as error:
        raise NotFound(
            f"{error.message} Nothing was copied.", remedy="Name the ledger to copy with --from."
        ) from error


def opened_at(ask: Where, place: str | Location, *, create: bool) -> Ledger:
    """Open the ledger at a place, without its key."""
    from ledger.application import Ledger
    from ledger.catalogue import load_catalogue

    catalogue = load_catalogue(ask.settings.catalogue)
    return counted(Ledger(place, create=create, catalogue=catalogue))


def verified(other: Ledger, done: Copied, *, with_names: bool = True) -> Verification:
    """Verify the copy, and that it still has the root that the copying returned."""
    from ledger.verification.entries import verify_entries

    with progress("verifying", quiet=True) as advance:
        found = verify_entries(other.location, [done.size], advance, without_names=not with_names)
    if found.roots.get(done.size) != done.root:
        found.add_log("root", f"the first {done.size} entries do not give the root of the source")
    return found


def check_verified(found: Verification, what: str) -> None:
    """Print the findings. Raises VerificationFailed if there are any."""
    from ledger.errors import VerificationFailed

    if not found.count:
        return
    say("\n".join(map(str, found.findings)))
    if found.count > len(found.findings):
        say(f"… and {found.count - len(found.findings)} more")
    raise VerificationFailed(
        f"The {what} is not verified: {found.count} finding{'s' if found.count > 1 else ''}."
    )


def print_copied(
    form: Output,
    one: Ledger,
    other: Ledger,
    done: Copied,
    *,
    with_names: bool,
    found: Verification | None,
) -> None:
    """Print the result of a copy."""
    from ledger.merkle.note import base64_text

    result = {
        "source": str(one.location),
        "target": str(other.location),
        "copied": done.size - done.before,
        "already_there": done.before,
        "size": done.size,
        "root": base64_text(done.root),
        "names": "copied" if with_names else "left out",
        "verified": None if found is None else not found.count,
    }
    if form is Output.TABLE:
        lines = {
            name.replace("_", " "): value for name, value in result.items() if value is not None
        }
        out(*(f"{name:<14} {as_cell(value)}" for name, value in lines.items()))
    else:
        show(form, tuple(result), [tuple(result.values())])
