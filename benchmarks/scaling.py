"""Measures an export to Parquet, and the replay of all views by DuckDB, SQLite and Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.course import Course, note
from benchmarks.measure import OURS, Limit, Row, in_turn, rate
from ledger.application import Ledger
from projections.definitions.declared import FOLDED, SELECTED
from projections.engines import Engine, EngineName, open_engine
from projections.engines.replay import digests
from projections.export.events import events_of
from projections.export.exporter import export_folder
from projections.export.formats.parquet import FORMAT as PARQUET
from projections.export.manifest import read_manifest
from projections.projection import Stored
from projections.views import Views

SQLITE: Final = "SQLite"
SPARK: Final = "Spark, running"
SPARK_STARTED: Final = "Spark, started for it"
SPARK_EVENTS_MIN: Final = 100_000
"""With fewer events, the measurement would only show how long Spark takes to start."""
SPARK_REPETITIONS_MAX: Final = 2


def rows(course: Course) -> Iterator[Row]:
    export = course.folder / "parquet"
    yield _export(course, export)
    yield _replay(course, export, "views that are one SELECT", SELECTED, (Limit(1_500_000),))
    yield _replay(course, export, "folded views", FOLDED)


def _export(course: Course, folder: Path) -> Row:
    note("exporting to Parquet")
    numbers = count()

    def export() -> float:
        into = folder.with_name(f"{folder.name}-{next(numbers)}")
        with closing(Ledger(course.big.path)) as ledger:
            return rate(
                partial(export_folder, PARQUET, events_of(ledger), into), ledger.last_position()
            )

    samples = in_turn({OURS: export}, min(course.repetitions, 3))
    with closing(Ledger(course.big.path)) as ledger:
        done = export_folder(PARQUET, events_of(ledger), folder)
    return Row(
        "export to Parquet",
        "events/s",
        samples,
        note=f"{done.bytes / done.entries:.0f} bytes an event, in {done.files} files of "
        f"{done.buckets} buckets; the entries are hashed up to the log's root.",
    )


def _replay(
    course: Course,
    folder: Path,
    kind: str,
    wanted: Mapping[str, Stored],
    limits: tuple[Limit, ...] = (),
) -> Row:
    """Compute views and their digests from the events. Only SQLite also writes the views, compares
    the digests and swaps.
    """
    note(f"replaying all {kind}")
    repetitions = min(course.repetitions, 3)
    reasons = {}
    with (
        Views.open(course.big.path, course.catalogue) as views,
        closing(open_engine(EngineName.DUCKDB)) as duckdb,
    ):
        last = views.catch_up()
        competitors: dict[str, Callable[[], float]] = {
            OURS: partial(rate, partial(_digested, duckdb, folder, wanted), last),
            SQLITE: partial(rate, partial(views.rebuild, wanted), last),
        }
        samples = in_turn(competitors, repetitions)
    if last < SPARK_EVENTS_MIN:
        reasons[SPARK] = f"not measured for fewer than {SPARK_EVENTS_MIN:,} events"
    elif find_spec("pyspark"):
        samples |= _spark(folder, wanted, last, min(repetitions, SPARK_REPETITIONS_MAX))
    else:
        reasons[SPARK] = "pyspark is not installed"
    return Row(
        f"replay of all {kind} by DuckDB over Parquet",
        "events/s",
        samples,
        limits,
        reasons,
        note="ours: every projection and its digest; SQLite: a rebuild, which writes "
        "the views with their history, and computes two digests each; Spark: local[*].",
    )


def _digested(engine: Engine, folder: Path, wanted: Mapping[str, Stored]) -> None:
    found = list(digests(engine, folder, read_manifest(folder), wanted.values()))
    assert len(found) == len(wanted)


def _spark(
    folder: Path, wanted: Mapping[str, Stored], last: int, repetitions: int
) -> dict[str, list[float]]:
    """Run after the others, because its process would occupy their cores."""
    note("replaying them by Spark")
    opened: list[Engine] = []

    def start_and_replay() -> None:
        opened.append(open_engine(EngineName.SPARK))
        _digested(opened[0], folder, wanted)

    started = rate(start_and_replay, last)
    with closing(opened[0]) as spark:
        running = [
            rate(partial(_digested, spark, folder, wanted), last) for _ in range(repetitions)
        ]
    return {SPARK_STARTED: [started], SPARK: running}
