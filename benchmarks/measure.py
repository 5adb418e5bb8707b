"""Rows of a comparison: samples of competitors, taken in turn; targets; table and JSON output."""

from __future__ import annotations

import gc
import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Literal

OURS: Final = "ours"
STOCK: Final = "stock"
RAW: Final = "raw"

Unit = Literal["ms", "events/s", "records/s", "commands/s", "MB", "µs/event"]
GROWS_WITH_SPEED: Final = ("events/s", "records/s", "commands/s")
"""In these units more is better; in all others less is."""

Samples = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A target for ours: a bound, multiplied by another competitor's value if one is named."""

    bound: float
    against: str | None = None

    def text(self, unit: Unit) -> str:
        sign = "≥" if unit in GROWS_WITH_SPEED else "≤"
        if self.against is None:
            return f"{sign} {self.bound:,g} {unit}"
        times = f"{self.bound:.2g}" if self.bound < 10 else f"{self.bound:,g}"
        return f"{sign} {times}× {self.against}"

    def is_met(self, unit: Unit, medians: Mapping[str, float]) -> bool | None:
        """Whether ours meets the target; None if the values for it are missing."""
        if OURS not in medians or (self.against is not None and self.against not in medians):
            return None
        limit = self.bound * (1 if self.against is None else medians[self.against])
        if unit in GROWS_WITH_SPEED:
            return medians[OURS] >= limit
        return medians[OURS] <= limit


@dataclass(slots=True)
class Row:
    """One kind of work: the samples of each competitor, or why it could not run."""

    name: str
    unit: Unit
    samples: Samples
    limits: tuple[Limit, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    """Competitors that could not run, and why."""
    note: str = ""

    @property
    def medians(self) -> dict[str, float]:
        return {name: statistics.median(taken) for name, taken in self.samples.items() if taken}

    @property
    def target(self) -> str:
        return ", ".join(limit.text(self.unit) for limit in self.limits)

    @property
    def verdict(self) -> str:
        """`met`, `missed`, `not compared`, or an empty text without a target."""
        results = [limit.is_met(self.unit, self.medians) for limit in self.limits]
        if False in results:
            return "missed"
        if None in results:
            return "not compared"
        return "met" if results else ""

    def ratio(self, competitor: str) -> float | None:
        """Ours divided by the competitor's median."""
        medians = self.medians
        if OURS not in medians or not medians.get(competitor):
            return None
        return medians[OURS] / medians[competitor]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "target": self.target,
            "verdict": self.verdict,
            "note": self.note,
            "competitors": {
                name: {
                    "median": statistics.median(taken),
                    "min": min(taken),
                    "max": max(taken),
                    "ours_to_this": self.ratio(name),
                    "samples": taken,
                }
                for name, taken in self.samples.items()
                if taken
            },
            "could_not_run": self.reasons,
        }


def in_turn(competitors: Mapping[str, Callable[[], float]], repetitions: int) -> Samples:
    """Samples of each competitor, one after another within each repetition.

    A competitor times itself, so that its preparations do not count. Each repetition begins with
    another competitor.
    """
    samples: Samples = {name: [] for name in competitors}
    names = list(competitors)
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in (*names[first:], *names[:first]):
            gc.collect()
            samples[name].append(competitors[name]())
    return samples


def seconds_of(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def rate(work: Callable[[], object], count: int) -> float:
    """`count` divided by the seconds that the work takes."""
    return count / seconds_of(work)


def median_ms(works: Sequence[Callable[[], object]], budget_s: float = 10.0) -> float:
    """The median time of as many calls as fit into the budget, but at least one."""
    taken: list[float] = []
    begun = perf_counter()
    for work in works:
        taken.append(1_000 * seconds_of(work))
        if perf_counter() - begun > budget_s:
            break
    return statistics.median(taken)


def slowest_ms(works: Sequence[Callable[[], object]]) -> float:
    """The time of the slowest call."""
    return max(1_000 * seconds_of(work) for work in works)


# -- output --------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """The machine and the versions that the numbers were measured with."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "authledger": version("authledger"),
        "eventsourcing": version("eventsourcing"),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def table(rows: Sequence[Row]) -> str:
    """The rows as plain text: a line for each competitor, ours first."""
    lines: list[tuple[str, ...]] = [
        ("work", "unit", "competitor", "median", "min", "max", "ours is", "target", "verdict")
    ]
    for row in rows:
        head: tuple[str, ...] = (row.name, row.unit)
        tail: tuple[str, ...] = (row.target, row.verdict)
        for name, taken in row.samples.items():
            if not taken:
                continue
            numbers = (_number(n) for n in (statistics.median(taken), min(taken), max(taken)))
            ratio = None if name == OURS else row.ratio(name)
            lines.append((*head, name, *numbers, f"{ratio:.3g}×" if ratio else "", *tail))
            head = tail = ("", "")
        for name, why in row.reasons.items():
            lines.append((*head, name, f"could not run: {why}", "", "", "", *tail))
            head = tail = ("", "")
    # Reasons can be long, so they do not determine the width of a column.
    widths = [
        max(len(line[n]) for line in lines if not line[n].startswith("could not"))
        for n in range(len(lines[0]))
    ]
    laid_out = (
        "  ".join(
            cell.rjust(width) if 3 <= n <= 6 else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
    notes = (f"{row.name}: {row.note}" for row in rows if row.note)
    return "\n".join((*laid_out, "", *notes))


def _number(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def write_json(path: Path, rows: Sequence[Row], **circumstances: object) -> None:
    document = {
        "machine": machine(),
        **circumstances,
        "rows": [row.as_dict() for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
