"""Expiry: what is left of a key's states in the times in which its agency had expired.

expiry          set to 50 ──────────────────────── set to FOREVER 70
own states      granted 10 ───────────────── revoked 60
shown           granted 10 ── revoked 50, expired ────────────────────

own states      granted 10 ───────────────────────────────────────
shown           granted 10 ── revoked 50, expired ── granted 70

The earliest end counts: a deletion or a revocation ends nothing that had ended before it. An
expired agency stays, so that its expiry can be changed. Then it may act again, since that change.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from ledger.account.truth.fact import FOREVER
from ledger.account.truth.lines import (
    EXPIRY_CHANGE_NOT_SEEN,
    GRANT_NOT_SEEN,
    GRANTED,
    NOT_KNOWN,
    REVOKED,
)
from ledger.account.truth.spans import EXPIRY_NOTE
from ledger.account.truth.timeline import (
    ENDED,
    EXISTS,
    EXPIRED,
    State,
    Timeline,
    state_at,
    without_repetitions,
)

_WHEN_EXPIRED: Final = {EXISTS: EXPIRED, GRANTED: REVOKED, "set": ENDED}
_OVER: Final = frozenset({REVOKED, ENDED})


class Expiry(NamedTuple):
    """A time in which an agency had expired, or may have; `end` is None if it lasts.

    `by` is the expiry that was set to `begin` or earlier, or what is not known of it. `then` is the
    one that was set at `end`.
    """

    begin: datetime
    end: datetime | None
    by: State
    then: State | None

    @property
    def is_known(self) -> bool:
        return self.by.status != NOT_KNOWN


def expiries(expiry: Timeline) -> list[Expiry]:
    """The times in which an agency had expired, or may have, from what was set as its expiry."""
    found: list[Expiry] = []
    following: Iterable[tuple[datetime | None, State | None]] = (*expiry[1:], (None, None))
    for (at, state), (end, then) in zip(expiry, following, strict=True):
        value = at if state.status == NOT_KNOWN else state.value
        if not isinstance(value, datetime) or value == FOREVER:
            continue
        one = Expiry(max(at, value), end, state, then)
        if end is not None and one.begin >= end:
            continue
        last = found[-1] if found else None
        if last is not None and last.end == one.begin and last.is_known and one.is_known:
            found[-1] = last._replace(end=end, then=then)
        else:
            found.append(one)
    return found


def cut(timeline: Timeline, gone: Sequence[Expiry]) -> Timeline:
    """The states of a key of an agency that expires."""
    for expiry in gone:
        before = [(at, state) for at, state in timeline if at < expiry.begin]
        during = list(_during(timeline, expiry))
        after = _after(timeline, expiry, during) if expiry.end is not None else []
        timeline = without_repetitions([*before, *during, *after])
    return timeline


def _during(timeline: Timeline, expiry: Expiry) -> Timeline:
    begin, end = expiry.begin, expiry.end
    own = [(at, state) for at, state in timeline if begin < at and (end is None or at < end)]
    first = state_at(timeline, begin)
    found = timeline[: bisect_left(timeline, begin, key=itemgetter(0))][-1:]
    count = len(found)
    for at, state in [(begin, first), *own] if first is not None else own:
        found.append((at, _shown(state, at, expiry, found[-1][1] if found else None)))
    return found[count:]


def _shown(state: State, at: datetime, expiry: Expiry, before: State | None) -> State:
    """A state while the agency had expired: nobody may act as it.

    It expires by itself, or by the call that set its expiry to a time that had passed.
    """
    if before is not None and state.status in _OVER:
        return _over(state, before)
    status, by = _WHEN_EXPIRED.get(state.status), expiry.by
    if state.note == GRANT_NOT_SEEN and state.status == NOT_KNOWN:
        status = REVOKED  # The grant came before the revocation that proves it, so before this end.
    if status is None:
        return state
    if not expiry.is_known:
        return by
    if before is not None and (before.status in _OVER or before.note == EXPIRY_NOTE):
        return before
    caller = (by.actor, by.origin) if by.since == expiry.begin else (None, None)
    return State(status, at, *caller, by.position, EXPIRY_NOTE)


def _over(state: State, before: State) -> State:
    """An end after what was shown before it: what had ended stays as it is."""
    if before.status in _OVER:
        return before
    if before.note == EXPIRY_CHANGE_NOT_SEEN:
        return State(state.status, None, None, None, state.position, before.note)
    return state


def _after(timeline: Timeline, expiry: Expiry, during: Timeline) -> Timeline:
    """The states from the end of the expiry on, of which the first one may be as it was."""
    end, then = expiry.end, expiry.then
    assert end is not None, "an expiry that lasts has nothing after it"
    later = [(at, state) for at, state in timeline if at > end]
    state = state_at(timeline, end)
    if state is None:
        return later
    last = during[-1][1] if during else None
    if last is not None and state.status in _OVER:
        state = _over(state, last)
    elif last is not None and state.status in _WHEN_EXPIRED and (end, state) not in timeline:
        state = _again(state, end, then)
    return [(end, state), *later]


def _again(state: State, at: datetime, by: State | None) -> State:
    """A state that holds again since the expiry was changed; if nobody saw that, who knows when."""
    if by is None:
        return state
    since = None if by.note == EXPIRY_CHANGE_NOT_SEEN else at
    return State(state.status, since, by.actor, by.origin, by.position, by.note, state.value)
