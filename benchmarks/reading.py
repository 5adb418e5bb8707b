"""Measures reading: rebuild, catch-up, as-of questions, the trail, looking up a time's position."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final

from eventsourcing.persistence import TrackingRecorder
from eventsourcing.projection import ProjectionRunner

from benchmarks import stock, trail
from benchmarks.course import Course, Made, note
from benchmarks.generator import BEGINNING, SPAN
from benchmarks.measure import (
    OURS,
    STOCK,
    Limit,
    Row,
    Samples,
    Unit,
    in_turn,
    median_ms,
    rate,
    seconds_of,
)
from ledger.account.console import RequestConsoleLogin
from ledger.application import Actor, Ledger
from ledger.as_of import AsOf
from ledger.values import instant_text
from projections.views import Views

CALLS: Final = 50
"""A sample is the median of this many questions."""
STOCK_STREAMS: Final = 20
STOCK_STREAM_LENGTH: Final = 100
TENTH: Final = "at a tenth"

Question = Callable[[], object]


def rows(course: Course) -> Iterator[Row]:
    yield rebuild(course)
    yield catch_up(course)
    with Views.open(course.big.path, course.catalogue) as views:
        views.catch_up()
        yield from as_of(course, views)
        yield from trail.rows(course, views)
    yield time_to_position(course)


# -- keeping the views ---------------------------------------------------------------------------


def rebuild(course: Course) -> Row:
    made = course.big
    note("rebuilding all views")
    with Views.open(made.path, course.catalogue) as views:
        views.catch_up()
        samples = in_turn(
            {
                OURS: lambda: rate(views.rebuild, made.last_position),
                STOCK: lambda: _stock_rebuild(course),
            },
            min(course.repetitions, 3),
        )
    return Row(
        "rebuild of all views",
        "events/s",
        samples,
        (Limit(50, STOCK), Limit(200_000)),
        note=f"ours: all projections, with digests compared; stock: ProjectionRunner, one "
        f"projection, {STOCK_STREAMS * STOCK_STREAM_LENGTH:,} events, a polling subscription.",
    )


def _stock_rebuild(course: Course) -> float:
    with course.fresh("stock.db") as events, course.fresh("stock-view.db") as view:
        return stock_rebuild(
            stock.environment(events, PERMISSIONS_SQLITE_DBNAME=str(view)), stock.PermissionsView
        )


def stock_rebuild(environment: Mapping[str, str], view_class: type[TrackingRecorder]) -> float:
    """Events a second that the library's runner projects into an empty view."""
    count = STOCK_STREAMS * STOCK_STREAM_LENGTH
    with closing(stock.Delegations(environment)) as app:
        for number in range(STOCK_STREAMS):
            app.of_length(STOCK_STREAM_LENGTH, number)

    def project() -> None:
        with ProjectionRunner(
            application_class=stock.Delegations,
            projection_class=stock.PermissionsProjection,
            view_class=view_class,
            env=environment,
        ) as runner:
            runner.wait(count, timeout=600)

    return rate(project, count)


def catch_up(course: Course) -> Row:
    """Append a command to each ledger in turn; only the views' catch-up is timed."""
    with (
        closing(Follower(course, course.big)) as big,
        closing(Follower(course, course.small)) as small,
    ):
        note("catching up after one command")
        samples = in_turn({OURS: big.sample, TENTH: small.sample}, course.repetitions)
    return Row(
        "catch up after one command, all views",
        "ms",
        samples,
        (Limit(1.5), Limit(1.3, TENTH)),
        note=f"p50 of {CALLS} in each sample; one transaction, which does not wait for the disk.",
    )


class Follower:
    """A ledger that gets one command after another, and its views."""

    def __init__(self, course: Course, made: Made) -> None:
        self.ledger = Ledger(made.path)
        self.views = Views.open(made.path, course.catalogue)
        self.views.catch_up()

    def sample(self) -> float:
        taken = []
        for _ in range(CALLS):
            self.ledger.execute(
                RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="cn-north-4"),
                actor=Actor("alice"),
            )
            taken.append(1_000 * seconds_of(self.views.catch_up))
        return sorted(taken)[CALLS // 2]

    def close(self) -> None:
        self.views.close()
        self.ledger.close()


# -- queries -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Drawn:
    """Questions about places, positions and times, drawn again for each sample."""

    random: Random
    views: Views
    last_position: int
    places: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        permissions = self.views.read("regions").dicts()
        self.places = self.random.sample(permissions, min(1_000, len(permissions)))

    def sample(self, columns: tuple[str, ...], *, effective: bool = False) -> float:
        return median_ms([self._question(columns, effective) for _ in range(CALLS)])

    def _question(self, columns: tuple[str, ...], effective: bool) -> Question:  # noqa: FBT001
        place = self.random.choice(self.places)
        position = self.random.randint(1, self.last_position)
        at = BEGINNING + SPAN * self.random.random() if effective else None
        return partial(
            self.views.read,
            "regions",
            as_of=AsOf(position, at),
            where={column: place[column] for column in columns},
        )


def as_of(course: Course, views: Views) -> Iterator[Row]:
    note("as-of questions")
    drawn = _Drawn(course.random, views, course.big.last_position)
    one = ("provider", "account", "region", "agency")
    for name, columns, effective, limits in (
        ("as of a position: one region and agency of an account", one, False, (Limit(1),)),
        ("as of a position: region and agency, any account", one[2:], False, (Limit(1),)),
        ("as of a position: a whole region", ("region",), False, ()),
        ("known at and effective: one region and agency of an account", one, True, (Limit(2),)),
        ("known at and effective: region and agency, any account", one[2:], True, (Limit(2),)),
    ):
        ask = partial(drawn.sample, columns, effective=effective)
        yield Row(name, "ms", in_turn({OURS: ask}, course.repetitions), limits)


def time_to_position(course: Course) -> Row:
    note("time to position")
    random = course.random
    with closing(Ledger(course.big.path)) as ledger:

        def ask() -> float:
            times = (
                instant_text(BEGINNING + SPAN * random.random() + timedelta(seconds=1))
                for _ in range(CALLS)
            )
            return median_ms([partial(ledger.entries.position_at, time) for time in times])

        samples: Samples = in_turn({OURS: ask}, course.repetitions)
    unit: Unit = "ms"
    return Row("time to position", unit, samples, (Limit(1),))
