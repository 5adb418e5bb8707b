"""authledger demo: the story of one delegation, played with the real commands."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.commands.demo.story import ACCOUNT, STORY, Step
from cli.exits import BUG, DONE
from cli.printing.output import coloured, warn
from cli.printing.text import safe

Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Keep the ledger in this folder. Default: a temporary one."
    ),
]


def register(app: typer.Typer) -> None:
    app.command("demo", rich_help_panel="Begin here")(demo)


def demo(ctx: typer.Context, ledger_dir: Folder = None) -> None:
    """Play a whole story on a new ledger: consent, use, refusals, revocation, and the views.

    Each command is printed as you would type it, followed by its output and its exit code. The
    demo ends with an error if a command does not end with the expected exit code.
    """
    import tempfile

    if ledger_dir is not None:
        ledger_dir = ledger_dir.absolute()
        ledger_dir.mkdir(parents=True, exist_ok=True)
        _play(ctx, ledger_dir, kept=True)
        return
    with tempfile.TemporaryDirectory(prefix="authledger-demo-") as folder:
        _play(ctx, Path(folder), kept=False)


def _play(ctx: typer.Context, folder: Path, *, kept: bool) -> None:
    ledger = folder / "ledger.db"
    if ledger.exists():
        from ledger.errors import InvalidInput

        raise InvalidInput(
            f"{ledger} already exists. Nothing was played.",
            remedy="Give an empty folder: the story begins on a new ledger.",
        )
    variables = {"AUTHLEDGER_LEDGER": str(ledger), "AUTHLEDGER_ACCOUNT": ACCOUNT}
    with _environment(variables):
        _tell("# The ledger is one file, the account is Huawei Cloud's 0a1b2c3d4e5f.")
        for name, value in variables.items():
            _tell(f"$ export {name}={shlex.quote(value)}")
        for step in STORY:
            _step(ctx, step)
    _tell("\n# That was the whole story.")
    if kept:
        _tell(f"# The ledger is kept: export AUTHLEDGER_LEDGER={shlex.quote(str(ledger))}")


def _step(ctx: typer.Context, step: Step) -> None:
    if step.chapter:
        _tell(f"\n## {step.chapter}")
    _tell(f"\n# {step.says}")
    _tell(f"$ authledger {shlex.join(step.args)}")
    # One stream, so that notes and data keep their order in a file as well.
    with _notes_on_stdout():
        code = _run(ctx, step.args)
    if code != step.ends:
        _failed(step, code)
    if code != DONE:
        _tell(f"(exit code {code})")


def _run(ctx: typer.Context, args: tuple[str, ...]) -> int:
    """Run a command by the same code as one that is typed in a shell; return its exit code."""
    root = ctx.find_root().command
    try:
        return int(root.main(list(args), standalone_mode=False) or DONE)
    finally:
        sys.stdout.flush()


def _failed(step: Step, code: int) -> NoReturn:
    warn(
        f"The demo failed: `{shlex.join(step.args)}` ended with the exit code {code}; expected: "
        f"{step.ends}."
    )
    raise typer.Exit(code or BUG)


def _tell(text: str) -> None:
    style = "\x1b[1m" if "$ " in text else "\x1b[36m"
    for line in map(safe, text.split("\n")):
        is_styled = line and coloured(sys.stdout)
        sys.stdout.write(f"{style}{line}\x1b[0m\n" if is_styled else f"{line}\n")
    sys.stdout.flush()


@contextmanager
def _notes_on_stdout() -> Iterator[None]:
    stderr = sys.stderr
    sys.stderr = sys.stdout
    try:
        yield
    finally:
        sys.stderr = stderr


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Within: the settings of the story, and none of the user's."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AUTHLEDGER_")}
    mine = {**variables, "XDG_CONFIG_HOME": "/nonexistent"}
    config = os.environ.get("XDG_CONFIG_HOME")
    here = Path.cwd()
    for name in before:
        del os.environ[name]
    os.environ.update(mine)
    try:
        os.chdir(Path(variables["AUTHLEDGER_LEDGER"]).parent)
        yield
    finally:
        os.chdir(here)
        for name in mine:
            del os.environ[name]
        os.environ.update(before)
        if config is not None:
            os.environ["XDG_CONFIG_HOME"] = config
