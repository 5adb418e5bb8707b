"""Lines: the runs of one key of one thing, as "granted since 10, revoked since 20".

    granted by carol ── revoked by alice ── granted by bob        one alternative
             10                20                  30

A line is a tuple of alternatives, each the newest run of a linked list. It has more than one where
several orders within one instant are possible; a later fact that only some of them explain removes
the others. An alternative that needs one unseen fact more than the best is kept too: a later fact
may need one more of the best. Each step returns the line, and how many facts were not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from ledger.account.truth.content import Content, first_content, next_content
from ledger.account.truth.fact import FOREVER, Fact

GRANTED: Final = "granted"
REVOKED: Final = "revoked"
NOT_KNOWN: Final = "not known"

GRANT_NOT_SEEN: Final = "grant not seen"
END_NOT_SEEN: Final = "end not seen"
CREATION_NOT_SEEN: Final = "creation not seen"
ORDER_NOT_KNOWN: Final = "order within the second not known"
PLACE_NOT_KNOWN: Final = "which project was meant is not known"
HOLDER_NOT_KNOWN: Final = "which agency had the name is not known"
NAMED_NOT_KNOWN: Final = "which thing had the name is not known"
EXPIRY_CHANGE_NOT_SEEN: Final = "change of expiry not seen"


class Run(NamedTuple):
    """One status from one instant until the next run begins, and the fact that began it.

    Of a trust or an expiry, the status is the value that was set. `dearer` is the number of unseen
    facts, 0 or 1, that this alternative needs beyond the best one of its line. If only the content
    changed, `fact` is still the one that began the status.
    """

    status: str | datetime | None
    at: datetime
    fact: Fact | None
    note: str | None
    before: Run | None
    dearer: int = 0
    closed: bool = False
    """Whether the policy or the project has ended, so that a grant needs another one."""
    content: Content | None = None
    """The document of an inline policy, a policy or a trust."""


Line = tuple[Run, ...]
Step = tuple[Line, int]


def cheapest(alternatives: Iterable[tuple[int, Run]]) -> Step:
    """The alternatives that can still win, of all with their costs; and the lowest cost.

    Of alternatives that the same facts will cost the same, only the cheapest can win.
    """
    costs = list(alternatives)
    lowest = min(cost for cost, _ in costs)
    by_status: dict[object, int] = {}
    for cost, run in costs:
        state = (run.status, run.closed)
        by_status[state] = min(cost, by_status.get(state, cost))
    kept = {
        (run[:4], run.closed, id(run.before), run.content): run._replace(dearer=cost - lowest)
        for cost, run in costs
        if cost <= lowest + 1 and cost == by_status[run.status, run.closed]
    }
    return tuple(kept.values()), lowest


def granted(line: Line, fact: Fact) -> Step:
    """The line after a grant. To repeat it changes nothing but the document of an inline policy.

    It needs nothing of the line, but a policy and a project that have not ended.
    """
    content = first_content(fact)
    if len(line) == 1:
        run = line[0]
        if run.status == GRANTED:
            again = _with_content(run, fact)
            return (line if again is run else (again,)), 0
        return (Run(GRANTED, fact.at, fact, None, run, content=content),), int(run.closed)
    if not line:
        return (Run(GRANTED, fact.at, fact, None, None, content=content),), 0
    return cheapest(
        (run.dearer, _with_content(run, fact))
        if run.status == GRANTED
        else (run.dearer + run.closed, Run(GRANTED, fact.at, fact, None, run, content=content))
        for run in line
    )


def _with_content(run: Run, fact: Fact) -> Run:
    """The run, with another one after it if a fact changes its document and nothing else."""
    content = next_content(run.content, fact)
    if content is run.content:
        return run
    return run._replace(at=fact.at, before=run, content=content)


def revoked(line: Line, fact: Fact, since: datetime, *, seen: bool) -> Step:
    """The line after a revocation. One of a permission that was not granted proves a grant.

    `since` is when the thing's life began, and `seen` whether its creation was seen. Without that,
    the permission may have been granted before the first fact.
    """
    if not line:
        unknown = Run(NOT_KNOWN, since, fact, GRANT_NOT_SEEN, None)
        return (Run(REVOKED, fact.at, fact, GRANT_NOT_SEEN, unknown),), int(seen)
    if len(line) == 1:
        cost, run = _revoked(line[0], fact)
        return (run,), cost
    return cheapest(_revoked(run, fact) for run in line)


def _revoked(run: Run, fact: Fact) -> tuple[int, Run]:
    if run.status != REVOKED:
        return run.dearer, Run(REVOKED, fact.at, fact, None, run)
    unknown = Run(NOT_KNOWN, run.at, fact, GRANT_NOT_SEEN, run)
    return run.dearer + 1, Run(REVOKED, fact.at, fact, GRANT_NOT_SEEN, unknown, closed=run.closed)


def was_set(line: Line, value: str | datetime | None, fact: Fact) -> Line:
    """The line of a trust or an expiry after it was set. The same value again changes nothing but
    a document.
    """
    if not line:
        return (Run(value, fact.at, fact, None, None, content=first_content(fact)),)
    return tuple(
        _with_content(run, fact)
        if run.status == value
        else Run(value, fact.at, fact, None, run, content=next_content(run.content, fact))
        for run in line
    )


def outlasts(line: Line, at: datetime) -> bool:
    """Whether a proof of life at an instant contradicts a line of an expiry, or one before it."""
    runs: list[Run | None] = list(line)
    while runs:
        run = runs.pop()
        if run is not None:
            if _stated_end(run) < at:
                return True
            runs.append(run.before)
    return False


def outlived(line: Line, fact: Fact) -> Step:
    """The line of an expiry after a proof that the thing had not expired.

    After the stated end, it proves that another expiry had been set: nobody saw when, and to which
    time. From that end until the proof, it is not known whether the thing had expired.
    """
    return cheapest(_outlived(run, fact) for run in line)


def _outlived(run: Run, fact: Fact) -> tuple[int, Run]:
    end = _stated_end(run)
    if end >= fact.at:
        return run.dearer, run
    gap = Run(NOT_KNOWN, end, fact, EXPIRY_CHANGE_NOT_SEEN, run)
    return run.dearer + 1, Run(None, fact.at, fact, EXPIRY_CHANGE_NOT_SEEN, gap)


def _stated_end(run: Run) -> datetime:
    """The time when the thing expires, as its expiry was set; FOREVER if that is not known."""
    return max(run.at, run.status) if isinstance(run.status, datetime) else FOREVER


def doubted(line: Line, fact: Fact, note: str = ORDER_NOT_KNOWN) -> Line:
    """The line after facts whose order was not searched, or whose policy or place is not known."""
    return tuple(Run(NOT_KNOWN, fact.at, None, note, run) for run in line or (None,))


def perhaps_granted(line: Line, fact: Fact, since: datetime) -> Line:
    """The line before a revocation that may be of this permission: then, it had been granted.

    It may be the first call that is of this permission at all. `since` is when the thing's life
    began.
    """
    return tuple(_perhaps_granted(run, fact, since) for run in line or (None,))


def _perhaps_granted(run: Run | None, fact: Fact, since: datetime) -> Run:
    certain = run
    while certain is not None and certain.note == NAMED_NOT_KNOWN:
        certain = certain.before
    if certain is None:
        return Run(NOT_KNOWN, since, fact, GRANT_NOT_SEEN, None)
    if run is not None and certain.status != REVOKED:
        return run
    return Run(NOT_KNOWN, certain.at, fact, GRANT_NOT_SEEN, certain)


def ended(line: Line, fact: Fact, *, needs_detached: bool) -> Step:
    """The line after its policy or project ended. A revoked permission stays as it is."""
    note = END_NOT_SEEN if needs_detached else None
    return cheapest(
        (run.dearer, run._replace(closed=True))
        if run.status == REVOKED
        else (
            run.dearer + (needs_detached and run.status == GRANTED),
            Run(REVOKED, fact.at, fact, note, run, closed=True),
        )
        for run in line
    )


def detached(line: Line) -> Step:
    """The line of a thing that could be deleted only without permissions, before its deletion.

    Alternatives that are revoked explain the deletion. If there is none, a revocation was not seen.
    """
    if len(line) == 1:
        return line, int(line[0].status == GRANTED)
    return cheapest((run.dearer + (run.status == GRANTED), run) for run in line)


def best(line: Line) -> Line:
    """The alternatives with the fewest unseen facts."""
    return line if len(line) == 1 else tuple(run for run in line if run.dearer == 0)
