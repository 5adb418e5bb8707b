"""authledger query: free SQL over the documented views, read-only in the engine itself."""

from __future__ import annotations

import math
import sys
from typing import Annotated

import typer

from cli.options import Listing, command
from cli.printing.output import Output, say, show
from cli.reading import views_of

Sql = Annotated[
    str,
    typer.Argument(metavar="SQL", help='"SELECT …" over the views and `events`; - reads stdin.'),
]
RowLimit = Annotated[
    int, typer.Option(metavar="ROWS", min=1, max=1_000_000, help="How many rows at most.")
]
TimeLimit = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0.1, max=3600, help="How long it may take."),
]


def register(app: typer.Typer) -> None:
    command(app, "query", rich_help_panel="Ask")(query)


def query(ask: Listing, sql: Sql, row_limit: RowLimit = 1000, time_limit: TimeLimit = 10.0) -> None:
    """Ask the views with SQL. The engine itself can only read here, and stops at the limits.

    `authledger view` lists the views; each NAME has NAME_history beside it, with the intervals of
    positions; `audit_trail` holds every entry.
    """
    text = _read() if sql == "-" else sql
    with views_of(ask) as views:
        result = views.query(text, row_limit=row_limit, time_limit_s=time_limit)
    say(f"now, position {result.position}")
    columns = result.columns
    if ask.form in (Output.JSON, Output.JSONL):
        columns = _unique(columns)
    rows = [[_text(cell) for cell in row] for row in result.rows]
    show(ask.form, columns, rows, headings=result.columns, choice=ask.choice, whole=True)
    if result.more:
        say(f"There are more rows than {row_limit}; --row-limit gives more.")


def _read() -> str:
    """The query on standard input. Raises InvalidInput if it is not text."""
    from ledger.errors import InvalidInput

    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The query is not text in this terminal's encoding: {error}."
        ) from error


def _unique(columns: tuple[str, ...]) -> tuple[str, ...]:
    """A document's keys: a column of a name that is taken gets a number."""
    seen: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in seen:
            name, number = f"{column}_{number}", number + 1
        seen.append(name)
    return tuple(seen)


def _text(cell: object) -> object:
    """What SQL may yield and JSON cannot hold, as text."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return cell.hex() if isinstance(cell, bytes) else cell
