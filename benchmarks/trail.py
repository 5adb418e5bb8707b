"""Measures the audit trail's first page without a filter, and under each filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final

from benchmarks.course import Course, note
from benchmarks.generator import BEGINNING, SPAN
from benchmarks.measure import OURS, Limit, Row, in_turn, median_ms, slowest_ms
from projections.definitions.audit_trail import USES, TrailFilter
from projections.views import Views

CALLS: Final = 20
PAIRS: Final = 30
BUDGET_S: Final = 5.0
"""The time limit for the questions of one sample: a slow filter is asked less often."""
NOTHING: Final = "nothing-has-this-name"
TARGET: Final = (Limit(20),)
_DAY: Final = timedelta(days=1)
_SPECIAL: Final = {"event", "actor", "established", "service", "uses", "since", "until"}
"""Filters whose values do not come from a column of the same name."""


def rows(course: Course, views: Views) -> Iterator[Row]:
    note("audit trail")
    random, last = course.random, course.big.last_position
    entries = _drawn(views, random, last)
    for name, wanted in _filters(entries, random).items():
        asked = [partial(views.trail, each) for each in wanted]

        def ask(asked: list[partial[Any]] = asked) -> float:
            return median_ms(asked, BUDGET_S)

        yield Row(f"audit trail: {name}", "ms", in_turn({OURS: ask}, course.repetitions), TARGET)
    pairs = [partial(views.trail, each) for each in _pairs(entries, random)]

    def ask_pairs() -> float:
        return slowest_ms(pairs)

    samples = in_turn({OURS: ask_pairs}, course.repetitions)
    yield Row(f"audit trail: two filters, the slowest of {PAIRS}", "ms", samples, TARGET)


def _drawn(views: Views, random: Random, last: int) -> list[dict[str, Any]]:
    """Entries from random places in the history, whose values the filters use."""
    pages = (
        views.trail(TrailFilter(), after=random.randint(1, last), limit=50)
        for _ in range(CALLS * 2)
    )
    return [random.choice(rows) for page in pages if (rows := page.dicts())]


def _filters(entries: list[dict[str, Any]], random: Random) -> dict[str, list[TrailFilter]]:
    """The filters by name; those of one name are asked one after another."""
    plain = {each.name for each in fields(TrailFilter)} - _SPECIAL
    wanted: dict[str, list[TrailFilter]] = {"no filter": [TrailFilter()] * CALLS}
    for word in sorted(plain):
        values = [entry[word] for entry in entries if entry[word] is not None][:CALLS]
        wanted[word] = [_filter(**{word: value}) for value in values]
    named = [entry for entry in entries if entry["service"] is not None]
    asking = [entry["service"] for entry in named if entry["type"] not in USES]
    used = [entry["service"] for entry in named if entry["type"] in USES]
    wanted["service"] = [TrailFilter(service=service) for service in asking[:CALLS]]
    wanted["service that is used"] = [TrailFilter(uses=service) for service in used[:CALLS]]
    wanted["event"] = [TrailFilter(event=entry["type"]) for entry in entries[:CALLS]]
    wanted["actor, by id"] = [TrailFilter(actor=entry["actor"]) for entry in entries[:CALLS]]
    wanted["actor, by name"] = [TrailFilter(actor=e["actor_name"]) for e in entries[:CALLS]]
    wanted["established"] = [
        TrailFilter(established=e["actor_established"]) for e in entries[:CALLS]
    ]
    days = [BEGINNING + SPAN * random.random() for _ in range(CALLS)]
    wanted["since and until, one day"] = [TrailFilter(since=d, until=d + _DAY) for d in days]
    wanted["since, an early day"] = [TrailFilter(since=BEGINNING + _DAY)] * CALLS
    wanted["until, an early day"] = [TrailFilter(until=BEGINNING + _DAY)] * CALLS
    wanted["account and refused"] = [
        TrailFilter(account=entry["account"], outcome="refused") for entry in entries[:CALLS]
    ]
    wanted["event and region"] = [
        TrailFilter(event=entry["type"], region=entry["region"]) for entry in entries[:CALLS]
    ]
    wanted["an agency that does not exist"] = [TrailFilter(agency=NOTHING)] * CALLS
    wanted["an actor that does not exist"] = [TrailFilter(actor=NOTHING)] * CALLS
    return {name: filters for name, filters in wanted.items() if filters}


def _pairs(entries: list[dict[str, Any]], random: Random) -> list[TrailFilter]:
    """Two filters at once, with values of one entry or of two: often nothing has both."""
    words = ("provider", "account", "region", "agency", "policy", "outcome", "origin")
    found = []
    for _ in range(PAIRS * 10):
        one, other = random.sample(words, 2)
        values = random.choice(entries)[one], random.choice(entries)[other]
        if None not in values:
            found.append(_filter(**{one: values[0], other: values[1]}))
    return found[:PAIRS]


def _filter(**words: Any) -> TrailFilter:
    return TrailFilter(**words)
