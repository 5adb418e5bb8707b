"""Compares the cost of an event in a big ledger and in one of a tenth of its size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Final

from benchmarks.course import Course, Made, note
from benchmarks.measure import OURS, Limit, Row, in_turn, seconds_of
from ledger.application import Ledger
from projections.views import Views

TENTH: Final = "at a tenth"
LIMIT: Final = (Limit(1.3, TENTH),)


def rows(course: Course) -> Iterator[Row]:
    big, small = course.big, course.small
    yield Row(
        "growth: append, an event",
        "µs/event",
        {OURS: [big.built.cost_us(0.1)], TENTH: [small.built.cost_us(0.5)]},
        LIMIT,
        note="Ledger.observe, traces of all accounts: the last tenth of the big ledger, and the "
        "last half of the small one; measured once, while they were generated.",
    )
    note("growth of rebuild and scan")
    for name, cost in (("rebuild of all views", _rebuild), ("scan of Ledger.history", _scan)):
        samples = in_turn(
            {OURS: partial(cost, course, big), TENTH: partial(cost, course, small)},
            min(course.repetitions, 3),
        )
        yield Row(f"growth: {name}, an event", "µs/event", samples, LIMIT)


def _rebuild(course: Course, made: Made) -> float:
    with Views.open(made.path, course.catalogue) as views:
        last = views.catch_up()
        return 1e6 * seconds_of(views.rebuild) / last


def _scan(course: Course, made: Made) -> float:
    """Read equally many entries of both: the small ledger, and the end of the big one."""
    count = course.small.last_position
    with closing(Ledger(made.path)) as ledger:
        last = ledger.last_position()
        entries = ledger.history(last - count + 1, last)
        return 1e6 * seconds_of(partial(deque, entries, 0)) / count
