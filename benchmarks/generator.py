"""Generates a ledger of any size through the public API: `python -m benchmarks.generator`.

A seed determines the traces: up to two thousand accounts, each with a few agencies, policies and
regions; consents, permissions, credentials, features, logins, attempts. One trace in fifty arrives
late. Only the surrogate ids of people differ from run to run, because they are random.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from benchmarks import facts
from ledger.application import Ledger
from ledger.execution.observations import TRACES_MAX
from ledger.messages import DomainEvent, Observation, Provenance

BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)
SPAN: Final = timedelta(days=730)
"""The events of a ledger of any size are spread over this time."""
LATE_SHARE: Final = 0.02
LATE_MAX: Final = timedelta(days=30)
DELIVERY: Final = timedelta(seconds=90)
"""The delay after which the ledger learns of an event."""
ACCOUNTS_MAX: Final = 2_000
"""A ledger of 100,000 events has as many accounts as one of 3,000,000, so that only the history
grows. The more accounts a transaction has, the more an append costs."""
ACCOUNTS_MIN: Final = 20
EVENTS_PER_ACCOUNT: Final = 50
"""The least number of events for each account in a small ledger."""
ACTORS: Final = 200

OnProgress = Callable[[int, float], None]
"""Called with the number of events observed so far, and the seconds that they took."""


class World:
    """Some accounts and their traces. `clock` follows the traces that `observations` yields."""

    def __init__(self, events: int, seed: int = 1) -> None:
        self.events = events
        self.random = Random(seed)  # noqa: S311  Repeatable, and nothing is secret here.
        self.at = BEGINNING
        self.sites = [
            facts.site(number, self.random)
            for number in range(min(ACCOUNTS_MAX, max(ACCOUNTS_MIN, events // EVENTS_PER_ACCOUNT)))
        ]

    def clock(self) -> datetime:
        """The time when the ledger learns of the newest trace."""
        return self.at + DELIVERY

    def observations(self) -> Iterator[Observation]:
        """Traces with `events` facts in all, not counting the events that the ledger adds."""
        random, drawn = self.random, 0
        step = SPAN / self.events
        while drawn < self.events:
            # Some accounts are busier than others, but none ten times as busy.
            site = self.sites[int(len(self.sites) * random.random() ** 1.3)]
            happened = facts.happen(site, random)
            drawn += len(happened)
            self.at += step * len(happened)
            yield self._observation(site, happened)

    def _observation(self, site: facts.Site, happened: tuple[DomainEvent, ...]) -> Observation:
        random = self.random
        is_late = random.random() < LATE_SHARE
        return Observation(
            provider=site.provider,
            account=site.account,
            events=happened,
            effective_at=self.at - (LATE_MAX * random.random() if is_late else timedelta()),
            source=Provenance(
                trace_id=f"{random.getrandbits(64):016x}", file=f"{self.at:%Y%m%d}.json.gz"
            ),
            actor=f"user{int(ACTORS * random.random() ** 2):03}",
        )


@dataclass(slots=True)
class Built:
    """A generated ledger: its events, and the seconds that each transaction took."""

    world: World
    events: int = 0
    pages: list[tuple[int, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The time in `Ledger.observe`, without the time for drawing the traces."""
        return sum(seconds for _, seconds in self.pages)

    def cost_us(self, share: float = 1.0) -> float:
        """Microseconds an event, over the last transactions: this share of all of them."""
        last = self.pages[-max(1, round(len(self.pages) * share)) :]
        return 1e6 * sum(seconds for _, seconds in last) / sum(events for events, _ in last)


def build(
    place: Path | str, events: int, seed: int = 1, on_progress: OnProgress | None = None
) -> Built:
    """Generate a ledger at a path or URL, one page of traces at a time."""
    built = Built(World(events, seed))
    ledger = Ledger(place, clock=built.world.clock)
    try:
        for page in pages(built.world.observations()):
            begun = perf_counter()
            observed = ledger.observe(page)
            seconds = perf_counter() - begun
            built.events += observed.entries
            built.pages.append((observed.entries, seconds))
            if on_progress:
                on_progress(built.events, built.seconds)
    finally:
        ledger.close()
    return built


def pages(observations: Iterator[Observation]) -> Iterator[list[Observation]]:
    """The traces in lists, one for each transaction."""
    page: list[Observation] = []
    for observation in observations:
        page.append(observation)
        if len(page) == TRACES_MAX:
            yield page
            page = []
    if page:
        yield page


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generator", description=__doc__)
    parser.add_argument("ledger", type=Path, metavar="LEDGER")
    parser.add_argument("--events", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    asked = parser.parse_args()
    if asked.ledger.exists():
        parser.error(f"{asked.ledger} exists already.")

    def tell(events: int, _: float) -> None:
        sys.stderr.write(f"\r{events:,} of {asked.events:,} events ")

    begun = perf_counter()
    built = build(asked.ledger, asked.events, asked.seed, tell if sys.stderr.isatty() else None)
    size = asked.ledger.stat().st_size
    sys.stderr.write(
        f"{built.events:,} events in {perf_counter() - begun:.1f} s, {built.events / built.seconds:,.0f}"
        f" events/s observed, {size / built.events:,.0f} bytes an event in the file\n"
    )


if __name__ == "__main__":
    main()
