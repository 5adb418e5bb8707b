"""Reads traces in a test: facts by type, the report, and a ledger that observes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.account.truth.spans import Span
from ledger.application import Ledger
from ledger.messages import DomainEvent, Observation, Recorded
from ledger.sources import SOURCES, ImportReport, read_traces

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def read(kind: str, *paths: Path) -> tuple[list[Observation], ImportReport]:
    """All facts of some files, and the report; every record is accounted for. Without the sums of
    what agencies did: see `used`.
    """
    report = ImportReport()
    everything = list(read_traces(SOURCES[kind], paths, report, now=NOW))
    found = [observation for observation in everything if not observation.sums_up]
    assert report.accounted() == report.records
    assert report.understood.total() == len(found)
    return found, report


def used(kind: str, *paths: Path) -> list[Observation]:
    """The sums of what agencies did in some files."""
    found = read_traces(SOURCES[kind], paths, ImportReport(), now=NOW)
    return [observation for observation in found if observation.sums_up]


def translated(kind: str, record: dict[str, Any]) -> Observation | str:
    """One record's facts, or the name that it is counted under."""
    found = SOURCES[kind].translate(record, "a.json")
    return found if isinstance(found, Observation) else found.name


def events(found: Iterable[Observation]) -> list[DomainEvent]:
    return [event for observation in found for event in observation.events]


@contextmanager
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = Ledger(folder / "ledger.db")
    try:
        yield opened
    finally:
        opened.close()


def types(history: Iterable[Recorded]) -> Counter[str]:
    """How many entries of each type, without the registrations of names."""
    return Counter(entry.type for entry in history if entry.type != "SubjectRegistered")


def present(opened: Ledger, provider: str, account: str) -> list[str]:
    """All that is known of an account: agencies, their trustees, policies, permissions.

    Without positions and surrogate ids, which differ in each ledger.
    """
    spans = opened.account(provider, account).state.cells.everything()
    return sorted(str(_without_places(span)) for span in spans)


def _without_places(span: Span) -> Span:
    content = span.content and span.content._replace(position=None)
    return span._replace(position=None, actor=None, content=content)
