"""authledger audit diff: two instants compared, over the views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.filters import say_unknown_words
from cli.options import Listing, OnlyAccount, OnlyProvider, OnlyRegion
from cli.printing.compared import print_details, summary
from cli.printing.output import Output, say, show
from cli.reading import resolved, views_of, with_names

if TYPE_CHECKING:
    from projections.audit.difference import Difference, Passing
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
        known = _actors(found, views)
        show(
            ask.form,
            _COLUMNS,
            with_names(rows, views) if ask.form is Output.TABLE else rows,
            empty="Nothing changed.",
            records=None if ask.choice.is_given else (_record(each, known) for each in found),
            choice=ask.choice,
        )
        if ask.form is Output.TABLE and not ask.choice.is_given:
            print_details(found, known)
    if found and not any(each.is_difference for each in found):
        say(f"No row differs between the two instants, but {summary(found)}.")
    if exit_code and found:
        raise ConditionNotMet(f"{summary(found)} (--exit-code).")


def _actors(found: Iterable[Difference], views: Views) -> Mapping[str, str]:
    """The names of all actors of the differences, by surrogate id."""
    actors = {actor for each in found for actor in (each.actor, *(p.actor for p in each.between))}
    return views.subject_names(sorted(actor for actor in actors if actor))


def _record(difference: Difference, known: Mapping[str, str]) -> dict[str, Any]:
    """The row, who did it when, the statements of a document, and what passed in between."""
    record = dict(zip(_COLUMNS, _row(difference), strict=True))
    record |= {"since": difference.since, **_actor(difference, known)}
    if difference.document_changed:
        names = ("added", "removed", "says")
        record |= {name: list(getattr(difference, name)) for name in names}
        record["not_known"] = difference.not_known
    if difference.between:
        record["between"] = [
            {"at": each.at, "what": each.what, "position": each.position, **_actor(each, known)}
            for each in difference.between
        ]
    return record


def _actor(each: Difference | Passing, known: Mapping[str, str]) -> dict[str, str | None]:
    return {"actor": each.actor, "actor_name": known.get(each.actor or "")}


def _row(difference: Difference) -> list[Any]:
    from projections.audit.difference import in_words

    return [
        difference.view,
        difference.change,
        difference.what,
        in_words(difference.before),
        in_words(difference.after),
        difference.position,
    ]
