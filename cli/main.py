"""The entry point: the tree of commands, the options before them, and how a run ends."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, MutableMapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from cli import exits
from cli.appended import counting
from cli.input import check_text
from cli.options import (
    Account,
    CatalogueFolder,
    Ledger,
    Provider,
    RequireSignature,
    Root,
)
from cli.printing.output import escape_what_does_not_encode
from cli.settings import truthy

NAME = "authledger"
GARBAGE_COLLECTION_THRESHOLD: Final = 50_000
"""How many objects are allocated between two cyclic garbage collections. At Python's default, 700,
importing the modules alone causes some hundred of them, and a large transaction is walked again and
again; this program makes hardly any cycles."""


_BEGIN, _STORY, _ASK, _KEEP = "Begin here", "Act", "Ask", "Keep"
_COMMANDS: Final = {
    "view": ("cli.commands.view", _ASK),
    "query": ("cli.commands.query", _ASK),
    "demo": ("cli.commands.demo.play", _BEGIN),
    "docs": ("cli.commands.docs", _BEGIN),
    "console": ("cli.commands.console", _STORY),
    "authorization": ("cli.commands.authorization", _STORY),
    "agency": ("cli.commands.agency", _STORY),
    "policy": ("cli.commands.policy", _STORY),
    "credential": ("cli.commands.credential", _STORY),
    "feature": ("cli.commands.feature", _STORY),
    "audit": ("cli.commands.audit.group", _ASK),
    "import": ("cli.commands.import_traces", _KEEP),
    "copy": ("cli.commands.copy", _KEEP),
    "backup": ("cli.commands.backup", _KEEP),
    "export": ("cli.commands.export", _KEEP),
    "log": ("cli.commands.log.group", _KEEP),
    "database": ("cli.commands.database", _KEEP),
    "projection": ("cli.commands.projection", _KEEP),
    "trust": ("cli.commands.trust", _KEEP),
    "config": ("cli.commands.config", _KEEP),
    "subject": ("cli.commands.subject", _KEEP),
    "document": ("cli.commands.document", _KEEP),
    "catalogue": ("cli.commands.catalogue", _ASK),
}
"""By command or group: its module, and its heading in `--help`."""


class RootCommand(TyperGroup):
    """The root command: every error of any command becomes an exit code here.

    The module of a command is imported when the command is called; `--help` imports all of them.
    """

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """All commands."""
        self._loaded = {name: self._command(name) for name in _COMMANDS}
        return self._loaded

    @commands.setter
    def commands(self, given: MutableMapping[str, Any]) -> None:
        self._loaded = dict(given)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  The typer interface.
        return self._command(cmd_name) if cmd_name in _COMMANDS else None

    def _command(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _built(name)
        return self._loaded[name]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002  The program has one name, however it is called.
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        given = list(sys.argv[1:] if args is None else args)

        def result() -> Any:
            return super(RootCommand, self).main(
                given, NAME, complete_var, False, windows_expand_args, **extra
            )

        with counting():
            code = _code_of(result, given)
        if standalone_mode:
            sys.exit(code)
        return code


def _code_of(result: Callable[[], Any], given: Sequence[str]) -> int:
    """Run a command; return its exit code, after its output is flushed and its error is printed."""
    try:
        for number, word in enumerate(given, start=1):
            check_text(f"Argument {number}", word)
        done = result()
        code = done if isinstance(done, int) else exits.DONE
        if code == exits.INTERRUPTED:  # Typer itself turns Ctrl-C into this number, and is silent.
            code = exits.report(KeyboardInterrupt(), debug=False)
    except SystemExit as left:
        # Typer itself leaves so when the reader of our output has gone.
        went = isinstance(left.__context__, BrokenPipeError)
        code = exits.READER_WENT if went else left.code if isinstance(left.code, int) else 1
    except BaseException as error:  # noqa: BLE001  Nothing may leave as a traceback.
        code = exits.report(error, debug=_debug(given))
    return exits.flushed(code)


def _debug(args: Sequence[str]) -> bool:
    return "--debug" in args or truthy(os.environ.get("AUTHLEDGER_DEBUG"))


# Boxes for a terminal, plain lines for a file or another program.
_MARKUP: Any = "markdown" if sys.stdout and sys.stdout.isatty() else None
app = typer.Typer(
    name=NAME,
    cls=RootCommand,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=_MARKUP,
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog="Exit codes: "
    + "; ".join(f"{code} {text}" for code, text in exits.MEANINGS.items())
    + ". More: authledger docs exit-codes",
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
    bool,
    typer.Option(
        "--debug", help="Print where an error happened in the code (or AUTHLEDGER_DEBUG=1)."
    ),
]

ClockTolerance = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="How long after the last entry an append is accepted, e.g. 800d. Default: 366d, since a "
        "longer pause may be a wrong clock.",
        rich_help_panel="Ledger and account",
    ),
]


@app.callback()
def authledger(
    ctx: typer.Context,
    *,
    ledger: Ledger = None,
    catalogue: CatalogueFolder = None,
    provider: Provider = None,
    account: Account = None,
    clock_tolerance: ClockTolerance = None,
    debug: Debug = False,
    require_signature: RequireSignature = False,
    version: Version = False,  # noqa: ARG001  Its callback answers it.
) -> None:
    """An event-sourced authorization ledger for cloud delegations.

    It records which cloud service may act in an account, in which region, since when and on whose
    consent; which attempts were refused; and it answers the same questions for any past day.

    Options come from flags, then AUTHLEDGER_* variables, ./authledger.toml, the XDG configuration,
    and defaults. `authledger demo` plays a whole story; `authledger docs` prints the documentation.
    """
    ctx.obj = Root(ledger, catalogue, provider, account, debug, require_signature, clock_tolerance)


def _built(name: str) -> Any:
    """A command, or a group of them, with its module."""
    module, panel = _COMMANDS[name]
    found = import_module(module)
    alone = typer.Typer(rich_markup_mode=_MARKUP)
    if hasattr(found, "register"):
        found.register(alone)
    else:
        alone.add_typer(found.app, name=name, rich_help_panel=panel, no_args_is_help=True)
    return typer.main.get_group(alone).commands[name]


def run() -> None:
    """Run the program; the installed command calls this."""
    gc.set_threshold(GARBAGE_COLLECTION_THRESHOLD)
    _open_closed_streams()
    escape_what_does_not_encode(sys.stdout)
    try:
        app(prog_name=NAME)
    finally:
        gc.freeze()  # The garbage collection at exit would walk all imported modules: 30 ms.


def _open_closed_streams() -> None:
    """Open the null device in place of a stream that the caller closed.

    The order gives each stream its own file descriptor back, so that no other file gets it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  Open to the end.
            setattr(sys, name, stream)


if __name__ == "__main__":
    run()
