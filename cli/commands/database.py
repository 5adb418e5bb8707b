"""authledger database: make a ledger's tables on PostgreSQL, and grant rights to roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Opening, command
from cli.printing.output import say

if TYPE_CHECKING:
    from ledger.persistence.location import PostgresDatabase

app = typer.Typer(help="A ledger on PostgreSQL: make its tables, grant rights to roles.")

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
) -> None:
    """Grant roles the rights that they need, and no more. Run it as the owner of the tables.

    The roles must exist (CREATE ROLE … LOGIN). The command is idempotent.
    """
    from ledger.errors import InvalidInput
    from ledger.persistence.opening import need_psycopg

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


def _database(ask: Opening) -> PostgresDatabase:
    from ledger.errors import InvalidInput
    from ledger.persistence.location import PostgresDatabase

    location = ask.settings.ledger
    if isinstance(location, PostgresDatabase):
        return location
    raise InvalidInput(
        f"{location} is a file: the permissions of the file say who may read and write it.",
        remedy="Name a database: --ledger postgresql://USER@HOST/DATABASE",
    )
