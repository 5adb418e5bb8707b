"""authledger docs: the documentation, which comes along with the program."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.printing.output import Output, out, say, show


def _complete(incomplete: str) -> list[str]:
    from authledger.documentation import topics

    return [name for name in topics() if name.startswith(incomplete)]


Topic = Annotated[
    str | None,
    typer.Argument(
        metavar="TOPIC",
        help="python, performance, reference/cli, …; without a topic: the list of them.",
        autocompletion=_complete,
    ),
]


def register(app: typer.Typer) -> None:
    app.command("docs", rich_help_panel="Begin here")(docs)


def docs(topic: Topic = None) -> None:
    """Print the documentation: one topic, or the list of all topics.

    It needs no network and no ledger. The beginning of a topic's last part is enough.
    """
    from authledger.documentation import name_of, page, topics

    if topic is None:
        show(Output.TABLE, ("topic", "what it is about"), topics().items())
        say("Read one with `authledger docs TOPIC`.")
        return
    text = page(topic)
    if is_terminal() and not name_of(topic).endswith(".sh"):
        from rich.console import Console
        from rich.markdown import Markdown

        Console(file=sys.stdout).print(Markdown(text))
    else:
        out(*text.splitlines())


def is_terminal() -> bool:
    return sys.stdout.isatty()
