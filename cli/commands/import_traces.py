"""authledger import: append the facts in a cloud's own traces. Each source is a subcommand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.deferred import DeferredGroup
from cli.options import Reading, command
from cli.printing.output import Output, out, say, show, show_document, warn
from cli.printing.progress import progress
from cli.writing import open_for_writing

if TYPE_CHECKING:
    from ledger.application import Ledger, Observed
    from ledger.sources import ImportReport, Source

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILES...",
        help="Trace files, plain or gzip, and folders of them (searched with their subfolders).",
    ),
]
Edition = Annotated[
    str | None,
    typer.Option(
        "--provider", metavar="CODE", help="The cloud, if it is a partner's edition of it."
    ),
]
Documents = Annotated[
    bool,
    typer.Option(
        "--documents",
        help="Also complete traces that are known: keep the documents and ids that an older version "
        "left out. A second time appends nothing.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and count; append nothing.")]


class SourceCommands(DeferredGroup):
    """One subcommand for each source of traces."""

    def register(self, app: typer.Typer) -> None:
        from ledger.sources import SOURCES

        for source in SOURCES.values():
            _register(app, source)


app = typer.Typer(
    cls=SourceCommands, help="Import the cloud's own traces; a known trace appends nothing again."
)


def _register(app: typer.Typer, source: Source[Any]) -> None:
    help_text = (
        f"Import traces of {source.title}.\n\n"
        "Records that are not understood are counted by name. Records that cannot be read are "
        "reported with their place, and the rest is imported; then the exit code is 9."
    )

    @command(app, source.name, help=help_text)
    def import_traces(
        ask: Reading,
        files: Files,
        provider: Edition = None,
        documents: Documents = False,
        dry_run: DryRun = False,
    ) -> None:
        _import(ask, _edition(source, provider), files, dry_run=dry_run, complete=documents)


def _import(
    ask: Reading, source: Source[Any], files: list[Path], *, dry_run: bool, complete: bool
) -> None:
    from ledger.errors import DoneInPart, NotFound
    from ledger.sources import ImportReport

    for path in files:
        if not path.exists():
            raise NotFound(f"There is no file or folder {path}. Nothing was imported.")
    report = ImportReport()
    form = ask.form
    if dry_run:
        observed = _read_only(source, files, report)
    else:
        with open_for_writing(ask) as ledger:
            observed = _observe(ledger, source, files, report, complete=complete)
    numbers = _numbers(report, observed) | (_completed(observed) if complete else {})
    if form is Output.TABLE:
        _print(numbers, report, observed)
    elif form is Output.CSV:
        show(form, ("what", "name", "number"), _lines(numbers, report, observed))
    else:
        show_document(form, _document(numbers, report, observed))
    if dry_run:
        say("Dry run: nothing was appended. Traces that the ledger knows count as new here.")
    for place in report.places:
        warn(str(place))
    if report.unlisted:
        warn(f"{report.unlisted} more records and places could not be read; they are not listed.")
    if not report.complete:
        raise DoneInPart(
            f"{report.malformed_records} records and {report.breaks} places could not be read; "
            f"the rest was {'read' if dry_run else 'imported'}.",
            remedy="Import the mended files again: traces that the ledger knows append nothing.",
        )


def _edition(source: Source[Any], provider: str | None) -> Source[Any]:
    from pydantic import ValidationError

    from cli.input import bad

    if provider is None:
        return source
    try:
        return source.edition(provider)
    except ValidationError as error:
        raise bad("provider", provider) from error


def _observe(
    ledger: Ledger,
    source: Source[Any],
    files: list[Path],
    report: ImportReport,
    *,
    complete: bool,
) -> Observed:
    from ledger.sources import read_traces, stored_bytes

    total, done = stored_bytes(files), 0
    with progress("reading", unit="bytes") as advance:

        def count(size: int) -> None:
            nonlocal done
            done += size
            advance("traces", done, total)

        now = ledger.clock()
        traces = read_traces(source, files, report, now=now, on_progress=count)
        return ledger.observe(traces, complete=complete)


def _read_only(source: Source[Any], files: list[Path], report: ImportReport) -> Observed:
    from datetime import UTC, datetime

    from ledger.application import Observed
    from ledger.sources import read_traces

    now = datetime.now(UTC)  # noqa: TID251  Nothing is recorded.
    observed = Observed()
    for observation in read_traces(source, files, report, now=now):
        observed.new_traces += 1
        observed.entries += len(observation.events)
        observed.by_type.update(type(event).__name__ for event in observation.events)
    return observed


def _numbers(report: ImportReport, observed: Observed) -> dict[str, int]:
    return {
        "files": report.files,
        "records": report.records,
        "understood": report.understood.total(),
        "read_only": report.read_only.total(),
        "not_understood": report.not_understood.total(),
        "malformed": report.malformed_records,
        "breaks": report.breaks,
        "new_traces": observed.new_traces,
        "known_traces": observed.known_traces,
        "entries_appended": observed.entries,
    }


def _completed(observed: Observed) -> dict[str, int]:
    return {
        "completed_traces": observed.completed_traces,
        "texts_kept_again": observed.texts_kept_again,
    }


def _named(report: ImportReport, observed: Observed) -> dict[str, Counter[str]]:
    return {
        "understood": report.understood,
        "read_only": report.read_only,
        "not_understood": report.not_understood,
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
    for what, number in numbers.items():
        out(f"{what.replace('_', ' '):<17} {number}")
    for title, counter in (
        ("appended, by event", observed.by_type),
        ("not understood, by name", report.not_understood),
    ):
        if counter:
            out("", f"{title}:")
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
    }
