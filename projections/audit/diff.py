"""Two instants compared, view by view: what was granted, ended, created or used between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ledger.as_of import AsOf
from ledger.errors import NotFound
from ledger.near_words import did_you_mean
from projections.definitions.declared import PROJECTIONS, VIEWS, declared_name
from projections.views import Views

_NOT_COMPARED = frozenset({"actor", "origin"})
"""Columns that say how a row came about, and not how what it is about stands."""
_STANDING = frozenset({"status", "missing"})
"""Of a derived view, the columns that say how what a row is about stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row of a view that differs between two instants.

    `key` says which row it is; `before` and `after` are its values then, None where it did not
    exist. The rest is of the row after; of a row that is gone, of the row before.
    """

    view: str
    key: Mapping[str, str]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    since: str | None
    """The effective time of the latest event behind the row, RFC 3339."""
    position: int | None
    """The position of that event; None in a view that is derived from others."""
    actor: str | None = None
    """The surrogate id of that event's actor."""
    reason: str | None = None

    @property
    def change(self) -> Literal["new", "gone", "changed"]:
        return "new" if self.before is None else "gone" if self.after is None else "changed"

    @property
    def what(self) -> str:
        """The key in one line."""
        return " ".join(filter(None, self.key.values()))


def in_words(values: Mapping[str, Any] | None) -> str:
    """How a row stands: `granted`, or `2 credentials issued, 0 credentials refused, …`."""
    if values is None:
        return ""
    if next(iter(values), None) == "status":
        return " ".join(str(value) for value in values.values() if value)
    return ", ".join(f"{value} {column.replace('_', ' ')}" for column, value in values.items())


def diff(
    views: Views,
    before: AsOf | None,
    after: AsOf | None = None,
    *,
    names: Iterable[str] | None = None,
    where: Mapping[str, str | None] | None = None,
) -> list[Difference]:
    """The rows that differ between two instants (None: now), view by view, sorted by key.

    `names` are the views to compare (None: all), `where` columns and values that rows must have
    (None: any). A view without such a column is left out. Raises NotFound for a view.
    """
    compared = views.names() if names is None else tuple(map(declared_name, names))
    for name in compared:
        if name not in views.names():
            raise NotFound(
                f"There is no view {name!r} to compare.", remedy=did_you_mean(name, views.names())
            )
    wanted = {column: value for column, value in (where or {}).items() if value is not None}
    found = [
        difference
        for name in compared
        if wanted.keys() <= {column.name for column in views.columns(name)}
        for difference in _compared(views, name, before, after, wanted)
    ]
    return _with_actors(views, found)


def _compared(
    views: Views, name: str, before: AsOf | None, after: AsOf | None, where: Mapping[str, str]
) -> Iterator[Difference]:
    key, values = _split(name)
    old, new = (
        {
            tuple(row[column] for column in key): row
            for row in views.read(name, as_of=when, where=where).dicts()
        }
        for when in (before, after)
    )
    for each in sorted(old.keys() | new.keys()):
        was, is_now = (
            {column: rows[each][column] for column in values} if each in rows else None
            for rows in (old, new)
        )
        if was != is_now:
            row = new.get(each) or old[each]
            yield Difference(
                view=name,
                key=dict(zip(key, each, strict=True)),
                before=was,
                after=is_now,
                since=row.get("since"),
                position=row.get("position"),
            )


def _split(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that say what a row is about, and those that say how it stands."""
    if name in PROJECTIONS:
        declared = PROJECTIONS[name]
        values = (*declared.values, *declared.counters)
        compared = tuple(each.name for each in values if each.name not in _NOT_COMPARED)
        return tuple(each.name for each in declared.key), compared
    columns = tuple(column.name for column in VIEWS[name].columns)
    standing = tuple(column for column in columns if column in _STANDING)
    return tuple(column for column in columns if column not in _STANDING), standing


def _with_actors(views: Views, found: list[Difference]) -> list[Difference]:
    positions = {each.position for each in found if each.position is not None}
    events = {row["position"]: row for row in views.trail_at(sorted(positions)).dicts()}
    return [
        replace(each, actor=events[each.position]["actor"], reason=events[each.position]["reason"])
        if each.position in events
        else each
        for each in found
    ]
