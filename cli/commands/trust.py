"""authledger trust: allow the authledger.toml of a folder to name keys, catalogues and servers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Form, Raw, command
from cli.printing.output import Output, say, show
from cli.settings import GUARDED, LOCAL_FILE, guarded_in, settings_in, trusted_files
from cli.trusted import place_of, sha256_of

Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help=f"The folder of the {LOCAL_FILE}."),
]
List = Annotated[bool, typer.Option("--list", help="List the files that are trusted.")]
Remove = Annotated[
    bool, typer.Option("--remove", help="Remove the file of that folder from the trusted files.")
]


def register(app: typer.Typer) -> None:
    command(app, "trust", rich_help_panel="Keep")(trust)


def trust(
    folder: Folder = None,
    list_: List = False,
    remove: Remove = False,
    output: Form = None,
    raw: Raw = False,  # noqa: ARG001  `command` passes it on.
) -> None:
    """Trust the authledger.toml in DIR, with its present content.

    A file that is not trusted must not name a catalogue, a folder of keys or a PostgreSQL server:
    these decide which policies are protected, which programs run, whose signatures are believed
    and who receives passwords. The trust is recorded in the user's configuration folder, and ends
    when the file changes. Read the file before you trust it.
    """
    from ledger.errors import InvalidInput

    if list_ == (folder is not None) or (list_ and remove):
        raise InvalidInput(
            "Give one folder, or --list.",
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
            f"There is no file {file}. Nothing was trusted.",
            remedy=f"Give a folder that contains an {LOCAL_FILE}.",
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
            f"{place_of(file)} was not trusted. Nothing was changed.",
            remedy="To list the trusted files: authledger trust --list",
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
