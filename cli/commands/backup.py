"""authledger backup: keep a verified copy of a ledger in a folder, which later runs continue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.copy import WithoutNames, check_verified, opened_at, print_copied, verified
from cli.options import Reading, command
from cli.printing.output import say
from cli.printing.progress import progress
from cli.reading import ledger_of

Folder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="The folder of the backup; it is made if there is none."),
]


def register(app: typer.Typer) -> None:
    command(app, "backup", rich_help_panel="Keep")(backup)


def backup(ask: Reading, folder: Folder, without_names: WithoutNames = False) -> None:
    """Back up a ledger into a folder: consistent while it is in use, incremental, verified.

    DIR/ledger.db is a ledger of its own. The first run copies everything, a later one what was
    appended since; each reads every byte of the copy again. Names that were erased there are erased
    in the backup too. DIR/checkpoint is the newest checkpoint: keep a copy of it elsewhere.

    A ledger that does not continue the backup is refused, and the backup stays as it is: the ledger
    was restored or rewritten. The log's key is not in a backup.
    """
    from ledger.application import system_clock
    from ledger.copying.backup import BackupFolder
    from ledger.copying.copy import check_are_two, copy
    from ledger.persistence.failures import as_store_errors
    from ledger.persistence.location import SQLiteFile

    form, kept = ask.form, BackupFolder(folder)
    place = SQLiteFile(kept.ledger)
    check_are_two(ask.settings.ledger, place)
    with ledger_of(ask) as source:
        with as_store_errors(str(folder)):
            kept.make()
        with opened_at(ask, place, create=True) as target:
            with progress("backing up") as advance:
                done = copy(source, target, with_names=not without_names, on_progress=advance)
            found = verified(target, done, with_names=not without_names)
            if not found.count:
                kept.conclude(source, target, done, system_clock())
        print_copied(form, source, target, done, with_names=not without_names, found=found)
    if done.later:
        say(f"{done.later} entries were appended during the backup: the next one takes them.")
    check_verified(found, "backup")
