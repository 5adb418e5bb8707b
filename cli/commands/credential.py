"""authledger credential: issue temporary credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import NewRegion, Region, Service, StrictOutcome, Writing, command
from cli.writing import carry_out

app = typer.Typer(help="Temporary credentials, with which a component acts as the agency.")

Component = Annotated[
    str, typer.Option(metavar="NAME", help="The component that gets it, e.g. of a mesh.")
]
Target = Annotated[
    str,
    typer.Option("--for", metavar="CODE", help="The service to use it on, e.g. elb."),
]
Life = Annotated[
    int | None,
    typer.Option(
        "--life", metavar="SECONDS", help="How long it is valid. Default: as in the catalogue."
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
    strict: StrictOutcome = False,
) -> None:
    """Issue a temporary credential to a component, for one service in one region.

    The command is refused and recorded if the catalogue does not list the service as a dependency,
    if the region has no authorization, or if the lifetime is not allowed. If it is not known
    whether the agency may use the service, the outcome is recorded as `unknown`. No secret is made:
    this is a record.
    """
    from ledger.account.usage import IssueCredential

    carry_out(
        ask,
        IssueCredential,
        new_region=new_region,
        strict=strict,
        service=service or ask.settings.value("service"),
        region=region or ask.settings.need("region"),
        target=target,
        component=component,
        life_seconds=life_seconds,
    )
