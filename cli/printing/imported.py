"""The summary of an import: what became of the records, by number and by name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cli.printing.output import Output, out, show, show_document

if TYPE_CHECKING:
    from ledger.application import Observed
    from ledger.sources import ImportReport


def show_imported(
    form: Output, report: ImportReport, observed: Observed, *, completed: bool
) -> None:
    """Print the summary. `completed`: also how many known traces were completed."""
    numbers = _numbers(report, observed) | (_completed(observed) if completed else {})
    if form is Output.TABLE:
        _print(numbers, report, observed)
    elif form is Output.CSV:
        show(form, ("what", "name", "number"), _lines(numbers, report, observed))
    else:
        show_document(form, _document(numbers, report, observed))


def _numbers(report: ImportReport, observed: Observed) -> dict[str, int]:
    return {
        "files": report.files,
        "records": report.records,
        "understood": report.understood.total(),
        "read_only": report.read_only.total(),
        "not_understood": report.not_understood.total(),
        "passed_over": report.passed_over.total(),
        "malformed": report.malformed_records,
        "breaks": report.breaks,
        "bytes_not_read": report.bytes_not_read,
        "not_placed": report.unplaced.total(),
        "new_traces": observed.new_traces,
        "known_traces": observed.known_traces,
        "conflicts": observed.conflicts,
        "entries_appended": observed.entries,
    }


def _completed(observed: Observed) -> dict[str, int]:
    return {
        "completed_traces": observed.completed_traces,
        "texts_kept_again": observed.texts_kept_again,
    }


def _named(report: ImportReport, observed: Observed) -> dict[str, Counter[str]]:
    return {
        "not_placed": report.unplaced,
        "understood": report.understood,
        "read_only": report.read_only,
        "not_understood": report.not_understood,
        "passed_over": report.passed_over,
        "files_passed_over": report.files_passed_over,
        "events": observed.by_type,
    }


def _lines(
    numbers: dict[str, int], report: ImportReport, observed: Observed
) -> list[tuple[str, str, int]]:
    return [(what, "", number) for what, number in numbers.items()] + [
        (what, name, number)
        for what, counter in _named(report, observed).items()
        for name, number in counter.most_common()
    ]


def _print(numbers: dict[str, int], report: ImportReport, observed: Observed) -> None:
    """Print what a person must look at first: changes of rights that no view can show."""
    if report.unplaced:
        _table("grants and deletions that could not be placed, by name:", report.unplaced)
        out("")
    if observed.conflicting:
        out("traces that were known with other content, the first ones:")
        out(*(f"  {each}" for each in observed.conflicting), "")
    for what, number in numbers.items():
        out(f"{what.replace('_', ' '):<17} {number}")
    for title, counter in (
        ("appended, by event", observed.by_type),
        ("not understood, by name", report.not_understood),
        ("passed over, by name", report.passed_over),
        ("files passed over, by ending", report.files_passed_over),
    ):
        if counter:
            out("")
            _table(f"{title}:", counter)


def _table(title: str, counter: Counter[str]) -> None:
    if counter:
        out(title)
        show(Output.TABLE, ("name", "number"), counter.most_common())


def _document(numbers: dict[str, int], report: ImportReport, observed: Observed) -> dict[str, Any]:
    return {
        **numbers,
        "by_name": {
            what: dict(counter.most_common()) for what, counter in _named(report, observed).items()
        },
        "places": [
            {"file": each.file, "place": each.place, "message": each.message}
            for each in report.places
        ],
        "places_not_listed": report.unlisted,
        "conflicting": observed.conflicting,
        "folders_without_traces": report.unmatched,
    }
