"""authledger view: the views, now or as of an earlier instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from cli.filters import say_unknown_words
from cli.options import (
    Asking,
    Limit,
    ListingAsOf,
    OnlyAccount,
    OnlyProvider,
    OnlyRegion,
    Uses,
    command,
)
from cli.printing.output import Output, say, show
from cli.reading import instant_of, print_result, say_more, say_unknown_services, views_of

if TYPE_CHECKING:
    from projections.views import Views

_EMPTY = {"capabilities": "The catalogue lists no feature that fits."}
"""By view, the note for an answer without rows."""


def _complete(incomplete: str) -> list[str]:
    from projections.views import Views

    return [name for name in Views.names() if name.startswith(incomplete)]


Name = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="regions, capabilities, policies, agencies, authorizations, usage, … Without a name, "
        "the views are listed.",
        autocompletion=_complete,
    ),
]
Agency = Annotated[str | None, typer.Option(metavar="NAME", help="Only this agency.")]
Policy = Annotated[str | None, typer.Option(metavar="NAME", help="Only this policy.")]
Feature = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only this feature of a service.")
]
Status = Annotated[
    str | None,
    typer.Option(metavar="STATUS", help="Only rows of this status, e.g. granted, exists, works."),
]


def register(app: typer.Typer) -> None:
    command(app, "view", rich_help_panel="Ask")(view)


def view(
    ask: ListingAsOf,
    *,
    name: Name = None,
    region: OnlyRegion = None,
    service: Asking = None,
    uses: Uses = None,
    agency: Agency = None,
    policy: Policy = None,
    feature: Feature = None,
    status: Status = None,
    account: OnlyAccount = None,
    provider: OnlyProvider = None,
    limit: Limit = None,
) -> None:
    """Print a view, such as which agency may use which service in which region.

    The answer is of now, or as of an earlier position or time. All accounts and regions are shown
    unless a flag narrows the answer; the configuration never does.
    """
    from projections.definitions.declared import declared_name
    from projections.views import Views

    if name is None:
        _list(ask, Views)
        return
    name = declared_name(name)
    where: Mapping[str, str | None] = {
        "provider": provider or ask.root.provider,
        "account": account or ask.root.account,
        "region": region,
        "agency": agency,
        "policy": policy,
        "feature": feature,
        "status": status,
    }
    _check_service(name, service, uses)
    from ledger.values import ALL_REGIONS

    asked = {column: value for column, value in where.items() if value is not None}
    given = asked if service is uses else {**asked, "service": service or uses or ""}
    with views_of(ask) as views:
        when = instant_of(ask, views)
        result = views.read(name, as_of=when, where=given, limit=limit)
        if name == "capabilities":
            say_unknown_services(views, when, given)
        if not result.rows:
            say_unknown_words(views, {**asked, "service": service, "uses": uses})
        elif region and all(row["region"] == ALL_REGIONS for row in result.dicts()):
            say_unknown_words(views, {"region": region})  # These rows fit a mistyped region, too.
        print_result(ask.form, result, views, empty=_EMPTY.get(name, "Nothing."), choice=ask.choice)
        say_more(result)


def _check_service(name: str, service: str | None, uses: str | None) -> None:
    """Raises InvalidInput for a condition that the view cannot have, NotFound for a view."""
    from ledger.errors import InvalidInput
    from projections.projection import USED_SERVICE
    from projections.views import Views

    is_of_use = USED_SERVICE in Views.columns(name)
    if service is not None and is_of_use:
        raise InvalidInput(
            f"The view {name} says which services an agency may use, and not which service asks "
            "(--service).",
            remedy=f"To see the consent to {service}: authledger view authorizations --service {service}\n"
            f"To see which agencies may use {service}: authledger view {name} --uses {service}",
        )
    if uses is not None and not is_of_use:
        raise InvalidInput(
            f"The view {name} does not say which services an agency may use (--uses).",
            remedy=f"To see which agencies may use {uses}: authledger view regions --uses {uses}",
        )


def _list(ask: ListingAsOf, views: type[Views]) -> None:
    from projections.definitions.declared import PROJECTIONS, VIEWS

    rows = [(name, (PROJECTIONS.get(name) or VIEWS[name]).doc) for name in views.names()]
    show(ask.form, ("view", "description"), rows, choice=ask.choice)
    if ask.form is Output.TABLE:
        say("To print one: authledger view NAME")
