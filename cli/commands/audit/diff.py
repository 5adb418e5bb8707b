"""authledger audit diff: two instants compared, over the views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.filters import say_unknown_words
from cli.options import Listing, OnlyAccount, OnlyProvider, OnlyRegion
from cli.printing.output import Output, out, say, show
from cli.reading import readable, resolved, views_of, with_names

if TYPE_CHECKING:
    from projections.audit.diff import Difference
    from projections.views import Views

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
STATEMENTS_MAX: Final = 10
"""How many statements are printed of those that were added, and of those that were removed."""
_WIDTH_MAX: Final = 1_000
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
        found = compare(views, *instants, names=view or None, where=where)
        rows = [_row(each) for each in found]
        # A mistyped region also gets the rows of all regions.
        say_unknown_words(views, {"region": region} if rows else where)
        if ask.form is Output.TABLE:
            rows = with_names(rows, views)
        show(
            ask.form,
            _COLUMNS,
            rows,
            empty="Nothing changed.",
            records=None if ask.choice.is_given else map(_record, found),
            choice=ask.choice,
        )
        if ask.form is Output.TABLE and not ask.choice.is_given:
            _print_documents(found, views)
    if exit_code and rows:
        raise ConditionNotMet(f"{len(rows)} rows changed between the two instants (--exit-code).")


def _record(difference: Difference) -> dict[str, Any]:
    """The row, and of a document the statements that were added to it and removed from it."""
    record = dict(zip(_COLUMNS, _row(difference), strict=True))
    if difference.document_changed:
        record["added"], record["removed"] = list(difference.added), list(difference.removed)
        record["not_known"] = difference.not_known
    return record


def _print_documents(found: Iterable[Difference], views: Views) -> None:
    """Print what the documents that changed say now, and said before."""
    changed = [each for each in found if each.document_changed]
    known = views.subject_names({each.actor for each in changed if each.actor})
    for each in changed:
        when = readable(each.since, {}) if each.since else "at a time that is not known"
        who = known.get(each.actor or "", each.actor)
        by = f", by {who}" if who else ""
        out("", f"{each.view} {each.what}: another document, {when}{by}")
        if each.not_known:
            out(f"  {each.not_known}")
        for sign, statements in (("+", each.added), ("-", each.removed)):
            out(*(f"  {sign} {shortened(text)}" for text in statements[:STATEMENTS_MAX]))
            if len(statements) > STATEMENTS_MAX:
                out(f"  {sign} … and {len(statements) - STATEMENTS_MAX} more (-o json has all)")


def shortened(statement: str) -> str:
    """A statement as a terminal shows it."""
    return statement if len(statement) <= _WIDTH_MAX else f"{statement[:_WIDTH_MAX]}…"


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
