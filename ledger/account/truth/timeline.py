"""Timelines: what a story says of one key, state after state, and what several stories agree on.

story 1     granted 10 ─────────── revoked 30
story 2     granted 10 ── revoked 20
agreed      granted 10 ── not known 20 ── revoked 30
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ledger.account.truth.content import Content, agreed_content, is_of_unknown_order
from ledger.account.truth.fact import NOT_TOLD, Fact
from ledger.account.truth.life import Life
from ledger.account.truth.lines import (
    CREATION_NOT_SEEN,
    END_NOT_SEEN,
    EXPIRY_CHANGE_NOT_SEEN,
    GRANTED,
    NOT_KNOWN,
    ORDER_NOT_KNOWN,
    REVOKED,
    Line,
    Run,
    best,
)
from ledger.messages import Origin

EXISTS, ASKED, RENAMED, DELETED, EXPIRED, ENDED = (
    "exists",
    "deletion asked for",
    "renamed",
    "deleted",
    "expired",
    "ended",
)


BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""The beginning of a status that held, or was not known, before the first fact."""


class State(NamedTuple):
    """How a key stands, since when, by whose call, and the position of the fact behind it."""

    status: str
    since: datetime | None
    actor: str | None
    origin: Origin | None
    position: int | None
    note: str | None
    value: str | datetime | None = None
    content: Content | None = None


Timeline = list[tuple[datetime, State]]
"""States, each from its instant until the next one. Sorted; at most one at an instant."""


def _by(status: str, at: datetime, fact: Fact, note: str | None = None) -> State:
    return State(status, at, fact.actor, fact.origin, fact.position, note)


def _unseen(status: str, at: datetime, fact: Fact, note: str) -> State:
    """A state that a fact proves, without who brought it about."""
    return State(status, at, None, None, fact.position, note)


def not_known(note: str, fact: Fact | None = None) -> State:
    """A state that is not known; `fact`: the one that proves as much."""
    return State(NOT_KNOWN, None, None, None, fact.position if fact else None, note)


def add(timeline: Timeline, at: datetime, state: State) -> None:
    """Let a state begin at an instant. It replaces the states that would begin then or later."""
    while timeline and timeline[-1][0] >= at:
        timeline.pop()
    timeline.append((at, state))


# -- one story ------------------------------------------------------------------------------------


def of_life(life: Life) -> Timeline:
    """Whether the thing exists."""
    timeline: Timeline = []
    begun = life.begun
    if life.seen:
        add(timeline, begun.at, _by(EXISTS, begun.at, begun))
    else:
        add(timeline, life.unseen_from or BEGINNING, not_known(CREATION_NOT_SEEN, begun))
        add(timeline, begun.at, _unseen(EXISTS, begun.at, begun, CREATION_NOT_SEEN))
    for asked, failed in life.failures:
        there = timeline[-1][1]
        add(timeline, asked.at, _by(ASKED, asked.at, asked))
        add(timeline, failed.at, there)
    if life.asked is not None:
        add(timeline, life.asked.at, _by(ASKED, life.asked.at, life.asked))
    if life.ended is not None and life.end == "left":
        add(timeline, life.ended.at, _by(RENAMED, life.ended.at, life.ended))
    elif life.ended is not None:
        end = _end_of(life, DELETED, life.ended)
        only_proof = not life.seen and life.ended.at == (life.unseen_from or begun.at)
        add(timeline, life.ended.at, end._replace(note=CREATION_NOT_SEEN) if only_proof else end)
    if life.doubted_at is not None:
        unseen = not life.seen and life.doubted_at <= begun.at
        doubt = not_known(CREATION_NOT_SEEN, begun) if unseen else not_known(ORDER_NOT_KNOWN)
        add(timeline, life.doubted_at, doubt)
    return timeline


def _end_of(life: Life, status: str, fact: Fact) -> State:
    if life.end == "seen":
        return _by(status, fact.at, fact)
    return _unseen(status, fact.at, fact, END_NOT_SEEN)


def of_line(
    life: Life, line: Line, since: datetime | None = None, *, needs_detached: bool
) -> Timeline:
    """The states of a permission: what its alternatives agree on, ended with the thing's life.

    With `since`, at least the states at that instant and after it; all where there are several.
    """
    timeline = _of_runs(line, since)
    ended = life.ended
    if ended is not None and timeline[-1][1].status != REVOKED:
        if needs_detached and ended.origin == "observed" and timeline[-1][1].status == GRANTED:
            add(timeline, ended.at, _unseen(REVOKED, ended.at, ended, END_NOT_SEEN))
        else:
            add(timeline, ended.at, _end_of(life, REVOKED, ended))
    if life.doubted_at is not None:
        add(timeline, life.doubted_at, not_known(ORDER_NOT_KNOWN))
    return timeline


def of_values(life: Life, line: Line, since: datetime | None = None) -> Timeline:
    """The values of a trust, an expiry or a boundary, ended with the thing's life.

    `since`: see `of_line`.
    """
    timeline = _of_runs(line, since)
    if life.ended is not None and life.end != "left":
        add(timeline, life.ended.at, _end_of(life, ENDED, life.ended))
    if life.doubted_at is not None:
        add(timeline, life.doubted_at, not_known(ORDER_NOT_KNOWN))
    return timeline


def of_content(life: Life) -> Timeline:
    """The content of a policy. A version that is in force again has the text that it had."""
    line = life.lines.get("content")
    return [(at, _with_text(state, life)) for at, state in of_values(life, line)] if line else []


def _with_text(state: State, life: Life) -> State:
    content = state.content
    if content is None or content.digest:
        return state
    digest = life.texts.get(content.version or "", NOT_TOLD)
    return state._replace(content=content._replace(digest=digest))


