"""Measures bulk appends, with equal durability and equally many events in a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final

from eventsourcing.persistence import StoredEvent

from benchmarks import stock
from benchmarks.course import Course, note
from benchmarks.generator import World, pages
from benchmarks.measure import OURS, RAW, STOCK, Limit, Row, in_turn, rate
from benchmarks.writing import Raw
from ledger.application import Ledger
from ledger.execution.observations import TRACES_MAX
from ledger.messages import Observation

BULK_MAX: Final = 100_000


@dataclass(slots=True)
class Bulk:
    """The same events as traces, as stored events and as rows. Each sample fills a new file."""

    course: Course
    world: World
    traces: list[list[Observation]] = field(init=False)
    stored: list[Sequence[StoredEvent]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.traces = list(pages(self.world.observations()))
        with self._ledger() as ledger:
            self._observe(ledger)
            first, last = 1, ledger.last_position()
            while first <= last:
                page = ledger.entries.select_notifications(first, TRACES_MAX)
                self.stored.append(page)
                first = page[-1].id + 1

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        with self.course.fresh("ledger.db") as path:
            ledger = Ledger(path, clock=self.world.clock)
            with closing(ledger):
                yield ledger

    @property
    def count(self) -> int:
        return sum(map(len, self.stored))

    def _observe(self, ledger: Ledger) -> None:
        for page in self.traces:
            ledger.observe(page)

    def observe(self) -> float:
        with self._ledger() as ledger:
            return rate(lambda: self._observe(ledger), self.count)

    def recorder(self) -> float:
        with self._ledger() as ledger:
            recorder = ledger.entries
            return rate(lambda: [recorder.insert_events(p) for p in self.stored], self.count)

    def stock(self) -> float:
        with self.course.fresh("stock.db") as path, closing(stock.recorder(path)) as recorder:
            return rate(lambda: [recorder.insert_events(p) for p in self.stored], self.count)

    def rows(self) -> list[list[tuple[object, ...]]]:
        position = iter(range(1, self.count + 1))
        return [
            [
                (next(position), e.originator_id, e.originator_version, e.topic, e.state.decode())
                for e in page
            ]
            for page in self.stored
        ]

    def raw(self) -> float:
        ready = self.rows()
        with self.course.fresh("raw.db") as path, closing(Raw(path, "")) as raw:
            return rate(lambda: raw.commit_all(ready), self.count)


def rows(course: Course) -> tuple[Row, Row]:
    count = min(course.events // 2, BULK_MAX)
    note(f"bulk append of {count:,} events")
    work = Bulk(course, World(count, course.seed))
    recorded = in_turn({OURS: work.recorder, STOCK: work.stock, RAW: work.raw}, course.repetitions)
    observed = in_turn({OURS: work.observe, STOCK: work.stock, RAW: work.raw}, course.repetitions)
    limits = (Limit(1.3, STOCK), Limit(1 / 2.5, RAW))
    return (
        Row(
            "bulk append, prepared entries: insert_events",
            "events/s",
            recorded,
            limits,
            note=f"{count:,} events into a new file, {TRACES_MAX} a transaction; stock: "
            "SQLiteApplicationRecorder.insert_events; raw: executemany into the ledger's table.",
        ),
        Row(
            "bulk append, traces: Ledger.observe",
            "events/s",
            observed,
            limits,
            note="ours with the rules, names, known traces and encoding; stock and raw as above, "
            "with prepared entries.",
        ),
    )
