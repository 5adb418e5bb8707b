"""Two instants compared, view by view: what was granted, ended, created or used between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Literal, NamedTuple, TypeAlias

from ledger.as_of import AsOf
from ledger.errors import NotFound
from ledger.near_words import did_you_mean
from projections.definitions.declared import PROJECTIONS, VIEWS, declared_name
from projections.projection import INFERRED, INTERVAL_COLUMNS
from projections.views import Views

_Row: TypeAlias = Mapping[str, Any]
_NOT_COMPARED = frozenset({"actor", "origin", "note"})
"""Columns that say how a row came about, and not how what it is about stands."""
_STANDING = frozenset({"status", "missing", "refused", "carried_out"})
"""Of a derived view, the columns that say how what a row is about stands."""
_IDS = frozenset({"agency_id", "policy_id"})
"""Parts of a key that may become known later than the name beside them."""
_NAMES = frozenset(column.removesuffix("_id") for column in _IDS)
_Pair: TypeAlias = "tuple[_Row | None, _Row | None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row of a view that differs between two instants.

    `key` says which row it is; `before` and `after` are its values then, None where it did not
    exist. If what it is about was renamed, they have the names too. The rest is of the row after;
    of a row that is gone, of the row before.
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
    def change(self) -> Literal["new", "gone", "renamed", "changed"]:
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "changed" if _NAMES.isdisjoint(self.before) else "renamed"

    @property
    def what(self) -> str:
        """The key in one line, by names: an id stands there only where there is no name."""
        return " ".join(text for column, text in self.key.items() if text and column not in _IDS)


def in_words(values: Mapping[str, Any] | None) -> str:
    """How a row stands: `granted`, or `2 credentials issued, 0 credentials refused, …`."""
    if values is None:
        return ""
    if "status" in values:
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
    return _with_reasons(views, found)


class _Found(NamedTuple):
    """A difference, and the position of the event that made it; None if it is inferred."""

    difference: Difference
    made_at: int | None


def _compared(
    views: Views, name: str, before: AsOf | None, after: AsOf | None, where: Mapping[str, str]
) -> list[_Found]:
    key, values = _split(name)
    old, new = (views.read(name, as_of=when, where=where).dicts() for when in (before, after))
    found = (_found(name, key, values, *pair) for pair in _pairs(old, new, key))
    differing = (each for each in found if each.difference.before != each.difference.after)
    return sorted(differing, key=lambda each: tuple(each.difference.key.values()))


def _found(
    view: str, key: Sequence[str], values: Sequence[str], was: _Row | None, is_now: _Row | None
) -> _Found:
    row = is_now or was or {}
    shown = (*_renamed(was, is_now), *values)
    before, after = (each and {column: each[column] for column in shown} for each in (was, is_now))
    difference = Difference(
        view=view,
        key={column: row[column] for column in key},
        before=before,
        after=after,
        since=row.get("since"),
        position=row.get("position"),
        actor=row.get("actor") or None,
    )
    # An inferred row is proven by the event at its position, and was made by none.
    return _Found(difference, None if row.get("origin") == INFERRED else difference.position)


def _renamed(was: _Row | None, is_now: _Row | None) -> list[str]:
    """The columns of the names that changed. An id in place of a name does not count."""
    if was is None or is_now is None:
        return []
    return [
        column
        for column in sorted(_NAMES & was.keys())
        if was[column] not in (is_now[column], was.get(f"{column}_id"))
    ]


def _pairs(old: Sequence[_Row], new: Sequence[_Row], key: Sequence[str]) -> Iterator[_Pair]:
    """The rows before and after: by their ids, whatever the names; those left over by the names."""
    before, after = _by_identity(old, key), _by_identity(new, key)
    same = before.keys() & after.keys()
    paired = {id(known[each]) for known in (before, after) for each in same}
    for each in same:
        yield before[each], after[each]
    left, added = (
        _grouped((row for row in rows if id(row) not in paired), key) for rows in (old, new)
    )
    for name in left.keys() | added.keys():
        yield from _paired(left.get(name, []), added.get(name, []), key)


def _by_identity(rows: Iterable[_Row], key: Sequence[str]) -> dict[tuple[Any, ...], _Row]:
    """The rows that are the only one of their key, with an id instead of a name that has one."""
    found: dict[tuple[Any, ...], list[_Row]] = {}
    for row in rows:
        named = (column for column in key if column not in _IDS)
        identity = tuple(row.get(f"{column}_id") or row[column] for column in named)
        found.setdefault(identity, []).append(row)
    return {identity: same[0] for identity, same in found.items() if len(same) == 1}


def _grouped(rows: Iterable[_Row], key: Sequence[str]) -> dict[tuple[str, ...], list[_Row]]:
    """The rows by their key without ids: one name may have been several things."""
    found: dict[tuple[str, ...], list[_Row]] = {}
    for row in rows:
        named = tuple(row[column] for column in key if column not in _IDS)
        found.setdefault(named, []).append(row)
    return found


def _paired(old: Sequence[_Row], new: Sequence[_Row], key: Sequence[str]) -> Iterator[_Pair]:
    """The rows of one name, before and after: by their ids, those left over in order of time."""
    ids = [column for column in key if column in _IDS]

    def identity(row: _Row) -> tuple[Any, ...]:
        return tuple(row[column] for column in ids)

    left = sorted(new, key=_age)
    unpaired = []
    for was in sorted(old, key=_age):
        same = next((row for row in left if identity(row) == identity(was)), None)
        if same is None:
            unpaired.append(was)
        else:
            left.remove(same)
            yield was, same
    yield from zip_longest(unpaired, left)


def _age(row: _Row) -> tuple[str, int]:
    return row.get("since") or "", row.get("position") or 0


def _split(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that say what a row is about, and those that say how it stands."""
    if name in PROJECTIONS:
        declared = PROJECTIONS[name]
        values = (*declared.values, *declared.counters)
        compared = tuple(each.name for each in values if each.name not in _NOT_COMPARED)
        return tuple(each.name for each in declared.key), compared
    made = {column.name for column in INTERVAL_COLUMNS}
    columns = tuple(column.name for column in VIEWS[name].columns if column.name not in made)
    standing = tuple(column for column in columns if column in _STANDING)
    return tuple(column for column in columns if column not in _STANDING), standing


def _with_reasons(views: Views, found: list[_Found]) -> list[Difference]:
    """The differences with the reason of the event behind each, and its actor if no row has one."""
    positions = {each.made_at for each in found if each.made_at is not None}
    events = {row["position"]: row for row in views.trail_at(sorted(positions)).dicts()}
    return [
        replace(each, actor=each.actor or event["actor"], reason=event["reason"])
        if (event := events.get(made_at))
        else each
        for each, made_at in found
    ]
