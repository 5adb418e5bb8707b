"""authledger export: the history in other forms, for other engines."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Reading, command
from cli.printing.output import Output, out, show, show_document
from cli.printing.progress import progress
from cli.reading import ledger_of

app = typer.Typer(help="Write the history in other forms; only what is new since the last time.")

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", file_okay=False, help="The folder; made if it is not there."),
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


@command(app, "parquet")
def parquet(ask: Reading, folder: Folder, buckets: Buckets = None) -> None:
    """Write every entry and its columns as Parquet, for DuckDB, Spark or whatever else reads it.

    Hive-partitioned by a hash of the stream. Done again, it adds what is new; killed, it goes on
    where it was. The manifest _authledger.json names the files that count, with the log's root over
    them; a folder that holds another ledger's history is refused.
    """
    from projections.export.events import events_of
    from projections.export.exporter import export_parquet

    form = ask.form
    with ledger_of(ask) as ledger, progress("exporting", quiet=True) as advance:
        done = export_parquet(events_of(ledger), folder, buckets=buckets, on_progress=advance)
    facts = asdict(done)
    if form is Output.CSV:
        show(form, list(facts), [list(facts.values())])
    elif form is Output.TABLE:
        out(
            f"{done.folder}: {done.entries} entries in {done.files} files of {done.buckets} buckets, "
            f"{done.bytes} bytes; {done.entries - done.before} of them are new.",
            f"root {done.root}",
        )
    else:
        show_document(form, facts)
