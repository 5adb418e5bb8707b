"""Runs the benchmarks: `python -m benchmarks --events N`. Table on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks import (
    alternatives,
    bulk,
    concurrent,
    folding,
    growing,
    importing,
    proving,
    reading,
    scaling,
    starting,
    writing,
)
from benchmarks.course import Course, note
from benchmarks.measure import OURS, Row, machine, table, write_json


def _postgres(course: Course) -> Iterable[Row]:
    try:
        from benchmarks import postgres  # noqa: PLC0415  It imports psycopg, which may be missing.
    except ModuleNotFoundError as missing:
        reason = f"psycopg is not installed: {missing}"
        return (Row("PostgreSQL: all rows", "ms", {}, reasons={OURS: reason}),)
    return postgres.rows(course)


GROUPS: Final[dict[str, Callable[[Course], Iterable[Row]]]] = {
    "writing": writing.rows,
    "bulk": bulk.rows,
    "alternatives": alternatives.rows,
    "reading": reading.rows,
    "folding": folding.rows,
    "proving": proving.rows,
    "importing": importing.rows,
    "starting": starting.rows,
    "growing": growing.rows,
    "scaling": scaling.rows,
    "postgres": _postgres,
    "concurrent": concurrent.rows,
}

TARGET_EVENTS: Final = 3_000_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=TARGET_EVENTS, metavar="N")
    parser.add_argument("--repetitions", type=int, default=5, metavar="R")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), metavar="NAME")
    asked = parser.parse_args()
    begun = perf_counter()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="authledger-benchmarks-") as folder:
        course = Course(Path(folder), asked.events, asked.repetitions, asked.seed)
        for name in asked.only:
            note(f"-- {name}, {perf_counter() - begun:.0f} s")
            rows += GROUPS[name](course)
    sys.stdout.write(
        "".join(f"{name.replace('_', ' ')}: {value}\n" for name, value in machine().items())
    )
    sys.stdout.write(
        f"{asked.events:,} events, {asked.repetitions} repetitions in turn, seed {asked.seed}; "
        f"the targets apply to {TARGET_EVENTS:,}\n\n"
        f"{table(rows)}\n"
    )
    if asked.json:
        circumstances = {
            "events": asked.events,
            "repetitions": asked.repetitions,
            "seed": asked.seed,
            "seconds": round(perf_counter() - begun),
        }
        write_json(asked.json, rows, **circumstances)
    note(f"-- done in {perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