def _of_runs(line: Line, since: datetime | None) -> Timeline:
    if len(line) == 1:
        return _of_run(line[0], since)
    runs = best(line)
    return agreed([_of_run(run, since if len(runs) == 1 else None) for run in runs])


def _of_run(run: Run | None, since: datetime | None) -> Timeline:
    timeline: Timeline = []
    while run is not None:
        if not timeline or run.at < timeline[-1][0]:
            timeline.append((run.at, state_of(run)))
        if since is not None and run.at < since:
            break
        run = run.before
    timeline.reverse()
    return timeline


def state_of(run: Run) -> State:
    """The state that a run says."""
    fact = run.fact
    if fact is None or run.status == NOT_KNOWN:
        return not_known(run.note or ORDER_NOT_KNOWN, fact)
    if run.note == EXPIRY_CHANGE_NOT_SEEN:
        return State("set", None, None, None, fact.position, run.note)
    if run.status in {GRANTED, REVOKED}:
        if run.note == END_NOT_SEEN:
            return State(str(run.status), run.at, None, None, fact.position, run.note)
        return _by(str(run.status), fact.at, fact, run.note)._replace(content=run.content)
    return State(
        "set", fact.at, fact.actor, fact.origin, fact.position, run.note, run.status, run.content
    )


def joined(timelines: Sequence[Timeline]) -> Timeline:
    """One timeline of several that follow one another: a thing that had its name several times."""
    if len(timelines) == 1:
        return timelines[0]
    result: Timeline = []
    for timeline in timelines:
        for at, state in timeline:
            add(result, at, state)
    return result


# -- several stories ------------------------------------------------------------------------------


def agreed(timelines: Sequence[Timeline], doubt: str = ORDER_NOT_KNOWN) -> Timeline:
    """The states on which all timelines agree; "not known" where they do not, for that reason."""
    if len(timelines) == 1:
        return timelines[0]
    instants = sorted({at for timeline in timelines for at, _ in timeline})
    result: Timeline = []
    for at in instants:
        state = _agreed_state([state_at(timeline, at) for timeline in timelines], doubt)
        if not result or _placeless(result[-1][1]) != _placeless(state):
            result.append((at, state))
    return result


def _placeless(state: State) -> State:
    content = state.content
    if content is None:
        return state._replace(position=None)
    return state._replace(position=None, content=content._replace(position=None))


def state_at(timeline: Timeline, at: datetime) -> State | None:
    """The state at an instant, changes of that very instant included."""
    index = bisect_right(timeline, at, key=lambda item: item[0])
    return timeline[index - 1][1] if index else None


def _agreed_state(states: Sequence[State | None], doubt: str) -> State:
    if not any(state is not None and state.content for state in states):
        return _agreed_status(states, doubt)
    bare = [state and state._replace(content=None) for state in states]
    found = _agreed_status(bare, doubt)
    if found.status == NOT_KNOWN:
        return found
    contents = [state and state.content for state in states]
    note = doubt if is_of_unknown_order(contents) else found.note
    return found._replace(content=agreed_content(contents), note=note)


def _agreed_status(states: Sequence[State | None], doubt: str) -> State:
    said = [state for state in states if state is not None]
    statuses = {(state.status, state.value) for state in said}
    absent = len(said) < len(states)
    unseen = any(state.note == CREATION_NOT_SEEN for state in said)
    note = CREATION_NOT_SEEN if unseen else doubt
    first = min(said, key=lambda state: (state.position is None, state.position or 0))
    if len(statuses) > 1 or (absent and first.status not in (REVOKED, DELETED, ENDED)):
        return not_known(note)._replace(position=first.position)
    if not absent and len({_placeless(state) for state in said}) == 1:
        return first
    since = {state.since for state in said}
    known_since = first.since if len(since) == 1 and not absent else None
    return State(first.status, known_since, None, None, first.position, note, first.value)


# -- what ends by itself --------------------------------------------------------------------------


class Interval(NamedTuple):
    """A time without its end; `end` is None if it lasts."""

    begin: datetime
    end: datetime | None
    by: State
    """The state of another key that is the cause: the expiry that was set, a policy's doubt."""


def overlaid(
    timeline: Timeline, intervals: Sequence[Interval], over: Callable[[State, Interval], State]
) -> Timeline:
    """The timeline with other states in some intervals. `over`: the state in an interval."""
    for interval in intervals:
        begin, end, _ = interval
        cut: Timeline = [(at, state) for at, state in timeline if at < begin]
        during = state_at(timeline, begin)
        inside = [(at, state) for at, state in timeline if begin < at and (not end or at < end)]
        if during is not None:
            cut.append((begin, over(during, interval)))
        cut += [(at, over(state, interval)) for at, state in inside]
        if end is not None:
            after = state_at(timeline, end)
            cut += [(end, after)] if after is not None else []
            cut += [(at, state) for at, state in timeline if at > end]
        timeline = without_repetitions(cut)
    return timeline


def valued(timeline: Timeline, values: Timeline, statuses: Collection[str]) -> Timeline:
    """The timeline, cut where a value or a content changes: states of some statuses have them."""
    found: Timeline = []
    for at in sorted({at for at, _ in (*timeline, *values)}):
        state, set_to = state_at(timeline, at), state_at(values, at)
        if state is not None and set_to is not None and state.status in statuses:
            note = state.note or (set_to.note if set_to.content else None)
            state = state._replace(value=set_to.value, content=set_to.content, note=note)
        if state is not None:
            found.append((at, state))
    return without_repetitions(found)


def without_repetitions(timeline: Timeline) -> Timeline:
    """Positions make no difference: they depend on the order of arrival."""
    return [
        item
        for index, item in enumerate(timeline)
        if index == 0 or _placeless(timeline[index - 1][1]) != _placeless(item[1])
    ]
