"""How a page of the audit trail is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cli.printing.columns import Choice
from cli.printing.output import Output, show

if TYPE_CHECKING:
    from projections.views import Result, Views


def print_trail(page: Result, views: Views, choice: Choice, *, with_runner: bool = False) -> None:
    """Print a page of the trail as a table: when, who, what, in a sentence each.

    `with_runner`: also how each actor is known, and who ran the process.
    """
    from projections.audit.trail import sentences

    entries = page.dicts()
    accounts = len({row["account"] for row in entries if row["account"]}) > 1
    rows = [
        (
            row["position"],
            f"{row['effective_at'][:19]}Z",
            *([row["account"]] if accounts else []),
            row["actor_name"] or row["actor"],
            *(_runner(row) if with_runner else []),
            row["type"],
            said,
        )
        for row, said in zip(entries, sentences(views, entries), strict=True)
    ]
    account = ["account"] if accounts else []
    runner = ["established", "run by"] if with_runner else []
    headings = ("position", "happened", *account, "actor", *runner, "event", "what")
    show(Output.TABLE, headings, rows, empty="No entry matches.", choice=choice)


def _runner(row: Mapping[str, Any]) -> list[str | None]:
    """How the actor of a row is known, and who ran the process, with the database's user."""
    run_by = row["run_by_name"] or row["run_by"]
    if run_by and row["database_user"]:
        run_by = f"{run_by}, database user {row['database_user']}"
    return [row["actor_established"], run_by]


def with_sentences(page: Result, views: Views) -> Result:
    """The page with one more column, `what`: what each entry says, in a sentence."""
    from projections.audit.trail import sentences

    said = sentences(views, page.dicts())
    rows = [(*row, sentence) for row, sentence in zip(page.rows, said, strict=True)]
    return replace(page, columns=(*page.columns, "what"), rows=rows)
