"""Measures the import of trace files, from end to end: its speed and its memory.

Each import runs in a process of its own (`python -m benchmarks.importing`), so that its peak of
memory is its own. Raw is the unavoidable work: decompressing the gzip and parsing the JSON.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from benchmarks import traces
from benchmarks.course import Course, note
from benchmarks.measure import OURS, RAW, Limit, Row, in_turn
from ledger.application import Ledger
from ledger.importing.reading import reading
from ledger.sources import SOURCES, ImportReport

RECORDS_MAX: Final = 300_000
QUARTER: Final = "at a quarter"
ONE: Final = "with --jobs 1"
NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
SHARES: Final = {
    "one record in 28 yields a fact": 0.036,  # As in a public trail of an account under attack.
    "one record in 5 yields a fact": 0.2,
    "every record yields a fact": 1.0,
}


def rows(course: Course) -> Iterator[Row]:
    for source in SOURCES:
        for label, share in SHARES.items():
            yield from _import(course, source, label, share)


@dataclass(slots=True)
class _Child:
    """Runs imports in processes of their own, one after another; remembers their memory."""

    course: Course
    source: str
    folder: Path
    records: int
    peaks_mb: list[float] = field(default_factory=list)

    def ours(self) -> float:
        with self.course.fresh("imported.db") as path:
            return self._run("ours", str(path))

    def alone(self) -> float:
        with self.course.fresh("imported.db") as path:
            return self._run("alone", str(path))

    def raw(self) -> float:
        return self._run("raw", "-")

    def _run(self, who: str, ledger: str) -> float:
        done = subprocess.run(  # noqa: S603  This interpreter, constant arguments.
            [sys.executable, "-m", __spec__.name, who, self.source, str(self.folder), ledger],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        assert answer["records"] == self.records, f"{who} read {answer}"
        if who == "ours":
            self.peaks_mb.append(answer["peak_mb"])
        return self.records / float(answer["seconds"])


def _import(course: Course, source: str, label: str, share: float) -> tuple[Row, Row]:
    count = min(course.events // 3, RECORDS_MAX)
    note(f"import of {count:,} {source} records, {label}")
    name = f"{source}-{share:g}"
    many, one = course.place(f"{name}-files"), course.place(f"{name}-file")
    # The big import is one file, the small one is many: neither may cost memory.
    traces.write(one, source, count, files=1, facts_share=share)
    traces.write(many, source, count // 4, files=20, facts_share=share)
    big, small = _Child(course, source, one, count), _Child(course, source, many, count // 4)
    rates = in_turn(
        {OURS: big.ours, ONE: big.alone, QUARTER: small.ours, RAW: big.raw},
        min(course.repetitions, 3),
    )
    work = f"import of {source}, {label}"
    return (
        Row(
            work,
            "records/s",
            rates,
            (Limit(50_000),),
            note=f"{count:,} records in one gzip file into a new ledger, by two processes if there "
            "are two processors; at a quarter: in 20 files.",
        ),
        Row(
            f"{work}: peak memory",
            "MB",
            {OURS: big.peaks_mb, QUARTER: small.peaks_mb},
            (Limit(1.1, QUARTER),),
            note="memory grows until the traces of one transaction and the caches are full; compare "
            "sizes far above that.",
        ),
    )


# -- in a process of its own ---------------------------------------------------------------------


def _ours(source: str, folder: Path, ledger: Path, jobs: int | None = None) -> int:
    report = ImportReport()
    with (
        closing(Ledger(ledger, clock=lambda: NOW)) as opened,
        reading(SOURCES[source], [folder], report, now=NOW, jobs=jobs) as found,
    ):
        opened.observe(found)
    assert report.complete, report.places[:3]
    return report.records


def _raw(source: str, folder: Path, _: Path) -> int:
    (envelope, *_rest) = SOURCES[source].envelopes
    count = 0
    for path in sorted(folder.iterdir()):
        with gzip.open(path) as file:
            count += len(json.load(file)[envelope])
    return count


def _peak_mb() -> float:
    """The peak memory of this process.

    getrusage is the fallback: on Linux its value includes the process that started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    (peak,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak) * 1024 / 1e6


_WORK: Final[dict[str, Callable[[str, Path, Path], int]]] = {
    "ours": _ours,
    "alone": partial(_ours, jobs=1),
    "raw": _raw,
}


def main() -> None:
    who, source, folder, ledger = sys.argv[1:]
    begun = perf_counter()
    records = _WORK[who](source, Path(folder), Path(ledger))
    answer = {"records": records, "seconds": perf_counter() - begun, "peak_mb": _peak_mb()}
    sys.stdout.write(f"{json.dumps(answer)}\n")


if __name__ == "__main__":
    main()
