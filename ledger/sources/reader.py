"""Reads a source's trace files: yields their facts, and counts every record in a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ledger.messages import Observation
from ledger.sources.fields import Unreadable
from ledger.sources.files import Broken, OnProgress, files_of, pieces_of
from ledger.sources.json_stream import Values
from ledger.sources.report import UNPRINTABLE, ImportReport, shown
from ledger.sources.source import Source, TraceKind
from ledger.values import AccountId, instant_text

AHEAD_MAX: Final = timedelta(hours=24)
"""A trace's time may be so much later than now: clocks differ, but not by days."""
TEXT_CHARS_MAX: Final = 2_048
"""The most characters of a single text in a fact. All texts of an entry share 65,535 bytes."""

_account: TypeAdapter[str] = TypeAdapter(AccountId)


def read_traces(
    source: Source[Any],
    paths: Iterable[Path],
    report: ImportReport,
    *,
    now: datetime,
    on_progress: OnProgress = lambda _: None,
) -> Iterator[Observation]:
    """The facts in the files, in the files' order; memory does not grow with a file's size.

    Nothing that a file holds raises: the report says what cannot be read and where, and the rest is
    read. `on_progress` is called with the number of bytes read, as they are stored
    (`files.stored_bytes` is their sum).
    """
    for path in files_of(paths):
        report.files += 1
        yield from _FileReader(source, path, report, now + AHEAD_MAX).facts(on_progress)


class _FileReader:
    """Reads one file. Facts that happened after `latest` are malformed."""

    def __init__(
        self, source: Source[Any], path: Path, report: ImportReport, latest: datetime
    ) -> None:
        self._source = source
        self._path = path
        self._file = shown(path.name, 255)
        self._report = report
        self._latest = latest

    def facts(self, on_progress: OnProgress) -> Iterator[Observation]:
        pieces = pieces_of(self._path, on_progress)
        values = Values(pieces, self._source.envelopes, self._source.preambles)
        try:
            for value in values:
                if isinstance(value, Broken):
                    self._report.broke(self._file, value.place, value.message)
                elif (observation := self._observation(value, values)) is not None:
                    yield observation
        except OSError as error:
            self._report.broke(self._file, "", error.strerror or str(error))

    def _observation(self, value: Any, values: Values) -> Observation | None:
        """The facts in a record; None if it has none. It is counted once in any case."""
        report = self._report
        report.records += 1
        try:
            kind = self._kind(value)
            understood = self._source.understands(kind, value)
            values.expects_no_fact = not understood  # Facts come in groups.
            if understood:
                found = self._source.translate(values.exactly(value), self._file)
                if isinstance(found, Observation):
                    self._check(found)
                    report.count(report.understood, kind.name)
                    return found
                kind = found
        except (ValueError, RecursionError) as error:
            report.malformed(self._file, values.place, _message(error))
            return None
        report.count(report.read_only if kind.read_only else report.not_understood, kind.name)
        return None

    def _kind(self, value: Any) -> TraceKind:
        if not isinstance(value, dict):
            raise Unreadable(
                f"a record is a JSON object, not {_JSON_TYPES.get(type(value), 'null')}"
            )
        return self._source.kind_of(value)

    def _check(self, found: Observation) -> None:
        """Raises ValueError for values that no ledger should record, from whichever source."""
        if found.effective_at > self._latest:
            raise Unreadable(
                f"the trace's time is in the future: {instant_text(found.effective_at)}"
            )
        _check_account(found.account)
        _check_texts(found)


@lru_cache(maxsize=1_024)  # A file has the traces of few accounts.
def _check_account(account: str) -> None:
    _account.validate_python(account)


def _check_texts(found: Observation) -> None:
    """Raises Unreadable for a text that is too long, or cannot be printed on one line.

    Those of the facts themselves are validated words.
    """
    for each in (found.source.trace_id, found.actor, found.correlation_id, *found.names.values()):
        if each and (len(each) > TEXT_CHARS_MAX or UNPRINTABLE.search(each)):
            raise Unreadable(
                f"{shown(each, 60)!r} is not valid: a text of a fact is printable, and has at most "
                f"{TEXT_CHARS_MAX} characters"
            )


_JSON_TYPES: Final = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}


def _message(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc']) or 'account'}: {problem['msg']}"
