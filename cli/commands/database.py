"""authledger database: make tables on PostgreSQL; grant rights to roles, or a file to a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Opening, command
from cli.printing.output import say

if TYPE_CHECKING:
    from ledger.persistence.location import PostgresDatabase

app = typer.Typer(
    help="Make a ledger's tables on PostgreSQL; grant rights to roles, or a file to a group."
)

Writers = Annotated[
    list[str] | None,
    typer.Option(
        "--writer",
        metavar="ROLE",
        help="A role that appends: it may insert events, and not update, delete or truncate them.",
    ),
]
Readers = Annotated[
    list[str] | None,
    typer.Option(
        "--reader",
        metavar="ROLE",
        help="A role that reads the views (`view`, `audit trail`, `query`), and not the ledger itself.",
    ),
]
WithoutNames = Annotated[
    list[str] | None,
    typer.Option(
        "--reader-without-names",
        metavar="ROLE",
        help="A reader that sees no names of people, addresses and files: their columns are empty. "
        "Texts that people wrote, such as reasons, are shown.",
    ),
]

Share = Annotated[
    str | None,
    typer.Option(
        metavar="GROUP",
        help="For a ledger in a file: a group of the operating system that may read and append. The "
        "folder must hold nothing but the ledger, and gets the mode 2770, the files 0660.",
    ),
]


@command(app, "init")
def init(ask: Opening) -> None:
    """Make the ledger's tables in the schema `ledger` and its views in the schema `views`.

    The current role will own them. An existing ledger is not changed; its views are caught up.
    """
    from cli.reading import opened
    from projections.views import Views

    with opened(ask.settings, _database(ask), create=True) as ledger:
        with Views.open(ledger.location, ledger.catalogue) as views:
            views.catch_up()
        say(f"A ledger of {ledger.last_position()} entries: {ledger.location}")


@command(app, "grant")
def grant(
    ask: Opening,
    writers: Writers = None,
    readers: Readers = None,
    without_names: WithoutNames = None,
    share: Share = None,
) -> None:
    """Grant roles the rights that they need, and no more. Run it as the owner of the tables.

    The roles must exist (CREATE ROLE … LOGIN). The command is idempotent. A ledger in a file is its
    owner's alone, and so are its views: `--share GROUP` opens both to a group.
    """
    from ledger.errors import InvalidInput
    from ledger.persistence.opening import need_psycopg

    if share is not None:
        _share(ask, share, others=bool(writers or readers or without_names))
        return

    database = _database(ask)
    if not writers and not readers and not without_names:
        raise InvalidInput(
            "No role was given. No right was granted.",
            remedy="Give --writer ROLE, --reader ROLE or --reader-without-names ROLE.",
        )
    need_psycopg()
    from projections.stores.postgres.rights import grant as give

    give(
        database,
        writers=writers or (),
        readers=readers or (),
        readers_without_names=without_names or (),
    )
    for what, roles in (
        ("append", writers),
        ("read the views", readers),
        ("read the views without names", without_names),
    ):
        if roles:
            say(f"{', '.join(roles)} may {what}.")


def _share(ask: Opening, group: str, *, others: bool) -> None:
    from ledger.errors import InvalidInput
    from ledger.persistence.failures import as_store_errors
    from ledger.persistence.location import SQLiteFile
    from ledger.persistence.sqlite.format import check_file
    from ledger.persistence.sqlite.sharing import share

    location = ask.settings.ledger
    if not isinstance(location, SQLiteFile) or others:
        raise InvalidInput(
            "--share is for a ledger in a file, and roles are for one on PostgreSQL. Nothing was "
            "changed.",
            remedy="Name a file with --ledger PATH, or give --writer ROLE or --reader ROLE.",
        )
    with as_store_errors(str(location)):
        check_file(location.path, 30)
        changed = share(location.path, group)
    say(f"The group {group} may read and append: {', '.join(map(str, changed))}.")


def _database(ask: Opening) -> PostgresDatabase:
    from ledger.errors import InvalidInput
    from ledger.persistence.location import PostgresDatabase

    location = ask.settings.ledger
    if isinstance(location, PostgresDatabase):
        return location
    raise InvalidInput(
        f"{location} is a file: the permissions of the file say who may read and write it.",
        remedy="Name a database: --ledger postgresql://USER@HOST/DATABASE. To open a file to a "
        "group: authledger database grant --share GROUP",
    )
