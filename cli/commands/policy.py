"""authledger policy: delete, list and show policies."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.commands.agency import Override
from cli.filters import say_unknown_words
from cli.options import Account, ListingAsOf, Provider, ReadingAsOf, Writing, command
from cli.printing.output import Output, out, show_document
from cli.reading import in_account, instant_of, print_result, views_of
from cli.writing import carry_out

app = typer.Typer(
    help="Policies, which say what an agency may do. Some are protected against deletion."
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The policy's name, in quotes if it has spaces.")
]


@command(app, "delete")
def delete(ask: Writing, name: Name, override: Override = False) -> None:
    """Try to delete a policy. If a service works through it, the attempt is refused and recorded.

    The entry lists the features that would break, by region. With --override and --reason the
    policy is deleted, and every permission that ends with it is an event of its own.
    """
    from ledger.account.policy import AttemptPolicyDeletion

    carry_out(ask, AttemptPolicyDeletion, policy=name, override=override)


@command(app, "list")
def list_(ask: ListingAsOf, account: Account = None, provider: Provider = None) -> None:
    """List the policies: status, since when, by which actor."""
    where = in_account(ask, provider, account)
    with views_of(ask) as views:
        when = instant_of(ask, views)
        result = views.read("policies", as_of=when, where=where)
        if not result.rows:
            say_unknown_words(views, where)
        print_result(ask.form, result, views, empty="There is no policy.", choice=ask.choice)


@command(app, "show")
def show(ask: ReadingAsOf, name: Name, account: Account = None, provider: Provider = None) -> None:
    """Show a policy: its status, its permissions, and the attempts to delete it."""
    from ledger.errors import NotFound

    where = {**in_account(ask, provider, account), "policy": name}
    with views_of(ask) as views:
        when = instant_of(ask, views)
        parts = {
            title: views.read(view, as_of=when, where=where)
            for title, view in (
                ("policy", "policies"),
                ("permissions", "regions"),
                ("attempts to delete it", "attempts"),
            )
        }
        if not parts["policy"].rows:
            say_unknown_words(views, where)
            raise NotFound(
                f"There is no policy {name!r}.",
                remedy="To list the policies: authledger policy list",
            )
        if ask.form in (Output.JSON, Output.JSONL):
            keys = ("policy", "permissions", "attempts")
            show_document(
                ask.form,
                {key: part.dicts() for key, part in zip(keys, parts.values(), strict=True)},
            )
            return
        for title, part in parts.items():
            if ask.form is Output.TABLE:
                out(f"{title}:")
                print_result(ask.form, part, views, hide=("policy",), empty="  none")
                out("")
            elif title == "permissions":
                print_result(ask.form, part, views)
