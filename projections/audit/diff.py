"""Two instants compared, view by view: what was granted, ended, created or used between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Literal, NamedTuple, TypeAlias

from ledger.as_of import AsOf
from ledger.errors import NotFound
from ledger.near_words import did_you_mean
from projections.audit.statements import NOT_TOLD, compared
from projections.definitions.authorizations import RECORDED_AUTHORIZATIONS
from projections.definitions.declared import PROJECTIONS, VIEWS, declared_name
from projections.projection import INFERRED, INTERVAL_COLUMNS
from projections.views import Views

_Row: TypeAlias = Mapping[str, Any]
_NOT_COMPARED = frozenset({"actor", "origin", "note", "document_position", "address", "rests_on"})
"""Columns that say how a row came about, and not how what it is about stands."""
_OF_DOCUMENTS = frozenset({"document", "document_version", "document_since"})
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
    added: tuple[str, ...] = ()
    """The statements that the document has now and had not before, each as one line of JSON."""
    removed: tuple[str, ...] = ()
    """Those that it had before and has not now."""
    not_known: str | None = None
    """Why it is not known which statements changed, if the document is another one."""

    @property
    def document_changed(self) -> bool:
        """Whether the row has another document than before."""
        if self.before is None or self.after is None:
            return False
        return any(self.before.get(name) != self.after.get(name) for name in _OF_DOCUMENTS)

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
        stands = (str(v) for name, v in values.items() if v and name not in _OF_DOCUMENTS)
        return ", ".join(filter(None, (" ".join(stands), _document_in_words(values))))
    return ", ".join(f"{value} {column.replace('_', ' ')}" for column, value in values.items())


def _document_in_words(values: Mapping[str, Any]) -> str:
    """`document 5b09f2ef91c3 v2`, or nothing where no trace told one, or a change of one."""
    if values.get("document"):
        words = ("document", values["document"][:12], values.get("document_version"))
        return " ".join(word for word in words if word)
    return f"document: {NOT_TOLD}" if values.get("document_since") else ""


def diff(
    views: Views,
    before: AsOf | None,
    after: AsOf | None = None,
    *,
    names: Iterable[str] | None = None,
    where: Mapping[str, str | None] | None = None,
) -> list[Difference]:
    """The rows that differ between two instants (None: now), view by view, sorted by key.

    `names` are the views to compare (None: all but those that only detail others), `where` columns
    and values that rows must have (None: any). A view without such a column is left out. Raises
    NotFound for a view.
    """
    compared = _all(views) if names is None else tuple(map(declared_name, names))
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
    return _with_statements(views, _with_reasons(views, found))


def _all(views: Views) -> tuple[str, ...]:
    """The views to compare if none is named: a row that differs is in one of them."""
    names = (name for name in views.names() if name != RECORDED_AUTHORIZATIONS.name)
    return tuple(name for name in names if name in PROJECTIONS or VIEWS[name].standing)


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
    before, after = (each and _standing(each, shown) for each in (was, is_now))
    difference = Difference(
        view=view,
        key={column: row[column] for column in key},
        before=before,
        after=after,
        since=row.get("since"),
        position=row.get("position"),
        actor=row.get("actor") or None,
    )
    if before and after and _without_document(before) == _without_document(after):
        since, position = row.get("document_since"), row.get("document_position")
        difference = replace(difference, since=since, position=position, actor=None)
        return _Found(difference, position)
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


def _standing(row: _Row, values: Sequence[str]) -> dict[str, Any]:
    """The values of a row, without those of a document that it does not have.

    The time of a change counts only if the change did not tell the document.
    """
    left_out = {name for name in _OF_DOCUMENTS & row.keys() if not row[name]}
    if row.get("document"):
        left_out |= {"document_since"}
    return {column: row[column] for column in values if column not in left_out}


def _without_document(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _OF_DOCUMENTS}


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
    view = VIEWS[name]
    columns = (column.name for column in view.columns)
    return view.key or tuple(each for each in columns if each not in {*made, *view.standing}), (
        view.standing
    )


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


def _with_statements(views: Views, found: list[Difference]) -> list[Difference]:
    """The differences with the statements that were added to documents, or removed."""
    pairs = {
        place: tuple((values or {}).get("document", "") for values in (each.before, each.after))
        for place, each in enumerate(found)
        if each.document_changed
    }
    texts = views.documents.texts({digest for pair in pairs.values() for digest in pair if digest})
    for place, (before, after) in pairs.items():
        added, removed, not_known = compared(before, after, texts)
        found[place] = replace(found[place], added=added, removed=removed, not_known=not_known)
    return found
