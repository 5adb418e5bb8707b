"""authledger audit diff: two instants compared, over the views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.view import SHORT
from cli.options import Account, Provider, Reading, Region
from cli.printing.output import Output, say, show
from cli.reading import resolved, views_of, with_names

if TYPE_CHECKING:
    from ledger.as_of import AsOf
    from projections.views import Views

Before = Annotated[
    str, typer.Argument(metavar="BEFORE", help="RFC 3339, a day, -7d, or @POSITION.")
]
After = Annotated[str, typer.Argument(metavar="AFTER", help="The later instant; default: now.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--view", metavar="NAME", help="Compare only this view; may be repeated."),
]
_COLUMNS = ("view", "change", "what", "before", "after", "position")


def diff(
    ask: Reading,
    *,
    before: Before,
    after: After = "now",
    view: Only = None,
    region: Region = None,
    account: Account = None,
    provider: Provider = None,
) -> None:
    """Compare two instants: what was granted, ended, created or used between them, view by view."""
    where = {
        "region": region,
        "account": account or ask.root.account,
        "provider": provider or ask.root.provider,
    }
    with views_of(ask) as views:
        instants = [resolved(views, text) if text != "now" else None for text in (before, after)]
        end = views.reached()
        says = [str(when) if when else f"now, position {end}" for when in instants]
        say(f"from  {says[0]}\nto    {says[1]}")
        changes = [
            (name, *change)
            for name in _names(views, view)
            for change in _compare(views, name, instants, where)
        ]
        table = ask.form is Output.TABLE
        show(
            ask.form,
            _COLUMNS,
            with_names(changes, views) if table else changes,
            empty="Nothing changed.",
        )


def _names(views: Views, wanted: list[str] | None) -> list[str]:
    if wanted:
        return [SHORT.get(name, name) for name in wanted]
    return list(views.names())


def _compare(
    views: Views, name: str, instants: list[AsOf | None], where: dict[str, str | None]
) -> list[tuple[Any, ...]]:
    columns = {column.name for column in views.columns(name)}
    asked = {column: value for column, value in where.items() if column in columns}
    if any(value is not None and column not in columns for column, value in where.items()):
        return []  # It tells nothing by region.
    key, values = _split(name)
    old, new = (
        {
            tuple(row[column] for column in key): row
            for row in views.read(name, as_of=when, where=asked).dicts()
        }
        for when in instants
    )
    changes = []
    for each in sorted(old.keys() | new.keys()):
        was, is_now = (_words(rows.get(each), values) for rows in (old, new))
        if was != is_now:
            kind = "new" if not was else "gone" if not is_now else "changed"
            latest = (new.get(each) or old[each]).get("position")
            changes.append((kind, " ".join(filter(None, each)), was, is_now, latest))
    return changes


def _split(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that say what a row is about, and those that say how it stands."""
    from projections.definitions.declared import PROJECTIONS, VIEWS

    if name in PROJECTIONS:
        declared = PROJECTIONS[name]
        values = (*declared.values, *declared.counters)
        told = tuple(each.name for each in values if each.name not in ("actor", "origin"))
        return tuple(each.name for each in declared.key), told
    columns = tuple(column.name for column in VIEWS[name].columns)
    told = tuple(column for column in columns if column in ("status", "missing"))
    return tuple(column for column in columns if column not in told), told


def _words(row: dict[str, Any] | None, values: tuple[str, ...]) -> str:
    if row is None:
        return ""
    if values[:1] == ("status",):
        return " ".join(str(row[column]) for column in values if row[column])
    return ", ".join(f"{row[column]} {column.replace('_', ' ')}" for column in values)
