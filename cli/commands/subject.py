"""authledger subject: show, list and erase the names behind surrogate ids."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Actor, Listing, Reading, Reason, command
from cli.printing.output import say, show
from cli.reading import ledger_of, views_of
from cli.writing import actor_of, checked, confirmed

app = typer.Typer(
    help="The names of people, addresses and files behind surrogate ids, and their erasure."
)

Subject = Annotated[
    str, typer.Argument(metavar="ID", help="The surrogate id, e.g. p-0123456789abcdef0123.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking.")]


@command(app, "show")
def show_(ask: Reading, subject: Subject) -> None:
    """Show the name behind a surrogate id."""
    from ledger.errors import NotFound

    with views_of(ask, caught_up=False) as views:
        name = views.subject_names([subject]).get(subject)
    if name is None:
        raise NotFound(f"No name is kept for {subject}: it was erased, or never registered.")
    show(ask.form, ("subject", "name"), [(subject, name)])


@command(app, "list")
def list_(ask: Listing) -> None:
    """List the surrogate ids, with their names unless they were erased."""
    with views_of(ask) as views:
        say(f"now, position {views.reached()}")
        result = views.subjects()
    show(ask.form, result.columns, result.rows, empty="No name is registered.", choice=ask.choice)


@command(app, "erase")
def erase(
    ask: Reading, subject: Subject, yes: Yes = False, actor: Actor = None, reason: Reason = None
) -> None:
    """Erase the name behind a surrogate id, permanently. The history and its proofs stay valid.

    The erasure itself is appended to the history.
    """
    form = ask.form  # An invalid option is an error before anything is erased.
    with ledger_of(ask) as ledger:
        if not yes:
            confirmed(f"Erase the name behind {subject}, permanently?")
        before = ledger.last_position()
        ledger.erase(
            subject,
            actor=actor_of(ask.settings.value("actor") if actor is None else actor),
            reason=checked("reason", reason),
        )
        entries = ledger.history(before + 1)
        from cli.writing import names_in, show_entries

        appended = tuple(entries)
        show_entries(form, appended, names_in(ledger, appended))
