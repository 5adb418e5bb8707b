"""Draws cases for a target, each from a seed of its own, and keeps those that broke something."""

from __future__ import annotations

import os
import random
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzzing.oracle import Fault, check_time

Attempt = Callable[[random.Random], int]
"""Make one input and feed it; the size of it in bytes. Raises Fault."""
Target = Callable[[Path], AbstractContextManager[Attempt]]

FAULTS_MAX = 10
"""After so many a target is given up: most are one fault."""


@dataclass
class Report:
    """What the cases of one target came to."""

    target: str
    seed: int
    cases: int = 0
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = f"{len(self.faults)} faults" if self.faults else "no fault"
        return f"{self.target}: {self.cases} cases, {found}, slowest {self.slowest_s:.2f} s"


def fuzz(name: str, target: Target, seed: int, cases: Iterable[int]) -> Report:
    """Attempt cases by number. Each stands alone: its number and the seed make it again."""
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
        size = attempt(random.Random(seed))
        taken = time.process_time() - begun
        report.slowest_s = max(report.slowest_s, taken)
        check_time(taken, size)
    except Fault as fault:
        return str(fault)
    except Exception:  # noqa: BLE001  Whatever it is, it is what was looked for.
        return traceback.format_exc()
    return None


@contextmanager
def surroundings() -> Iterator[Path]:
    """An empty working folder, and settings and a home of nobody's."""
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


def for_seconds(seconds: float, first: int = 0) -> Iterator[int]:
    """Numbers of cases, until the time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield first
        first += 1
