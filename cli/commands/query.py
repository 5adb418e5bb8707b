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
    typer.Argument(
        metavar="SQL", help='"SELECT …" over the views and `events`; - reads it from stdin.'
    ),
]
RowLimit = Annotated[
    int,
    typer.Option(metavar="ROWS", min=1, max=1_000_000, help="The largest number of rows to print."),
]
TimeLimit = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0.1, max=3600, help="After how long the query is stopped."),
]


def register(app: typer.Typer) -> None:
    command(app, "query", rich_help_panel="Ask")(query)


def query(ask: Listing, sql: Sql, row_limit: RowLimit = 1000, time_limit: TimeLimit = 10.0) -> None:
    """Run a SELECT over the views. The database itself allows nothing but reading.

    `authledger view` lists the views. NAME_history has the history of the view NAME: from which
    position until which each row was known. `audit_trail` has every entry, up to the position that
    is printed on stderr; of it, conditions on `position`, `type` and `account` use an index.
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
        say(f"There are more rows than {row_limit}. To print more: --row-limit ROWS")


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
    """The keys of a JSON document: the second column of a name gets the number 2."""
    seen: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in seen:
            name, number = f"{column}_{number}", number + 1
        seen.append(name)
    return tuple(seen)


def _text(cell: object) -> object:
    """A cell as JSON can hold it: infinities, NaN and bytes become text."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return cell.hex() if isinstance(cell, bytes) else cell
