"""authledger export: the history in other formats. Each format in the list is a subcommand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.deferred import DeferredGroup
from cli.options import Reading, command
from cli.printing.output import Output, exact, out, say, show, show_document
from cli.printing.progress import progress
from cli.reading import ledger_of

if TYPE_CHECKING:
    from projections.export import FolderFormat, TextFormat

STDOUT = Path("-")

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", file_okay=False, help="The folder; made if it is missing."),
]
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", dir_okay=False, allow_dash=True, help="The file; - is standard output."
    ),
]
Buckets = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=4096,
        help="Over how many folders the streams are spread; kept from the first export. Default: 4.",
    ),
]
First = Annotated[
    int,
    typer.Option("--from", metavar="POSITION", min=1, help="The first position. Default: 1."),
]
Last = Annotated[
    int | None,
    typer.Option("--to", metavar="POSITION", min=1, help="The last position. Default: the newest."),
]


class FormatCommands(DeferredGroup):
    """One subcommand for each export format."""

    def register(self, app: typer.Typer) -> None:
        from projections.export import FORMATS, FolderFormat

        for form in FORMATS.values():
            if isinstance(form, FolderFormat):
                _register_folder(app, form)
            else:
                _register_text(app, form)


app = typer.Typer(cls=FormatCommands, help="Write the history in other formats.")


def _register_folder(app: typer.Typer, form: FolderFormat) -> None:
    help_text = (
        f"Write the history as {form.title}.\n\n"
        "The folders are partitioned by a hash of the stream (hive style). Run again, the command "
        "adds the new events; after a kill it continues. The manifest _authledger.json names the "
        "files that count, with the log's root over their entries. A folder that holds another "
        "ledger's history is refused."
    )

    @command(app, form.name, help=help_text)
    def export_folder(ask: Reading, folder: Folder, buckets: Buckets = None) -> None:
        from projections.export import exporter
        from projections.export.events import events_of

        output = ask.form
        with ledger_of(ask) as ledger, progress("exporting", quiet=True) as advance:
            done = exporter.export_folder(
                form, events_of(ledger), folder, buckets=buckets, on_progress=advance
            )
        _print(
            output,
            asdict(done),
            f"{done.folder}: {done.entries} entries in {done.files} files of {done.buckets} "
            f"buckets, {done.bytes} bytes; {done.entries - done.before} of them are new.",
        )


def _register_text(app: typer.Typer, form: TextFormat) -> None:
    help_text = (
        f"Write the events as {form.title}.\n\n"
        "The file is replaced as a whole once all events are in it; if the export fails, it stays "
        "as it was. Each page of entries is compared with the Merkle log before it is written. To "
        "continue an earlier export, begin behind its last position: --from."
    )

    @command(app, form.name, help=help_text)
    def export_text(ask: Reading, file: File, first: First = 1, last: Last = None) -> None:
        from projections.export import exporter
        from projections.export.events import events_of

        output = ask.form
        span: dict[str, Any] = {"first": first, "last": last}
        with ledger_of(ask) as ledger, progress("exporting", quiet=True) as advance:
            events, span["on_progress"] = events_of(ledger), advance
            if file == STDOUT:
                done = exporter.export_text(form, events, exact, **span)
            else:
                done = exporter.export_file(form, events, file, **span)
        ended = f"up to position {done.last}" if done.entries else "there are no newer ones"
        where = "standard output" if file == STDOUT else file
        text = f"{where}: {done.entries} entries, {ended}, {done.bytes} bytes."
        if file == STDOUT:
            say(f"{text}\nroot {done.root}")
        else:
            _print(output, {"file": str(file), **asdict(done)}, text)


def _print(output: Output, facts: dict[str, Any], text: str) -> None:
    """Print what an export did; `root` is the Merkle log's over all entries up to its end."""
    if output is Output.CSV:
        show(output, list(facts), [list(facts.values())])
    elif output is Output.TABLE:
        out(text, f"root {facts['root']}")
    else:
        show_document(output, facts)
