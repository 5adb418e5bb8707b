"""Measures the fold of facts into rows: rebuild, catch-up, late facts, a large account's commands.

The peer of a late fact is the fold's definition: to derive the account's rows anew from all facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Final

from benchmarks import reading, stock
from benchmarks.course import Course, note
from benchmarks.generator import BEGINNING, pages
from benchmarks.measure import OURS, STOCK, Row, in_turn, median_ms, rate, seconds_of
from ledger.account.agency import AgencyCreated
from ledger.account.console import RequestConsoleLogin
from ledger.account.facts import facts_of
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.application import Actor, Ledger
from ledger.folding import derive, rules_of
from ledger.messages import Observation, Provenance
from projections.definitions.declared import FOLDED, PROJECTIONS
from projections.views import Views

SIZES: Final = (200, 100_000)
"""The numbers of facts of one agency."""
KEYS: Final = 64
"""The number of its permissions: each is granted and revoked in turn."""
CALLS: Final = 20
ANEW: Final = "derived anew"
BY_SQL: Final = "the views by SQL alone"
PROVIDER: Final = "huaweicloud"
ACCOUNT: Final = "0a1b2c3d4e5f"
AGENCY: Final = "asm_admin_trust"


def rows(course: Course) -> Iterator[Row]:
    yield _rebuild(course)
    yield reading.catch_up(course)
    with Views.open(course.big.path, course.catalogue) as views:
        views.catch_up()
        yield from reading.as_of(course, views)
    for size in SIZES:
        with closing(Large(course, size)) as large:
            yield _late(course, large)
            yield from _commands(course, large)


def _rebuild(course: Course) -> Row:
    note("rebuilding all views, and those that are not folded")
    last = course.big.last_position
    with Views.open(course.big.path, course.catalogue) as views:
        views.catch_up()
        others = [name for name in PROJECTIONS if name not in FOLDED]
        samples = in_turn(
            {
                OURS: lambda: rate(views.rebuild, last),
                BY_SQL: lambda: rate(partial(views.rebuild, others), last),
            },
            min(course.repetitions, 3),
        )
    return Row("folding: rebuild of all views", "events/s", samples)


class Large:
    """A ledger of one account with one agency, and its views."""

    def __init__(self, course: Course, size: int) -> None:
        note(f"an agency of {size:,} facts")
        self.size, self._late = size, 0
        place = course.place(f"agency-{size}.db")
        self.ledger = Ledger(place)
        for page in pages(self._traces()):
            self.ledger.observe(page)
        self.views = Views.open(place, course.catalogue)
        self.views.catch_up()
        self.facts = list(facts_of(self.ledger.history()))

    def _traces(self) -> Iterator[Observation]:
        yield _trace(0, AgencyCreated(agency=AGENCY, agency_id="a1", trustee="service:asm"))
        for n in range(1, self.size):
            yield _trace(n, _change(n))

    def late_fact(self) -> float:
        """The time of a catch-up after a fact in the middle of the history."""
        taken = []
        for _ in range(CALLS):
            self._late += 1
            self.ledger.observe([_trace(self.size // 2 + self._late / 1_000, _change(self._late))])
            taken.append(1_000 * seconds_of(self.views.catch_up))
        return sorted(taken)[CALLS // 2]

    def derived_anew(self) -> float:
        return 1_000 * seconds_of(partial(derive, self.facts, rules_of(PROVIDER)))

    def log_in(self) -> None:
        login = RequestConsoleLogin(account=ACCOUNT, service="asm", region="cn-north-4")
        self.ledger.execute(login, actor=Actor("alice"))

    def cold(self) -> float:
        self.log_in()  # Writes a snapshot, if there is none.
        self.ledger.clear_cache()
        return 1_000 * seconds_of(self.log_in)

    def warm(self) -> float:
        self.log_in()
        return median_ms([self.log_in] * CALLS)

    def close(self) -> None:
        self.views.close()
        self.ledger.close()


def _trace(
    second: float, event: AgencyCreated | PermissionGranted | PermissionRevoked
) -> Observation:
    return Observation(
        provider=PROVIDER,
        account=ACCOUNT,
        events=(event,),
        effective_at=BEGINNING + timedelta(seconds=second),
        source=Provenance(trace_id=f"trace-{second}"),
        actor="alice",
    )


def _change(n: int) -> PermissionGranted | PermissionRevoked:
    change = PermissionRevoked if n // KEYS % 2 else PermissionGranted
    return change(agency=AGENCY, region=f"region-{n % KEYS}", service="vpc")


def _late(course: Course, large: Large) -> Row:
    samples = in_turn({OURS: large.late_fact, ANEW: large.derived_anew}, course.repetitions)
    return Row(
        f"folding: catch up after a late fact, an agency of {large.size:,} facts",
        "ms",
        samples,
        note=f"{KEYS} permissions; {ANEW}: the spans of all facts, without reading or writing.",
    )


def _commands(course: Course, large: Large) -> Iterator[Row]:
    for name, ours, settings in (
        ("read from the file", large.cold, dict[str, str]()),
        ("warm in the process", large.warm, {"AGGREGATE_CACHE_MAXSIZE": "1"}),
    ):
        with (
            course.fresh("stock-large.db") as path,
            closing(Stock(stock.environment(path, **settings), large.size)) as peer,
        ):
            samples = in_turn({OURS: ours, STOCK: peer.sample}, course.repetitions)
        yield Row(f"folding: one command, account of {large.size:,} facts {name}", "ms", samples)


class Stock:
    """A stock application with one aggregate, which a command reads, changes and saves."""

    def __init__(self, environment: Mapping[str, str], size: int) -> None:
        self.app = stock.Delegations(environment)
        self._id = self.app.of_length(size, 1)
        self._log_in()  # Fills the cache, if there is one.

    def _log_in(self) -> None:
        delegation: stock.Delegation = self.app.repository.get(self._id)
        delegation.log_in("asm", "cn-north-4", "p-0123456789abcdef0123")
        self.app.save(delegation)

    def sample(self) -> float:
        return median_ms([self._log_in] * CALLS, budget_s=3.0)

    def close(self) -> None:
        self.app.close()
