"""authledger view: the views, now or as of an earlier instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Account, Provider, ReadingAsOf, Region, Service, command
from cli.printing.output import Output, say, show
from cli.reading import instant_of, print_result, say_unknown_services, views_of

if TYPE_CHECKING:
    from projections.views import Views

_EMPTY = {"capabilities": "The catalogue lists no feature that fits."}
"""What an answer of no rows means, where it is not that there is nothing."""


def _complete(incomplete: str) -> list[str]:
    from projections.views import Views

    return [name for name in Views.names() if name.startswith(incomplete)]


Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="regions, capabilities, policies, agencies, authorizations, usage, …; "
        "without a name: the list of them.",
        autocompletion=_complete,
    ),
]
Agency = Annotated[str | None, typer.Option(metavar="NAME", help="Only what concerns this agency.")]
Policy = Annotated[str | None, typer.Option(metavar="NAME", help="Only what concerns this policy.")]
Feature = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only what concerns this feature.")
]
Status = Annotated[
    str | None, typer.Option(metavar="STATUS", help="Only these, e.g. granted, exists, works.")
]


def register(app: typer.Typer) -> None:
    command(app, "view", rich_help_panel="Ask")(view)


def view(
    ask: ReadingAsOf,
    *,
    name: Name = None,
    region: Region = None,
    service: Service = None,
    agency: Agency = None,
    policy: Policy = None,
    feature: Feature = None,
    status: Status = None,
    account: Account = None,
    provider: Provider = None,
) -> None:
    """Print a view: which agency may do what in which region, what works there, …

    Now, as of an earlier position or time, and by what was known then. Without options every
    account and region is shown; only flags narrow it, never the configuration.
    """
    from projections.definitions.declared import declared_name
    from projections.views import Views

    if name is None:
        _list(ask.form, Views)
        return
    name = declared_name(name)
    where: Mapping[str, str | None] = {
        "provider": provider or ask.root.provider,
        "account": account or ask.root.account,
        "region": region,
        "service": service,
        "agency": agency,
        "policy": policy,
        "feature": feature,
        "status": status,
    }
    given = {column: value for column, value in where.items() if value is not None}
    with views_of(ask) as views:
        when = instant_of(ask, views)
        result = views.read(name, as_of=when, where=given)
        if name == "capabilities":
            say_unknown_services(views, when, given)
        print_result(ask.form, result, views, empty=_EMPTY.get(name, "Nothing."))


def _list(form: Output, views: type[Views]) -> None:
    from projections.definitions.declared import PROJECTIONS, VIEWS

    rows = [(name, (PROJECTIONS.get(name) or VIEWS[name]).doc) for name in views.names()]
    show(form, ("view", "what it tells"), rows)
    if form is Output.TABLE:
        say("Read one with `authledger view NAME`.")
