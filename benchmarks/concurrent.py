"""Measures several processes that write at the same time: throughput, and the slowest command.

First each process has accounts of its own. Then all use the same accounts, so that nearly every
decision meets a conflict.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from benchmarks import servers
from benchmarks.course import Course, note
from benchmarks.measure import Row, Samples, in_turn
from benchmarks.servers import CannotRun
from ledger.account.console import RequestConsoleLogin
from ledger.application import Actor, Ledger

WRITERS: Final = (1, 2, 4, 8)
ACCOUNTS: Final = 16
"""The number of accounts of each writer, and of the accounts that all of them share."""
SQLITE: Final = "SQLite"
POSTGRESQL: Final = "PostgreSQL"
_REGION: Final = "cn-north-4"


@dataclass(frozen=True, slots=True)
class Sample:
    """The work of one process in the given time: each command's milliseconds, errors by kind."""

    latencies: list[float]
    errors: Counter[str]

    @property
    def done(self) -> int:
        return len(self.latencies) - self.errors.total()


@dataclass(slots=True)
class Crew:
    """Processes that have a ledger open. On request, some of them write for a while."""

    name: str
    seconds: float
    pipes: list[Connection]
    worst: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def write(self, writers: int, *, together: bool = False) -> float:
        """Let some processes write, to shared accounts or their own; return commands a second."""
        asked = self.pipes[:writers]
        for pipe in asked:
            pipe.send((self.seconds, together))
        samples = [_answer(pipe) for pipe in asked]
        self.worst.append(max(max(each.latencies) for each in samples))
        for each in samples:
            self.errors += each.errors
        return sum(each.done for each in samples) / self.seconds


def rows(course: Course) -> Iterator[Row]:
    seconds = 3.0 if course.events > 100_000 else 0.25
    reasons: dict[str, str] = {}
    crews: list[Crew] = []
    with ExitStack() as stack:
        crews.append(stack.enter_context(crew(SQLITE, course.place("writers.db"), seconds)))
        try:
            server = stack.enter_context(servers.postgresql())
            database = stack.enter_context(servers.database(server))
            crews.append(stack.enter_context(crew(POSTGRESQL, database.url, seconds)))
        except CannotRun as reason:
            reasons[POSTGRESQL] = str(reason)
        for writers, together in (*((writers, False) for writers in WRITERS), (WRITERS[-1], True)):
            note(f"{writers} concurrent writers{', on shared accounts' if together else ''}")
            done = in_turn(
                {each.name: partial(each.write, writers, together=together) for each in crews},
                course.repetitions,
            )
            waited: Samples = {each.name: list(each.worst) for each in crews}
            name = f"{writers} concurrent writers" if writers > 1 else "1 writer"
            name += ", on shared accounts" if together else ""
            yield Row(f"{name}: commands", "commands/s", done, reasons=reasons, note=_errors(crews))
            yield Row(f"{name}: the slowest command", "ms", waited, reasons=reasons)
            for each in crews:
                each.errors.clear()
                each.worst.clear()


def _errors(crews: Sequence[Crew]) -> str:
    """How many commands failed, and with which errors."""
    return "; ".join(
        f"{each.name}: {each.errors.total()} errors"
        + "".join(f", {count} {kind}" for kind, count in each.errors.items())
        for each in crews
    )


# -- the processes -------------------------------------------------------------------------------


@contextmanager
def crew(name: str, place: Path | str, seconds: float) -> Iterator[Crew]:
    with closing(Ledger(place)) as ledger:  # Create it before the others open it.
        for number in range(ACCOUNTS):
            _log_in(ledger, number)
    # Not forked: each is a new process, as another command is.
    context = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    pipes: list[Connection] = []
    try:
        for number in range(max(WRITERS)):
            here, there = context.Pipe()
            process = context.Process(target=_write, args=(place, number, there), daemon=True)
            process.start()
            there.close()
            processes.append(process)
            pipes.append(here)
        for pipe in pipes:
            pipe.recv()  # It is ready.
        yield Crew(name, seconds, pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()


def _answer(pipe: Connection) -> Sample:
    wait([pipe])
    sample = pipe.recv()
    assert isinstance(sample, Sample)
    return sample


def _write(place: Path | str, number: int, pipe: Connection) -> None:
    """Run one process: write for the requested time, again and again, until the pipe closes."""
    random = Random(number)  # noqa: S311  Repeatable, and nothing is secret here.
    with closing(Ledger(place)) as ledger:
        pipe.send(number)
        while True:
            try:
                seconds, together = pipe.recv()
            except EOFError:
                return
            sample, end = Sample([], Counter()), perf_counter() + seconds
            while perf_counter() < end:
                begun = perf_counter()
                try:
                    account = random.randrange(ACCOUNTS)
                    _log_in(ledger, account if together else account + ACCOUNTS * (number + 1))
                except Exception as error:  # noqa: BLE001  Every failure is counted.
                    sample.errors[type(error).__name__] += 1
                sample.latencies.append(1_000 * (perf_counter() - begun))
            pipe.send(sample)


def _log_in(ledger: Ledger, account: int) -> None:
    ledger.execute(
        RequestConsoleLogin(account=f"{account:012x}", service="asm", region=_REGION),
        actor=Actor("alice"),
    )
