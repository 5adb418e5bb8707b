"""The entry point: the tree of commands, the options before them, errors to exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import (
    agency,
    audit,
    authorization,
    catalogue,
    console,
    copy,
    credential,
    demo,
    exits,
    feature,
    importing,
    log,
    policy,
    projection,
    query,
    subject,
    view,
)
from cli.options import Account, CatalogueFolder, Ledger, Provider, Root
from cli.settings import truthy

NAME = "authledger"


class Voice(TyperGroup):
    """The root command: whatever goes wrong in any command ends here, as an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002  It has one name, however it is called.
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        given = list(sys.argv[1:] if args is None else args)
        try:
            _refuse_broken_text(given)
            result = super().main(given, NAME, complete_var, False, windows_expand_args, **extra)
            code = result if isinstance(result, int) else exits.DONE
        except SystemExit as left:
            # Typer itself leaves so when the reader of our output has gone.
            went = isinstance(left.__context__, BrokenPipeError)
            code = exits.READER_WENT if went else left.code if isinstance(left.code, int) else 1
        except BaseException as error:  # noqa: BLE001  Nothing may leave as a traceback.
            code = exits.told(error, debug=_debug(given))
        code = exits.flushed(code)
        if standalone_mode:
            sys.exit(code)
        return code


def _refuse_broken_text(args: Sequence[str]) -> None:
    """Bytes that are no text in the terminal's encoding arrive as lone surrogates."""
    for text in args:
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            from ledger.errors import InvalidInput

            raise InvalidInput(f"{text!a} is no text in this terminal's encoding.")


def _debug(args: Sequence[str]) -> bool:
    return "--debug" in args or truthy(os.environ.get("AUTHLEDGER_DEBUG"))


app = typer.Typer(
    name=NAME,
    cls=Voice,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Boxes for a terminal, plain lines for a file or another program.
    rich_markup_mode="markdown" if sys.stdout and sys.stdout.isatty() else None,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Exit codes: 0 done · 1 a bug · 2 usage · 3 refused (and recorded) · 4 not found · "
    "5 conflict · 6 verification failed · 7 the ledger or a file cannot be read or written.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            release = version(NAME)
        except PackageNotFoundError:
            release = "(not installed)"
        typer.echo(f"{NAME} {release}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", "-V", help="Print the version.", is_eager=True, callback=_version),
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show where an error happened (AUTHLEDGER_DEBUG=1).")
]


@app.callback()
def authledger(
    ctx: typer.Context,
    *,
    ledger: Ledger = None,
    catalogue: CatalogueFolder = None,
    provider: Provider = None,
    account: Account = None,
    debug: Debug = False,
    version: Version = False,  # noqa: ARG001  Its callback answers it.
) -> None:
    """An event-sourced authorization ledger for cloud delegations.

    Who allowed which cloud service to act in an account, in which region, when, on whose consent;
    what was attempted and refused; and what the answer was on any past day.

    Options come from flags, then AUTHLEDGER_* variables, ./authledger.toml, the XDG configuration,
    and defaults. `authledger demo` plays a whole story.
    """
    ctx.obj = Root(ledger, catalogue, provider, account, debug)


_STORY, _ASK, _KEEP = "Act", "Ask", "Keep"
for name, group, panel in (
    ("console", console.app, _STORY),
    ("authorization", authorization.app, _STORY),
    ("agency", agency.app, _STORY),
    ("policy", policy.app, _STORY),
    ("credential", credential.app, _STORY),
    ("feature", feature.app, _STORY),
    ("audit", audit.app, _ASK),
    ("import", importing.app, _KEEP),
    ("log", log.app, _KEEP),
    ("projection", projection.app, _KEEP),
    ("subject", subject.app, _KEEP),
    ("catalogue", catalogue.app, _ASK),
):
    app.add_typer(group, name=name, rich_help_panel=panel, no_args_is_help=True)
view.register(app)
query.register(app)
copy.register(app)
demo.register(app)


def run() -> None:
    """What the installed command calls."""
    if sys.stdout is None:  # Closed by the caller, who wants the exit code only.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  Until the end.
    app(prog_name=NAME)


if __name__ == "__main__":
    run()
