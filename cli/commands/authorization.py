"""authledger authorization: answer the dialog, revoke consent, list the authorizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.filters import say_unknown_words
from cli.options import (
    Account,
    Asking,
    Limit,
    ListingAsOf,
    NewRegion,
    OnlyRegion,
    Provider,
    Region,
    Service,
    Writing,
    command,
)
from cli.printing.output import out
from cli.reading import in_account, instant_of, print_result, say_more, views_of
from cli.writing import carry_out

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.messages import Recorded

app = typer.Typer(help="Consent, region by region: grant, decline, revoke, list.")


def _words(ask: Writing, region: str | None, service: str | None) -> dict[str, Any]:
    return {
        "service": service or ask.settings.value("service"),
        "region": region or ask.settings.need("region"),
    }


@command(app, "grant")
def grant(
    ask: Writing,
    region: Region = None,
    service: Service = None,
    new_region: NewRegion = False,
) -> None:
    """Consent, permanently and in one region: the OK button of the dialog.

    The first consent in an account also creates the service's agency and its policy; later
    regions reuse them. A request must be pending: log in to the console in that region first.
    """
    from ledger.account.authorization import GrantAuthorization

    carry_out(ask, GrantAuthorization, new_region=new_region, **_words(ask, region, service))


@command(app, "decline")
def decline(
    ask: Writing,
    region: Region = None,
    service: Service = None,
    new_region: NewRegion = False,
) -> None:
    """Close the dialog without consent. The next login in that region opens it again."""
    from ledger.account.authorization import DeclineAuthorization

    carry_out(ask, DeclineAuthorization, new_region=new_region, **_words(ask, region, service))


@command(app, "revoke")
def revoke(
    ask: Writing,
    region: Region = None,
    service: Service = None,
    new_region: NewRegion = False,
) -> None:
    """Revoke consent in one region. Only the permissions in that region end.

    Clouds do not end the credentials that they issued before; the output says until when one may
    still work.
    """
    from ledger.account.authorization import RevokeAuthorization

    carry_out(
        ask,
        RevokeAuthorization,
        report=_usable_until,
        new_region=new_region,
        **_words(ask, region, service),
    )


def _usable_until(_: Ledger, entries: tuple[Recorded, ...]) -> None:
    for entry in entries:
        until = getattr(entry.event, "credentials_usable_until", None)
        if until is not None:
            region = getattr(entry.event, "region", "")
            out(f"Credentials issued before in {region} may still work until {until:%F %T}Z.", "")


Status = Annotated[
    str | None,
    typer.Option(
        help="Only this status: requested, granted, declined or revoked.", metavar="STATUS"
    ),
]


@command(app, "list")
def list_(
    ask: ListingAsOf,
    *,
    region: OnlyRegion = None,
    service: Asking = None,
    status: Status = None,
    account: Account = None,
    provider: Provider = None,
    limit: Limit = None,
) -> None:
    """List the status of each service in each region: requested, granted, declined or revoked."""
    where = in_account(ask, provider, account)
    with views_of(ask) as views:
        when = instant_of(ask, views)
        wanted = {**where, "region": region, "service": service, "status": status}
        result = views.read("authorizations", as_of=when, where=wanted, limit=limit)
        if not result.rows:
            say_unknown_words(views, wanted)
        print_result(
            ask.form, result, views, empty="No service has asked for anything.", choice=ask.choice
        )
        say_more(result)
