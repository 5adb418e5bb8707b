"""authledger feature: use a feature of a service."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import NewRegion, Region, Service, StrictOutcome, Writing, command
from cli.writing import carry_out

app = typer.Typer(help="Features of a service: enable a mesh, publish an ingress gateway, …")


def _complete(incomplete: str) -> list[tuple[str, str]]:
    from ledger.catalogue import load_catalogue

    return [
        (feature.name, feature.title)
        for service in load_catalogue().services
        for feature in service.features
        if feature.name.startswith(incomplete)
    ]


Feature = Annotated[
    str,
    typer.Argument(
        metavar="FEATURE",
        help="The feature, e.g. mesh, ingress-gateway, metrics (`catalogue show asm` lists them).",
        autocompletion=_complete,
    ),
]


@command(app, "use")
def use(
    ask: Writing,
    feature: Feature,
    *,
    region: Region = None,
    service: Service = None,
    new_region: NewRegion = False,
    strict: StrictOutcome = False,
) -> None:
    """Use a feature in one region, through the service's agency.

    The command is refused and recorded if the agency may not use a service that the feature needs.
    The message names the missing services, and the command that requests them. If it is not known
    whether the agency may use one, the use is recorded with the outcome `unknown`.
    """
    from ledger.account.usage import UseFeature

    carry_out(
        ask,
        UseFeature,
        new_region=new_region,
        strict=strict,
        service=service or ask.settings.value("service"),
        region=region or ask.settings.need("region"),
        feature=feature,
    )
