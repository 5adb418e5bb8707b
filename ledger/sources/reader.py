"""Reads trace files through a translator: facts come out, all else is counted in a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ledger.messages import Observation
from ledger.sources.cloudtrail import translator as cloudtrail
from ledger.sources.cts import translator as cts
from ledger.sources.fields import NotUnderstood, Record, Unreadable
from ledger.sources.files import Broken, OnProgress, files_of, pieces_of
from ledger.sources.json_stream import Values
from ledger.sources.report import UNPRINTABLE, ImportReport, shown
from ledger.values import AccountId, Provider, instant_text

AHEAD_MAX: Final = timedelta(hours=24)
"""How far a trace's time may lie after now: clocks differ, but not by days."""
TEXT_CHARS_MAX: Final = 2_048
"""How long a single text of a fact may be; an entry has 65,535 bytes for all of them."""

_account: TypeAdapter[str] = TypeAdapter(AccountId)
_provider: TypeAdapter[str] = TypeAdapter(Provider)


@dataclass(frozen=True, slots=True)
class Traces:
    """One cloud's kind of trace: in what its files wrap the records, and how one is translated.

    `glance(record)` says what a record is counted under that tells no fact, if its name says that.
    `translate(record, provider, file)` is pure. It raises ValueError, such as Unreadable, for a
    record that cannot be a fact.
    """

    provider: str
    envelopes: tuple[str, ...]
    glance: Callable[[Record], NotUnderstood | None]
    translate: Callable[[Record, str, str], Observation | NotUnderstood]

    def of(self, provider: str) -> Traces:
        """The same traces of another cloud, such as a partner's edition."""
        return dataclasses.replace(self, provider=_provider.validate_python(provider))

    def read(
        self,
        paths: Iterable[Path],
        report: ImportReport,
        *,
        now: datetime,
        on_progress: OnProgress = lambda _: None,
    ) -> Iterator[Observation]:
        """The facts in the files, in the files' order; memory does not grow with a file's size.

        Nothing that a file holds raises: what cannot be read is in the report, with its place, and
        the rest is read. `on_progress` hears of bytes as they are stored (`files.stored_bytes`).
        """
        for path in files_of(paths):
            report.files += 1
            yield from self._read_file(path, report, now + AHEAD_MAX, on_progress)

    def _read_file(
        self, path: Path, report: ImportReport, latest: datetime, on_progress: OnProgress
    ) -> Iterator[Observation]:
        file = shown(path.name, 255)
        values = Values(pieces_of(path, on_progress), self.envelopes)
        records = iter(values)
        while True:
            try:
                record = next(records, _END)
            except OSError as error:
                report.broke(file, "", error.strerror or str(error))
                return
            if record is _END:
                return
            if isinstance(record, Broken):
                report.broke(file, record.place, record.message)
                continue
            report.records += 1
            try:
                none = self.glance(record) if isinstance(record, dict) else None
                values.is_glancing = none is not None  # Facts stand together: the next may be one.
                found = none or self._fact(values.exactly(record), file, latest)
            except (ValueError, RecursionError) as error:
                report.malformed(file, values.place, _said(error))
                continue
            if isinstance(found, NotUnderstood):
                counter = report.read_only if found.read_only else report.not_understood
                report.count(counter, found.name)
                continue
            observation, name = found
            report.count(report.understood, name)
            yield observation

    def _fact(
        self, record: Any, file: str, latest: datetime
    ) -> tuple[Observation, str] | NotUnderstood:
        if not isinstance(record, dict):
            raise Unreadable(f"a record is an object, not {_KINDS.get(type(record), 'null')}")
        found = self.translate(record, self.provider, file)
        if isinstance(found, NotUnderstood):
            return found
        if found.effective_at > latest:
            raise Unreadable(f"claims to happen in the future, {instant_text(found.effective_at)}")
        _check_account(found.account)
        words = _words(found)
        whole = "".join(words)
        # Nearly all of them are printable and short, all words together.
        if (len(whole) > TEXT_CHARS_MAX and max(map(len, words)) > TEXT_CHARS_MAX) or (
            not whole.isprintable() and UNPRINTABLE.search(whole)
        ):
            word = next(w for w in words if len(w) > TEXT_CHARS_MAX or UNPRINTABLE.search(w))
            raise Unreadable(f"{shown(word, 60)!r} is no name: too long, or not printable")
        return found, name_of(record)


@lru_cache(maxsize=1_024)  # The traces of a few accounts stand in a file.
def _check_account(account: str) -> None:
    _account.validate_python(account)


def _words(found: Observation) -> list[str]:
    """All that is text and came from the trace, in the envelope and in the facts."""
    told = [found.source.trace_id, found.actor, found.correlation_id]
    for event in found.events:
        told += event.__dict__.values()
    return [word for word in told if isinstance(word, str)]


_END: Final = object()
_KINDS = {
    list: "an array",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}


def name_of(record: Record) -> str:
    """The name that a record is counted under: `service:TraceName`."""
    service = record.get("eventSource") or record.get("service_type") or "?"
    trace = record.get("eventName") or record.get("trace_name") or "?"
    return f"{str(service).removesuffix('.amazonaws.com')}:{trace}"


def _said(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc']) or 'account'}: {problem['msg']}"


SOURCES: Final = {
    "cts": Traces("huaweicloud", cts.ENVELOPES, cts.glance, cts.translate),
    "cloudtrail": Traces("aws", cloudtrail.ENVELOPES, cloudtrail.glance, cloudtrail.translate),
}
"""What can be imported, by the word that the command line uses."""
