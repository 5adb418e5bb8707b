"""authledger audit diff: two instants compared, over the views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.filters import say_unknown_words
from cli.options import Listing, OnlyAccount, OnlyProvider, OnlyRegion
from cli.printing.output import Output, say, show
from cli.reading import resolved, views_of, with_names

if TYPE_CHECKING:
    from projections.audit.diff import Difference

Before = Annotated[
    str, typer.Argument(metavar="BEFORE", help="RFC 3339, a day, -7d, or @POSITION.")
]
After = Annotated[str, typer.Argument(metavar="AFTER", help="The later instant; default: now.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--view", metavar="NAME", help="Compare only this view; may be repeated."),
]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="End with exit code 8 if anything changed.")
]
_COLUMNS = ("view", "change", "what", "before", "after", "position")


def diff(
    ask: Listing,
    *,
    before: Before,
    after: After = "now",
    view: Only = None,
    region: OnlyRegion = None,
    account: OnlyAccount = None,
    provider: OnlyProvider = None,
    exit_code: ExitCode = False,
) -> None:
    """Compare two instants: what was granted, ended, created or used between them, view by view."""
    from ledger.errors import ConditionNotMet
    from projections.audit.diff import diff as compare

    where = {
        "region": region,
        "account": account or ask.root.account,
        "provider": provider or ask.root.provider,
    }
    with views_of(ask) as views:
        instants = [resolved(views, text) if text != "now" else None for text in (before, after)]
        end = views.reached()
        headings = [str(when) if when else f"now, position {end}" for when in instants]
        say(f"from  {headings[0]}\nto    {headings[1]}")
        rows = [_row(each) for each in compare(views, *instants, names=view or None, where=where)]
        # A mistyped region also gets the rows of all regions.
        say_unknown_words(views, {"region": region} if rows else where)
        if ask.form is Output.TABLE:
            rows = with_names(rows, views)
        show(ask.form, _COLUMNS, rows, empty="Nothing changed.", choice=ask.choice)
    if exit_code and rows:
        raise ConditionNotMet(f"{len(rows)} rows changed between the two instants (--exit-code).")


def _row(difference: Difference) -> list[Any]:
    from projections.audit.diff import in_words

    return [
        difference.view,
        difference.change,
        difference.what,
        in_words(difference.before),
        in_words(difference.after),
        difference.position,
    ]
