"""Reads a source's trace files: yields their facts, and counts every record in a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from ledger.clock import AHEAD_MAX
from ledger.messages import Observation
from ledger.sources.fields import Unreadable
from ledger.sources.files import Broken, OnProgress, files_of, pieces_of
from ledger.sources.json_stream import Values
from ledger.sources.report import UNPRINTABLE, ImportReport, shown
from ledger.sources.source import Source, TraceKind
from ledger.sources.uses import FileUses
from ledger.sources.wrapping import WRAPPINGS_MAX, NotJson, unwrapped
from ledger.values import AccountId, instant_text

TEXT_CHARS_MAX: Final = 2_048
"""The most characters of a single text in a fact. All texts of an entry share 65,535 bytes."""
KEYS_MAX: Final = 4
"""So many keys name an object of another service in the report."""

_account: TypeAdapter[str] = TypeAdapter(AccountId)


def read_traces(
    source: Source[Any],
    paths: Iterable[Path],
    report: ImportReport,
    *,
    now: datetime,
    only_account: str | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Iterator[Observation]:
    """The facts in the files, in the files' order; memory does not grow with a file's size.

    Nothing that a file holds raises: the report says what cannot be read and where, and the rest is
    read. Facts of other accounts than `only_account` are passed over. `on_progress` is called with
    the number of bytes read, as they are stored (`files.stored_bytes` is their sum).
    """
    limits = _Limits(now + AHEAD_MAX, only_account)
    for path in paths:
        before = report.traces
        for file in files_of([path], report.files_passed_over):
            report.files += 1
            report.file = shown(file.name, 255)
            reader = _FileReader(source, file, report, limits, is_found=file is not path)
            yield from reader.facts(on_progress)
        if path.is_dir() and report.traces == before:
            report.unmatched.append(shown(str(path), 255))


class _Limits(NamedTuple):
    """Facts that happened after `latest` are malformed; those of other accounts are passed over."""

    latest: datetime
    account: str | None


class _Around(NamedTuple):
    """The innermost wrapping around a record, and how many there are."""

    name: str
    depth: int


class _FileReader:
    """Reads one file. `is_found`: it was found in a folder, where other services' files may lie."""

    def __init__(
        self,
        source: Source[Any],
        path: Path,
        report: ImportReport,
        limits: _Limits,
        *,
        is_found: bool,
    ) -> None:
        self._source = source
        self._path = path
        self._file = report.file
        self._report = report
        self._limits = limits
        self._is_found = is_found
        self._values = Values(iter(()), ())
        self._uses = FileUses(source, self._file, limits.latest)

    def facts(self, on_progress: OnProgress) -> Iterator[Observation]:
        """The facts in the records; at the end, the uses of agencies in all of them."""
        pieces = pieces_of(self._path, on_progress, self._uses.take_bytes)
        yield from self._facts_in(pieces)
        for found in self._uses.observations(pieces):
            if self._limits.account in (None, found.account):
                yield found

    def _facts_in(self, pieces: Iterator[str]) -> Iterator[Observation]:
        self._values = self._values_of(pieces)
        try:
            for value in self._values:
                if isinstance(value, Broken):
                    self._report.broke(self._file, value)
                else:
                    yield from self._record(value, self._values.exactly)
        except OSError as error:
            self._report.broke(self._file, Broken("", error.strerror or str(error), to_end=True))

    def _values_of(self, pieces: Iterator[str]) -> Values:
        of = self._source
        keys = of.signs | of.begins | {wrapping.path[0] for wrapping in of.wrappings}
        return Values(pieces, of.envelopes, of.preambles, keys, self._is_record)

    def _is_record(self, value: Any, depth: int = WRAPPINGS_MAX) -> bool:
        """Whether a value is a record of a call, or wraps one."""
        try:
            return not self._kind(value).is_other
        except (ValueError, RecursionError):
            pass
        try:
            inside = unwrapped(value, self._source.wrappings, self._source.envelopes)
        except (ValueError, RecursionError):
            return False
        values = inside.values if inside and depth > 0 else ()
        return any(self._is_record(each, depth - 1) for each in values)

    def _record(
        self, value: Any, exactly: Callable[[Any], Any], around: _Around | None = None
    ) -> Iterator[Observation]:
        """The facts in a record, also if it is wrapped. It is counted once in any case."""
        try:
            kind = self._kind(value)
        except (ValueError, RecursionError) as fault:
            yield from self._wrapped(value, exactly, around, fault)
            return
        if around is None:  # Facts come in groups.
            self._values.expects_no_fact = not self._source.understands(kind, value)
        observation = self._observation(value, kind, exactly, around)
        if observation is not None:
            yield observation

    def _wrapped(
        self, value: Any, exactly: Callable[[Any], Any], around: _Around | None, fault: Exception
    ) -> Iterator[Observation]:
        """The facts in the records that a value wraps. One that wraps none is counted itself."""
        depth = 1 if around is None else around.depth + 1
        try:
            inside = unwrapped(exactly(value), self._source.wrappings, self._source.envelopes)
        except NotJson as error:
            yield from self._in_text(value, error, depth)
            return
        except Unreadable as error:
            self._not_a_record(value, error, None)
            return
        if inside is None or depth > WRAPPINGS_MAX:
            self._not_a_record(value, fault, around)
            return
        self._values.expects_no_fact = False  # The others are probably wrapped, too.
        for each in inside.values:
            yield from self._record(each, _as_it_is, _Around(inside.name, depth))

    def _in_text(self, value: Any, error: NotJson, depth: int) -> Iterator[Observation]:
        """The facts in a text of several JSON values, or of an array that is broken somewhere. Each
        place that cannot be read is counted as a malformed record.
        """
        found = [*self._values_of(iter([error.text]))] if depth <= WRAPPINGS_MAX else []
        if not any(map(self._is_record, found)):
            self._not_a_record(value, error, None)
            return
        self._values.expects_no_fact = False
        for each in found:
            if isinstance(each, Broken):
                self._report.records += 1
                self._malformed(Unreadable(f"{error.place}, {each.place}: {each.in_full()}"), None)
            else:
                yield from self._record(each, _as_it_is, _Around(error.name, depth))

    def _not_a_record(self, value: Any, error: Exception, around: _Around | None) -> None:
        self._report.records += 1
        if self._is_found and isinstance(value, dict) and not self._source.signs & value.keys():
            keys = ", ".join(sorted(map(str, value))[:KEYS_MAX])
            self._report.count(self._report.passed_over, f"other object (keys: {keys})")
        else:
            self._malformed(error, around)

    def _malformed(self, error: Exception, around: _Around | None) -> None:
        message = _message(error) if around is None else f"in {around.name}: {_message(error)}"
        self._report.malformed(self._file, self._values.place, message)

    def _observation(
        self,
        value: Any,
        kind: TraceKind,
        exactly: Callable[[Any], Any],
        around: _Around | None,
    ) -> Observation | None:
        """The facts in a record of a kind; None if it has none."""
        self._report.records += 1
        self._uses.count(value)
        try:
            if self._source.understands(kind, value):
                found = self._source.translate(exactly(value), self._file)
                if isinstance(found, Observation):
                    return self._checked(found, kind)
                kind = found
        except (ValueError, RecursionError) as error:
            self._malformed(error, around)
            return None
        self._count(kind)
        return None

    def _checked(self, found: Observation, kind: TraceKind) -> Observation | None:
        """The facts, if they are of the account that is asked for. Raises ValueError."""
        self._check(found)
        if self._limits.account not in (None, found.account):
            self._report.of_other_accounts += 1
            self._report.count(self._report.passed_over, f"{kind.name} (of another account)")
            return None
        self._report.count(self._report.understood, kind.name)
        if self._source.is_unplaced(kind, found.events):
            self._report.count(self._report.unplaced, f"{kind.name} (what changed is not named)")
        return found

    def _count(self, kind: TraceKind) -> None:
        report = self._report
        if kind.unplaced:
            report.count(report.unplaced, kind.name)
        if kind.is_other:
            report.count(report.passed_over, kind.name)
        else:
            report.count(report.read_only if kind.read_only else report.not_understood, kind.name)

    def _kind(self, value: Any) -> TraceKind:
        if not isinstance(value, dict):
            raise Unreadable(
                f"a record is a JSON object, not {_JSON_TYPES.get(type(value), 'null')}"
            )
        return self._source.kind_of(value)

    def _check(self, found: Observation) -> None:
        """Raises ValueError for values that no ledger should record, from whichever source."""
        if found.effective_at > self._limits.latest:
            raise Unreadable(
                f"the trace's time is in the future: {instant_text(found.effective_at)}"
            )
        _check_account(found.account)
        _check_texts(found)


def _as_it_is(value: Any) -> Any:
    return value


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


def _message(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if not isinstance(error, ValidationError):
        return str(error)
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc']) or 'account'}: {problem['msg']}"
