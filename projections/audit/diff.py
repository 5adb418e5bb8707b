"""Two instants compared, view by view: what was granted, ended, created or used between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

from ledger.as_of import AsOf
from ledger.errors import NotFound
from ledger.folding import ORDER_NOT_KNOWN
from ledger.near_words import did_you_mean
from projections.audit.difference import OF_DOCUMENTS, Difference, Passing, document_of, in_words
from projections.audit.pairs import Pair, Row, identity, pairs, renamed
from projections.audit.passing import (
    Silent,
    States,
    maker,
    not_known,
    silent,
    silent_about,
    standing_between,
    states_between,
)
from projections.audit.recording import not_recorded
from projections.audit.statements import Changed, compared
from projections.definitions.declared import PROJECTIONS, VIEWS, declared_name
from projections.definitions.recorded_authorizations import RECORDED_AUTHORIZATIONS
from projections.projection import INFERRED, INTERVAL_COLUMNS
from projections.views import Views

_NOT_COMPARED = frozenset({"actor", "origin", "note", "document_position", "address", "rests_on"})
"""Columns that say how a row came about, and not how what it is about stands."""


def diff(
    views: Views,
    before: AsOf | None,
    after: AsOf | None = None,
    *,
    names: Iterable[str] | None = None,
    where: Mapping[str, str | None] | None = None,
) -> list[Difference]:
    """The rows that differ between two instants (None: now), view by view, sorted by key.

    With them come the rows that changed in between and are equal again, and at the end the calls in
    between of which it is not known what they changed, and the times in between in which the
    cloud's own recording was off. `names` are the views to
    compare (None: all but those that only detail others), `where` columns and values that rows
    must have (None: any). A view without such a column is left out. Raises NotFound for a view.
    """
    chosen = _all(views) if names is None else tuple(map(declared_name, names))
    for name in chosen:
        if name not in views.names():
            raise NotFound(
                f"There is no view {name!r} to compare.", remedy=did_you_mean(name, views.names())
            )
    wanted = {column: value for column, value in (where or {}).items() if value is not None}
    found = [
        difference
        for name in chosen
        if wanted.keys() <= {column.name for column in views.columns(name)}
        for difference in _View(views, name, before, after).compared(wanted)
    ]
    differences = _with_statements(views, _with_reasons(views, found))
    found_in_trail = (each(views, before, after, wanted) for each in (not_known, not_recorded))
    return [*differences, *chain.from_iterable(found_in_trail)]


def _all(views: Views) -> tuple[str, ...]:
    """The views to compare if none is named: a row that differs is in one of them."""
    names = (name for name in views.names() if name != RECORDED_AUTHORIZATIONS.name)
    return tuple(name for name in names if name in PROJECTIONS or VIEWS[name].standing)


class _Found(NamedTuple):
    """A difference, and the position of the event that made it; None if it is inferred."""

    difference: Difference
    made_at: int | None


@dataclass(frozen=True, slots=True)
class _View:
    """One view at two instants."""

    views: Views
    name: str
    before: AsOf | None
    after: AsOf | None

    def compared(self, where: Mapping[str, str]) -> list[_Found]:
        """The rows that differ, and those that are equal although something passed in between."""
        key, values = _split(self.name)
        old, new = (
            self.views.read(self.name, as_of=when, where=where).dicts()
            for when in (self.before, self.after)
        )
        of_view = list(pairs(old, new, key))
        states = states_between(self.views, self.name, self.before, self.after, key)
        unheard = silent(self.views, self.name, self.before, self.after)
        found = [
            each
            for pair, its_states in _with_states(of_view, states, key)
            if (each := self._found(key, values, pair, [*its_states, *self._stood(pair)], unheard))
        ]
        return sorted(found, key=lambda each: tuple(each.difference.key.values()))

    def _stood(self, pair: Pair) -> Sequence[Row]:
        return standing_between(self.views, self.name, pair, self.before, self.after)

    def _found(
        self,
        key: Sequence[str],
        values: Sequence[str],
        pair: Pair,
        states: Sequence[Row],
        unheard: Silent,
    ) -> _Found | None:
        """The difference of two rows; None if they are equal and nothing passed in between."""
        was, is_now = pair
        row = is_now or was or {}
        shown = (*renamed(was, is_now), *values)
        before, after = (each and _standing(each, shown) for each in (was, is_now))
        difference = Difference(
            view=self.name,
            key={column: row[column] for column in key},
            before=before,
            after=after,
            since=row.get("since"),
            position=row.get("position"),
            actor=row.get("actor") or None,
        )
        passed = tuple(self._passed(pair, values, states))
        if before == after:
            return _equal(difference, (*passed, *self._silent(row, states, unheard)))
        difference = replace(difference, between=passed)
        if was is None or is_now is None:
            return _Found(difference, _made_at(row))
        return self._changed(difference, was, is_now, states)

    def _silent(self, row: Row, states: Sequence[Row], unheard: Silent) -> Iterator[Passing]:
        """The silent events about a row that brought none of its states."""
        of_states = {state.get("document_position") for state in states}
        for event in silent_about(unheard, self.name, row):
            if event.position not in of_states:
                yield event

    def _passed(
        self, pair: Pair, values: Sequence[str], states: Sequence[Row]
    ) -> Iterator[Passing]:
        """The states of a row from the first on that is another one than those of the pair."""
        ends = [row for row in pair if row is not None]
        names = sorted({name for state in states for row in ends for name in renamed(state, row)})
        shown, is_other = (*names, *values), False
        at_ends = [_standing(row, shown) for row in ends]
        for state in states:
            stands = _standing(state, shown)
            is_other = is_other or stands not in at_ends
            if is_other:
                position, actor = maker(self.views, state)
                what = in_words(stands)
                yield Passing(at=state["valid_from"], what=what, position=position, actor=actor)

    def _changed(
        self, difference: Difference, was: Row, is_now: Row, states: Sequence[Row]
    ) -> _Found:
        """The difference with the event that made it: of the document, the status, or the name."""
        is_same = all(was.get(name) == is_now.get(name) for name in ("since", "position"))
        before, after = difference.before or {}, difference.after or {}
        is_of_document = is_same or _without_document(before) == _without_document(after)
        if is_of_document and difference.document_changed and document_of(after) is not None:
            since, position = is_now.get("document_since"), is_now.get("document_position")
            return _Found(replace(difference, since=since, position=position, actor=None), position)
        if is_same and states:
            position, actor = maker(self.views, states[-1])
            since = states[-1]["valid_from"]
            found = replace(difference, since=since, position=position, actor=actor)
            return _Found(found, position)
        return _Found(difference, _made_at(is_now))


def _equal(difference: Difference, passed: Iterable[Passing]) -> _Found | None:
    """The row as equal, with what passed; None if nothing did."""
    between = tuple(sorted(passed, key=lambda each: each.at))
    if not between:
        return None
    last = between[-1]
    difference = replace(
        difference, since=last.at, position=last.position, actor=last.actor, between=between
    )
    return _Found(difference, last.position)


def _with_states(
    of_view: Sequence[Pair], states: States, key: Sequence[str]
) -> Iterator[tuple[Pair, Sequence[Row]]]:
    """Each pair with its states; without them if several pairs may have had them."""
    called = Counter(identity(is_now or was or {}, key) for was, is_now in of_view)
    for was, is_now in of_view:
        its_identity = identity(is_now or was or {}, key)
        yield (was, is_now), states.get(its_identity, ()) if called[its_identity] == 1 else ()


def _made_at(row: Row) -> int | None:
    """The event that made a row. An inferred row is proven by an event, and was made by none."""
    return None if row.get("origin") == INFERRED else row.get("position")


def _standing(row: Row, values: Sequence[str]) -> dict[str, Any]:
    """The values of a row, without those of a document that it does not have.

    The time of a change counts only if the change did not tell the document.
    """
    left_out = {name for name in OF_DOCUMENTS & row.keys() if not row[name]}
    if row.get("document"):
        left_out |= {"document_since"}
    standing = {column: row[column] for column in values if column not in left_out}
    return standing | ({"note": row["note"]} if _is_of_unknown_order(row) else {})


def _is_of_unknown_order(row: Row) -> bool:
    """Whether several documents were told, and only which of them came last is not known."""
    is_open = row.get("document_since") or row.get("status") == "not known"
    return row.get("document") == "" and bool(is_open) and row.get("note") == ORDER_NOT_KNOWN


def _without_document(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in OF_DOCUMENTS}


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
    positions |= {
        each.position for one in found for each in one.difference.between if each.position
    }
    events = {row["position"]: row for row in views.trail_at(sorted(positions)).dicts()}
    return [_with_reason(*each, events) for each in found]


def _with_reason(each: Difference, made_at: int | None, events: Mapping[int, Row]) -> Difference:
    def actor(passing: Passing) -> str | None:
        event = events.get(passing.position or 0)
        return passing.actor or (event["actor"] if event else None)

    each = replace(each, between=tuple(replace(one, actor=actor(one)) for one in each.between))
    event = events.get(made_at or 0)
    return (
        replace(each, actor=each.actor or event["actor"], reason=event["reason"]) if event else each
    )


def _compared(
    difference: Difference, pair: tuple[str | None, str | None], texts: Mapping[str, str]
) -> Changed:
    changed = compared(*pair, texts)
    order = (difference.after or {}).get("note")
    return changed._replace(not_known=order) if order and changed.not_known else changed


def _with_statements(views: Views, found: list[Difference]) -> list[Difference]:
    """The differences with the statements that were added to documents, or removed."""
    pairs_of = {
        place: (document_of(each.before), document_of(each.after))
        for place, each in enumerate(found)
        if each.document_changed
    }
    digests = {digest for pair in pairs_of.values() for digest in pair if digest}
    texts = views.documents.texts(digests)
    for place, pair in pairs_of.items():
        found[place] = replace(found[place], **_compared(found[place], pair, texts)._asdict())
    return found
