"""The error that ends an import: it says which parts could not be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ledger.application import Observed
    from ledger.errors import LedgerError
    from ledger.sources import ImportReport, Source

NAMES_MAX: Final = 5
"""So many names of what was passed over stand in an error; the summary has all."""


def fault_of(
    source: Source[Any], report: ImportReport, observed: Observed, *, dry_run: bool, strict: bool
) -> LedgerError | None:
    """The error that ends an import; None if all that was asked for was done.

    NotFound if there is no trace at all in a folder, DoneInPart for everything else. `strict`: also
    for grants and deletions that could not be placed, and for conflicts.
    """
    from ledger.errors import DoneInPart, NotFound

    done = "read" if dry_run else "imported"
    if report.unmatched and report.complete and not report.traces:
        return NotFound(f"{_no_traces(source, report)} Nothing was {done}.", remedy=_OTHER_FOLDER)
    faults = [*_unreadable(report), *(_strict(report, observed) if strict else ())]
    if report.unmatched:
        faults.append(_no_traces(source, report).removesuffix("."))
    if not faults:
        return None
    rest = _rest(report, observed, dry_run=dry_run)
    return DoneInPart(f"{'; '.join(faults)}; {rest} was {done}.", remedy=_remedy(report))


def _rest(report: ImportReport, observed: Observed, *, dry_run: bool) -> str:
    """The part that was done: records that were read, or facts that were imported."""
    read = report.records - report.malformed_records
    if not (read if dry_run else report.understood or observed.entries):
        return "nothing"
    return "all else" if report.files_cut or report.unmatched else "the rest"


def _unreadable(report: ImportReport) -> Iterator[str]:
    if report.complete:
        return
    size = f" ({report.bytes_not_read} bytes)" if report.bytes_not_read else ""
    records, places = report.malformed_records, report.breaks
    yield f"{_many(records, 'record')} and {_many(places, 'place')}{size} could not be read"
    if report.files_cut:
        were = "was" if report.files_cut == 1 else "were"
        yield f"{_many(report.files_cut, 'file')} {were} not read to the end"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _strict(report: ImportReport, observed: Observed) -> Iterator[str]:
    if report.unplaced:
        number = report.unplaced.total()
        what = "1 grant or deletion" if number == 1 else f"{number} grants or deletions"
        yield f"{what} could not be placed ({_listed(report.unplaced)})"
    if observed.conflicts:
        yield f"{_many(observed.conflicts, 'trace')} known with other content"


def _no_traces(source: Source[Any], report: ImportReport) -> str:
    over = report.passed_over + report.files_passed_over
    said = f"passed over: {_listed(over)}" if over else "it has no files of traces"
    return f"There is no trace of {source.title} in {', '.join(report.unmatched)} ({said})."


def _listed(counter: Counter[str]) -> str:
    names = [f"{number} × {name}" for name, number in counter.most_common(NAMES_MAX)]
    rest = len(counter) - len(names)
    return ", ".join([*names, *([f"{rest} more names"] if rest > 0 else [])])


_OTHER_FOLDER: Final = (
    "Name the folder that holds the traces, or the right kind of traces, or single files: "
    "a file that is named is read whatever its ending."
)


def _remedy(report: ImportReport) -> str:
    if not report.complete:
        return "Import the mended files again: traces that the ledger knows append nothing."
    return _OTHER_FOLDER if report.unmatched else ""
