"""authledger trust: let a working folder's authledger.toml name what decides whom one believes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Form, command
from cli.printing.output import Output, say, show
from cli.settings import GUARDED, LOCAL_FILE, guarded_in, settings_in, trusted_files
from cli.trusted import place_of, sha256_of

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help=f"The folder whose {LOCAL_FILE} is meant."),
]
List = Annotated[bool, typer.Option("--list", help="List the files that are trusted.")]
Remove = Annotated[bool, typer.Option("--remove", help="Trust that folder's file no longer.")]


def register(app: typer.Typer) -> None:
    command(app, "trust", rich_help_panel="Keep")(trust)


def trust(
    folder: Folder = None,
    list_: List = False,
    remove: Remove = False,
    output: Form = None,
) -> None:
    """Trust the authledger.toml in DIR, with the content that it has now.

    An untrusted one may not name a catalogue, a folder of keys or a PostgreSQL server: these run
    programs, say whom to believe and receive passwords. The trust is recorded in the user's
    configuration folder, and ends when the file changes. Read the file before you trust it.
    """
    from ledger.errors import InvalidInput

    if list_ == (folder is not None) or (list_ and remove):
        raise InvalidInput(
            "Name one folder, or ask for the list.",
            remedy="`authledger trust DIR`, `authledger trust --remove DIR` or "
            "`authledger trust --list`.",
        )
    if folder is None:
        _list(output or Output.TABLE)
    elif remove:
        _remove(folder / LOCAL_FILE)
    else:
        _add(folder / LOCAL_FILE)


def _add(file: Path) -> None:
    from ledger.errors import NotFound

    if not file.is_file():
        raise NotFound(
            f"There is no file {file}; nothing was trusted.",
            remedy=f"Name a folder that holds an {LOCAL_FILE}.",
        )
    content = file.read_bytes()
    wanted = guarded_in(settings_in(file, content))
    trusted_files().add(file, content)
    say(f"Trusted: {place_of(file)}, SHA-256 {sha256_of(content)}")
    for name in wanted:
        say(f"It sets {name}: {GUARDED[name]}.")


def _remove(file: Path) -> None:
    from ledger.errors import NotFound

    if not trusted_files().remove(file):
        raise NotFound(
            f"{place_of(file)} was not trusted; nothing was changed.",
            remedy="`authledger trust --list` shows the files that are.",
        )
    say(f"No longer trusted: {place_of(file)}")


def _list(form: Output) -> None:
    rows = [
        (file, _state(Path(file), digest), digest) for file, digest in trusted_files().entries()
    ]
    show(form, ("file", "state", "sha256"), rows, empty="No file is trusted.")


def _state(file: Path, digest: str) -> str:
    if not file.is_file():
        return "missing"
    return "trusted" if sha256_of(file.read_bytes()) == digest else "changed"
