"""authledger import: append the facts in a cloud's own traces. Each source is a subcommand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.deferred import DeferredGroup
from cli.options import Reading, command
from cli.printing.imported import show_imported
from cli.printing.output import say, warn
from cli.printing.progress import progress
from cli.writing import open_for_writing

if TYPE_CHECKING:
    from datetime import datetime

    from ledger.application import Ledger, Observed
    from ledger.messages import Observation
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
Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="ID",
        help="Import this account's facts only, and pass over those of others. A trace that names "
        "no account is this one's.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit with 9 also if a grant or a deletion could not be placed, or if a trace is known "
        "with other content.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=2,
        metavar="N",
        help="How many processes import: with 2, one reads the files while the other appends. "
        "Default: 2 if the files have 8 MiB or more and there are two processors, else 1. "
        "A dry run needs only one.",
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
        *,
        provider: Edition = None,
        account: Account = None,
        documents: Documents = False,
        strict: Strict = False,
        jobs: Jobs = None,
        dry_run: DryRun = False,
    ) -> None:
        of = _of_account(_edition(source, provider), account)
        asked = _Asked(of, files, account, jobs, dry_run=dry_run, complete=documents, strict=strict)
        _import(ask, asked)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An import as a person asks for it."""

    source: Source[Any]
    files: list[Path]
    account: str | None
    jobs: int | None
    dry_run: bool
    complete: bool
    strict: bool

    def read(
        self, report: ImportReport, now: datetime, on_progress: Callable[[int], None]
    ) -> AbstractContextManager[Iterator[Observation]]:
        from ledger.importing.reading import reading

        return reading(
            self.source,
            self.files,
            report,
            now=now,
            only_account=self.account,
            on_progress=on_progress,
            jobs=1 if self.dry_run else self.jobs,
        )


def _import(ask: Reading, asked: _Asked) -> None:
    from cli.commands.import_faults import fault_of
    from ledger.errors import NotFound
    from ledger.sources import ImportReport

    for path in asked.files:
        if not path.exists():
            raise NotFound(f"There is no file or folder {path}. Nothing was imported.")
    report = ImportReport()
    form = ask.form
    if asked.dry_run:
        observed = _read_only(asked, report)
    else:
        with open_for_writing(ask) as ledger:
            observed = _observe(ledger, asked, report)
    show_imported(form, report, observed, completed=asked.complete)
    if asked.dry_run:
        say("Dry run: nothing was appended. Traces that the ledger knows count as new here.")
    _warn(report)
    fault = fault_of(asked.source, report, observed, dry_run=asked.dry_run, strict=asked.strict)
    if fault is not None:
        raise fault


def _warn(report: ImportReport) -> None:
    for place in report.places:
        warn(str(place))
    if report.unlisted:
        warn(f"{report.unlisted} more records and places could not be read; they are not listed.")


def _of_account(source: Source[Any], account: str | None) -> Source[Any]:
    from pydantic import ValidationError

    from cli.input import bad

    if account is None:
        return source
    try:
        return source.of_account(account)
    except ValidationError as error:
        raise bad("account", account) from error


def _edition(source: Source[Any], provider: str | None) -> Source[Any]:
    from pydantic import ValidationError

    from cli.input import bad

    if provider is None:
        return source
    try:
        return source.edition(provider)
    except ValidationError as error:
        raise bad("provider", provider) from error


def _observe(ledger: Ledger, asked: _Asked, report: ImportReport) -> Observed:
    from ledger.sources import stored_bytes

    total, done = stored_bytes(asked.files), 0
    with progress("reading", unit="bytes") as advance:

        def count(size: int) -> None:
            nonlocal done
            done += size
            advance("traces", done, total)

        with asked.read(report, ledger.clock(), count) as traces:
            return ledger.observe(traces, complete=asked.complete)


def _read_only(asked: _Asked, report: ImportReport) -> Observed:
    from datetime import UTC, datetime

    from ledger.application import Observed

    now = datetime.now(UTC)  # noqa: TID251  Nothing is recorded.
    observed = Observed()
    with asked.read(report, now, lambda _: None) as traces:
        for each in traces:
            observed.new_traces += not each.sums_up
            observed.entries += len(each.events)
            observed.by_type.update(type(event).__name__ for event in each.events)
    return observed
