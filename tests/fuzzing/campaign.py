"""Draws cases for a target, each from a seed of its own, and reports those with a fault."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.catalogue import load_catalogue
from tests.fuzzing.oracle import Fault, check_time

Attempt = Callable[[random.Random], int]
"""Makes and feeds one input; returns its size in bytes. Raises Fault."""
Target = Callable[[Path], AbstractContextManager[Attempt]]

ENDLESS_S = 120
FAULTS_MAX = 10
"""A target ends after this many faults, since most of them are the same one."""


@dataclass
class Report:
    """The results of the cases of one target."""

    target: str
    seed: int
    cases: int = 0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = f"{len(self.faults)} faults" if self.faults else "no fault"
        return f"{self.target}: {self.cases} cases, {found}, slowest {self.slowest_s:.2f} s"


def fuzz(name: str, target: Target, seed: int, cases: Iterable[int]) -> Report:
    """Attempt cases by number. The seed and a case's number alone reproduce it."""
    report = Report(name, seed)
    with surroundings() as folder, target(folder) as attempt:
        for case in cases:
            report.cases += 1
            if (fault := _fault(attempt, f"{seed}/{name}/{case}", report)) is not None:
                again = f"python -m tests.fuzzing {name} --seed {seed} --case {case}"
                report.faults.append(f"{again}\n{fault}")
                if len(report.faults) >= FAULTS_MAX:
                    break
    return report


def _fault(attempt: Attempt, seed: str, report: Report) -> str | None:
    begun = time.process_time()
    try:
        with _limited():
            size = attempt(random.Random(seed))
        taken = time.process_time() - begun
        report.slowest_s = max(report.slowest_s, taken)
        check_time(taken, size)
    except Fault as fault:
        return str(fault)
    except Exception:  # noqa: BLE001  Any error is a finding.
        return traceback.format_exc()
    return None


@contextmanager
def _limited() -> Iterator[None]:
    """Raise Fault in what has no end."""

    def interrupt(*_: object) -> None:
        raise Fault(f"still running after {ENDLESS_S} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(ENDLESS_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def surroundings() -> Iterator[Path]:
    """An empty working folder, with empty settings and an empty home folder."""
    before, there = dict(os.environ), Path.cwd()
    with TemporaryDirectory(prefix="authledger-fuzz-") as name:
        folder = Path(name)
        for variable in [each for each in os.environ if each.startswith(("AUTHLEDGER_", "PG"))]:
            del os.environ[variable]
        for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
            os.environ[f"XDG_{kind}_HOME"] = str(folder / "home" / kind.lower())
        os.environ["HOME"] = str(folder / "home")
        work = folder / "work"
        work.mkdir()
        os.chdir(work)
        try:
            yield work
        finally:
            os.chdir(there)
            os.environ.clear()
            os.environ.update(before)
            load_catalogue.cache_clear()  # It remembers folders by names that mean others now.


def for_seconds(seconds: float, first: int = 0) -> Iterator[int]:
    """Numbers of cases, until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield first
        first += 1
