"""Spans: what is to be shown of each key, from one instant until another.

permission  AROA1 "ci"  * Admin   12:00:10 ── 12:08:00   granted  since 12:00:10 by carol
permission  AROA1 "ci"  * Admin   12:08:00 ──            revoked  since 12:08:00 by alice
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from ledger.account.truth.fact import LineKey
from ledger.account.truth.lines import CREATION_NOT_SEEN, GRANTED, NOT_KNOWN, REVOKED, Line
from ledger.account.truth.names import Names
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.story import Key, Life
from ledger.account.truth.things import Things, agreed_lives, doubts, name_of
from ledger.account.truth.timeline import (
    BEGINNING,
    ENDED,
    EXISTS,
    EXPIRED,
    Interval,
    State,
    Timeline,
    agreed,
    expired,
    not_known,
    of_line,
    of_values,
    overlaid,
)
from ledger.messages import Origin

Subject = Literal["agency", "policy", "project", "permission", "trust", "expiry"]
EXPIRY_NOTE: Final = "expired"
POLICY_NOT_KNOWN: Final = "whether the policy existed is not known"


class Span(NamedTuple):
    """A key's status from `valid_from` until `until_at` (None: it lasts).

    `thing` is the immutable id, or `name~begin`. `since` and `actor` are of the call that brought
    the status about, `position` is that of the fact behind it (of one of them, if there are
    several; None where only an order is not known). Of a trust or an expiry, `value` is the
    trusted party or the time.

    `expires` says that the span ends at `until_at` by itself, because the agency expires then. An
    answer about the present ends such a span by its own clock; no fact lies at `until_at`.
    """

    subject: Subject
    thing: str
    name: str | None
    region: str | None
    service: str | None
    policy: str | None
    policy_id: str | None
    valid_from: datetime
    until_at: datetime | None
    status: str
    since: datetime | None
    actor: str | None
    origin: Origin | None
    position: int | None
    note: str | None
    value: str | datetime | None
    expires: bool = False

    @property
    def key(self) -> tuple[str | None, ...]:
        return self[:7]

    def order(self) -> tuple[object, ...]:
        return (*(part or "" for part in self[:7]), self.valid_from)


Identity = tuple[Subject, str, str | None, str | None, str | None, str | None, str | None]


def _spans(identity: Identity, timeline: Timeline) -> Iterator[Span]:
    last = len(timeline) - 1
    for index, (at, state) in enumerate(timeline):
        until, then = timeline[index + 1] if index < last else (None, None)
        yield tuple.__new__(Span, (*identity, at, until, *state, _expires(then, until)))


def _expires(then: State | None, at: datetime | None) -> bool:
    """Whether a state is that of an expired agency, which no call made so at that instant."""
    return (
        then is not None and then.since == at and then.note == EXPIRY_NOTE and then.origin is None
    )


class Policies:
    """The names of policies, and when their existence is not known."""

    def __init__(self, things: Things, names: Names) -> None:
        self._names = names
        self._named: dict[str, str | None] = {}
        for slot, thing, lives in things.lives():
            self._named.setdefault(thing, name_of(slot, lives[0]))
        self.doubts: dict[str, list[Interval]] = defaultdict(list)
        for _, thing, timeline in things.timelines():
            self.doubts[thing] += doubts(timeline)

    def handles(self, key: str | None, at: datetime) -> tuple[str | None, str | None]:
        """The policy's name at an instant, and its id, or what is known instead of an id."""
        if key is None:
            return None, None
        if key in self._names:
            return self._names.at(key, at), key
        named = self._named.get(key)
        return (named, key) if key in self._named else (key, None)


def thing_spans(things: Things) -> Iterator[Span]:
    """The spans of policies or projects."""
    for slot, thing, timeline in things.timelines():
        lives = Things.of_slot(slot, things.slots[slot])[thing]
        identity = (things.kind, thing, name_of(slot, lives[0]), None, None, None, None)
        yield from _spans(identity, timeline)


