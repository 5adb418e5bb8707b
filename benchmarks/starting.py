"""Compares the start of the command line with the import of the libraries that it uses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.course import Course, note
from benchmarks.generator import build
from benchmarks.measure import OURS, Limit, Row, in_turn, seconds_of

IMPORTS: Final = "imports"
LEDGER_EVENTS: Final = 1_000
CALLS: Final = 3
"""A sample is the fastest of this many starts, since other programs can only add time."""

_BASE: Final = [sys.executable, "-c", "import typer, pydantic, eventsourcing.application"]


def rows(course: Course) -> Iterator[Row]:
    note("starting the command line")
    program = Path(sys.executable).with_name("authledger")
    works = (
        ("authledger --version", ["--version"], Limit(2.0, IMPORTS)),
        ("authledger console login", _login(course), Limit(2.5, IMPORTS)),
    )
    for name, words, limit in works:
        if not program.exists():
            reason = f"there is no {program.name} beside {Path(sys.executable).name}"
            yield Row(name, "ms", {}, (limit,), {OURS: reason})
            continue
        competitors = {OURS: _starts([str(program), *words]), IMPORTS: _starts(_BASE)}
        yield Row(
            name,
            "ms",
            in_turn(competitors, course.repetitions),
            (limit,),
            note=f"imports: {_BASE[-1]}; the fastest of {CALLS} starts in each sample.",
        )


def _login(course: Course) -> list[str]:
    """The arguments of a complete command on a small ledger."""
    ledger = course.place("login.db")
    build(ledger, LEDGER_EVENTS, course.seed)
    return [
        *("--ledger", str(ledger), "--account", "0a1b2c3d4e5f"),
        *("console", "login", "--service", "asm", "--region", "cn-north-4", "--user", "alice"),
    ]


def _starts(words: list[str]) -> Callable[[], float]:
    def start() -> None:
        subprocess.run(  # noqa: S603  Constant arguments.
            words,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "HOME": os.devnull},
        )

    return lambda: 1_000 * min(seconds_of(start) for _ in range(CALLS))
