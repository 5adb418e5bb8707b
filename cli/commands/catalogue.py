"""authledger catalogue: list and show the services that the catalogue describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Columns, Printing, Provider, command
from cli.printing.columns import Choice
from cli.printing.output import Output, out, show, show_document

if TYPE_CHECKING:
    from ledger.catalogue import Catalogue, Service

app = typer.Typer(help="The known cloud services: what each asks for and why, with sources.")


def _complete(incomplete: str) -> list[tuple[str, str]]:
    from ledger.catalogue import load_catalogue

    return [
        (service.code, service.name)
        for service in load_catalogue().services
        if service.code.startswith(incomplete)
    ]


Code = Annotated[
    str,
    typer.Argument(metavar="CODE", help="The service's code, e.g. asm.", autocompletion=_complete),
]


def _load(ask: Printing) -> Catalogue:
    from ledger.catalogue import load_catalogue

    return load_catalogue(ask.settings.catalogue)


@command(app, "list")
def list_(ask: Printing, columns: Columns = None) -> None:
    """List the services in the catalogue, with their agencies and features."""
    rows = [
        (
            service.provider,
            service.code,
            service.name,
            service.agency_names(),
            tuple(feature.name for feature in service.features),
        )
        for service in _load(ask).services
    ]
    names = ("provider", "code", "name", "agencies", "features")
    show(ask.form, names, rows, choice=Choice(columns))


@command(app, "show")
def show_(ask: Printing, code: Code, provider: Provider = None) -> None:
    """Show a service: the services that it asks for, its features, its baselines, the sources."""
    catalogue = _load(ask)
    service = catalogue.service(provider or ask.settings.need("provider"), code)
    if ask.form is Output.TABLE:
        _print(service, catalogue.version)
    elif ask.form is Output.CSV:
        rows = [(each.code, each.name, each.purpose) for each in service.dependencies]
        show(ask.form, ("code", "name", "purpose"), rows)
    else:
        document = service.model_dump(mode="json")
        show_document(ask.form, {"catalogue": catalogue.version, **document})


def _print(service: Service, version: str) -> None:
    out(f"{service.name}  ({service.provider} {service.code}; catalogue {version})", "")
    out("asks for:")
    asked = [(each.code, each.name, each.purpose) for each in service.dependencies]
    show(Output.TABLE, ("code", "service", "purpose"), asked)
    out("", "features:")
    features = [(each.name, each.title, each.needs) for each in service.features]
    show(Output.TABLE, ("feature", "description", "needs"), features, empty="  none")
    out("", "baselines (what consent creates):")
    baselines = [
        (baseline.since, agency.name, agency.policies, agency.protection, baseline.note)
        for baseline in service.baselines
        for agency in baseline.agencies
    ]
    show(Output.TABLE, ("since", "agency", "policies", "protection", "note"), baselines)
    limits = service.credential
    out(
        "",
        f"credentials live {limits.shortest_life_seconds} to {limits.longest_life_seconds} s, "
        f"{limits.default_life_seconds} s by default",
    )
    out("", "sources:")
    for source in service.sources:
        dated = f", {source.dated}" if source.dated else ""
        out(f"  {source.title}{dated}", *([f"    {source.url}"] if source.url else []))