def agency_spans(slot: Slot, policies: Policies, rules: Rules) -> Iterator[Span]:
    """The spans of a slot's agencies: their lives, trusts, expiries and permissions."""
    count = len(slot.best())
    for thing, lives in Things.of_slot(slot.name, slot).items():
        yield from _thing_spans(
            _Agency(thing, name_of(slot.name, lives[0]), lives, count), policies, rules
        )


class _Agency(NamedTuple):
    """One agency, its life in each of the best stories that have it, and how many stories are."""

    thing: str
    name: str | None
    lives: Sequence[Life]
    stories: int

    def line(self, key: Key, *, needs_detached: bool) -> Timeline:
        if self.stories == 1 and len(self.lives) == 1:
            life = self.lives[0]
            return _of_key(life, key, life.lines[key], needs_detached=needs_detached)
        found = [_line_of(life, key, needs_detached=needs_detached) for life in self.lives]
        return agreed(found + [[] for _ in range(self.stories - len(found))])


def _line_of(life: Life, key: Key, *, needs_detached: bool) -> Timeline:
    """The states of a line, also before its first fact: not known if the creation was not seen."""
    line = life.lines.get(key)
    timeline = _of_key(life, key, line, needs_detached=needs_detached) if line else []
    begin = life.unseen_from or BEGINNING
    if life.seen or (timeline and timeline[0][0] <= begin):
        return timeline
    return [(begin, not_known(CREATION_NOT_SEEN, life.begun)), *timeline]


def _of_key(life: Life, key: Key, line: Line, *, needs_detached: bool) -> Timeline:
    if isinstance(key, LineKey):
        return of_line(life, line, needs_detached=needs_detached)
    return of_values(life, line)


def _thing_spans(agency: _Agency, policies: Policies, rules: Rules) -> Iterator[Span]:
    needs_detached = "agency" in rules.deletes_only_detached
    keys = dict.fromkeys(key for life in agency.lives for key in life.lines)
    gone = expired(agency.line("expiry", needs_detached=needs_detached)) if "expiry" in keys else []
    existence = agreed_lives(agency.lives, agency.stories)
    identity: Identity = ("agency", agency.thing, agency.name, None, None, None, None)
    yield from _spans(identity, overlaid(existence, gone, _expired) if gone else existence)
    for key in keys:
        timeline = agency.line(key, needs_detached=needs_detached)
        if gone and key != "expiry":
            timeline = overlaid(timeline, gone, _expired)
        if not isinstance(key, LineKey):
            yield from _spans((key, *identity[1:]), timeline)
            continue
        if key.policy is not None and (unsure := policies.doubts.get(key.policy)):
            timeline = overlaid(timeline, unsure, _in_doubt)
        policy, policy_id = policies.handles(key.policy, timeline[0][0])
        yield from _spans(
            ("permission", agency.thing, agency.name, key.region, key.service, policy, policy_id),
            timeline,
        )


_WHEN_EXPIRED: Final = {EXISTS: EXPIRED, GRANTED: REVOKED, "set": ENDED}


def _expired(state: State, expiry: Interval) -> State:
    """A state while the agency had expired: nobody may act as it.

    It expires by itself, or by the call that set its expiry to a time that had passed.
    """
    status, by = _WHEN_EXPIRED.get(state.status), expiry.by
    if status is None:
        return state
    if by.status == NOT_KNOWN:
        return by
    caller = (by.actor, by.origin) if by.since == expiry.begin else (None, None)
    return State(status, expiry.begin, *caller, by.position, EXPIRY_NOTE)


def _in_doubt(state: State, _: Interval) -> State:
    return not_known(POLICY_NOT_KNOWN) if state.status == GRANTED else state


def in_force(span: Span) -> bool | None:
    """Whether a permission may be used while the span lasts; None if that is not known."""
    return None if span.status == NOT_KNOWN else span.status == GRANTED
