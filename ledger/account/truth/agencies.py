"""Agencies: the spans of a slot's agencies, cut where they expire or their policies are gone.

own states      granted 10 ──────────────────────────── revoked 90
policy deleted                 50 ──────────
agency expires                                   70
shown           granted 10 ── revoked 50 ──────── …
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ledger.account.truth.expiry import Expiry, cut, expiries
from ledger.account.truth.fact import LineKey
from ledger.account.truth.keys import Keys, Scope
from ledger.account.truth.life import Key, Life
from ledger.account.truth.lines import (
    CREATION_NOT_SEEN,
    END_NOT_SEEN,
    GRANTED,
    NAMED_NOT_KNOWN,
    NOT_KNOWN,
    REVOKED,
)
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot, Spelling
from ledger.account.truth.spans import Identity, Span, named, spans_of
from ledger.account.truth.things import Lives, existence, name_of, things_in
from ledger.account.truth.timeline import (
    ASKED,
    BEGINNING,
    EXISTS,
    EXPIRED,
    Interval,
    State,
    Timeline,
    agreed,
    joined,
    not_known,
    of_line,
    of_values,
    overlaid,
    valued,
)

POLICY_NOT_KNOWN: Final = "whether the policy existed is not known"


class Tail(NamedTuple):
    """The part of an agency's spans that may change: those at an instant and after it.

    Of the lines in `whole`, all may change: several orders of their facts were possible.
    """

    since: datetime
    whole: Collection[Key]


class Agency(NamedTuple):
    """One agency of a slot: its lives in each of the best stories that have it."""

    thing: str
    name: str | None
    stories: Sequence[Lives]
    among: int
    """How many best stories there are."""
    doubt: str
    """The reason why they differ."""
    spelled: Mapping[str, Spelling]
    keys: Keys
    rules: Rules

    @property
    def identity(self) -> Identity:
        return ("agency", self.thing, self.name, None, None, None, None, None)

    def lines(self) -> dict[Key, None]:
        """The keys of all its lines."""
        return dict.fromkeys(key for lives in self.stories for life in lives for key in life.lines)

    def line(self, key: Key, since: datetime | None = None) -> Timeline:
        """The states of a line, before anything cuts it; at least those since an instant."""
        if self.among == 1 and len(self.stories[0]) == 1:
            return self._of(self.stories[0][0], key, since)
        if not any(key in life.lines for lives in self.stories for life in lives):
            return []
        found = [joined([self._since_begun(life, key) for life in lives]) for lives in self.stories]
        return agreed(found + [[] for _ in range(self.among - len(found))], self.doubt)

    def _of(self, life: Life, key: Key, since: datetime | None = None) -> Timeline:
        line = life.lines.get(key)
        if line is None:
            return []
        if isinstance(key, LineKey):
            needs_detached = "agency" in self.rules.deletes_only_detached
            return of_line(life, line, since, needs_detached=needs_detached)
        return of_values(life, line, since)

    def _since_begun(self, life: Life, key: Key) -> Timeline:
        """The states also before the first fact: not known if the creation was not seen."""
        timeline = self._of(life, key)
        begin = life.unseen_from or BEGINNING
        if life.seen or (timeline and timeline[0][0] <= begin):
            return timeline
        return [(begin, not_known(CREATION_NOT_SEEN, life.begun)), *timeline]

    def gone(self) -> list[Expiry]:
        """When it had expired, or may have."""
        expires = any("expiry" in life.lines for lives in self.stories for life in lives)
        return expiries(self.line("expiry")) if expires else []

    def spans(self, tail: Tail | None = None) -> Iterator[Span]:
        """Its spans: life, trust, expiry, boundary, permissions; at least those of a tail."""
        gone, lines = self.gone(), self.lines()
        alive = cut(existence(self.stories, self.among, self.doubt), gone)
        if "expiry" in lines:
            alive = valued(alive, self.line("expiry"), _LASTING)
        yield from spans_of(self.identity, alive)
        for key in lines:
            yield from self.spans_of(key, gone, tail)

    def spans_of(
        self, key: Key, gone: Sequence[Expiry], tail: Tail | None = None
    ) -> Iterator[Span]:
        """The spans of one line. `gone`: when the agency had expired."""
        since = None if tail is None or key in tail.whole else tail.since
        if not isinstance(key, LineKey):
            assert key != "content", "an agency has no content of its own"
            timeline = self.line(key, since)
            shown = timeline if key == "expiry" else cut(timeline, gone)
            yield from spans_of((key, *self.identity[1:]), shown)
            return
        scope = self.keys.scope(key)
        whole = scope.absences or not scope.is_constant
        timeline = self.line(key, None if whole else since)
        if not timeline:
            return
        if gone or scope.absences:
            timeline = overlaid(cut(timeline, gone), scope.absences, _absent)
        for part in named(timeline, scope.renamed):
            yield from spans_of(self._permission(key, scope, part[0][0]), part)

    def _permission(self, key: LineKey, scope: Scope, at: datetime) -> Identity:
        region, service, policy, policy_id, project_id = scope.shown(at)
        if policy is None and policy_id is None and key.policy is not None:
            _, policy = self.spelled.get(key.policy, (at, key.policy))
        agency = self.thing, self.name
        return ("permission", *agency, region, service, policy, policy_id, project_id)


def agencies_in(slot: Slot, keys: Keys, rules: Rules) -> Iterator[Agency]:
    """The agencies of a slot."""
    count = len(slot.best())
    for thing, stories in things_in(slot).items():
        name = name_of(slot.name, stories[0][0])
        yield Agency(thing, name, stories, count, slot.doubt, slot.spelled, keys, rules)


_LASTING: Final = frozenset({EXISTS, ASKED, EXPIRED})
"""The states of an agency that has an expiry."""


def _absent(state: State, absence: Interval) -> State:
    """A permission while its policy or project was deleted, or may have been."""
    by = absence.by
    if state.status != GRANTED:
        return state
    if by.status == NOT_KNOWN:
        note = by.note if by.note == NAMED_NOT_KNOWN else POLICY_NOT_KNOWN
        return not_known(note)._replace(position=by.position)
    return State(REVOKED, by.since, None, None, by.position, END_NOT_SEEN)
