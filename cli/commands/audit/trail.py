"""How a page of the audit trail is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.printing.output import Output, show

if TYPE_CHECKING:
    from projections.views import Result, Views


def print_trail(page: Result, views: Views) -> None:
    """Print a page of the trail as a table: when, who, what, in a sentence each."""
    from projections.audit.trail import sentences

    entries = page.dicts()
    accounts = len({row["account"] for row in entries if row["account"]}) > 1
    rows = [
        (
            row["position"],
            f"{row['effective_at'][:19]}Z",
            *([row["account"]] if accounts else []),
            row["actor_name"] or row["actor"],
            row["type"],
            said,
        )
        for row, said in zip(entries, sentences(views, entries), strict=True)
    ]
    account = ["account"] if accounts else []
    headings = ("position", "happened", *account, "actor", "event", "what")
    show(Output.TABLE, headings, rows, empty="No entry matches.")
