"""authledger credential: issue temporary credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import NewRegion, Region, Service, Writing, command
from cli.writing import carry_out

app = typer.Typer(help="Temporary credentials, by which a component acts as the agency.")

Component = Annotated[
    str, typer.Option(metavar="NAME", help="Which component it is for, e.g. of a mesh.")
]
Target = Annotated[
    str,
    typer.Option(
        "--for", metavar="CODE", help="The dependent service that it is to be used on, e.g. elb."
    ),
]
Life = Annotated[
    int | None,
    typer.Option(
        "--life", metavar="SECONDS", help="How long it may be used. Default: the catalogue's."
    ),
]


@command(app, "issue")
def issue(
    ask: Writing,
    *,
    target: Target,
    component: Component,
    region: Region = None,
    service: Service = None,
    life_seconds: Life = None,
    new_region: NewRegion = False,
) -> None:
    """Issue a temporary credential for a component, to act on one service in one region.

    Refused, and recorded, for a service that is none of the dependent ones, in a region without
    authorization, and for a life that is not allowed. No secret is made: this is a record.
    """
    from ledger.account.usage import IssueCredential

    carry_out(
        ask,
        IssueCredential,
        new_region=new_region,
        service=service or ask.settings.value("service"),
        region=region or ask.settings.need("region"),
        target=target,
        component=component,
        life_seconds=life_seconds,
    )
