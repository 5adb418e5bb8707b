"""authledger console: log in to a service's console in one region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Login, NewRegion, Region, Service, StrictOutcome, command
from cli.printing.output import out
from cli.writing import carry_out

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.messages import Recorded

app = typer.Typer(
    help="Log in to a service's console; the first login in a region opens the dialog."
)

User = Annotated[
    str | None,
    typer.Option(
        "--user",
        "--actor",
        metavar="NAME",
        help="The user who logs in; recorded as claimed. Default: the user of the operating system.",
    ),
]


@command(app, "login")
def login(
    ask: Login,
    *,
    region: Region = None,
    service: Service = None,
    user: User = None,
    new_region: NewRegion = False,
    strict: StrictOutcome = False,
) -> None:
    """Log in to the console of a service in one region.

    If the service is not authorized in the region, the authorization dialog opens. It lists the
    services that are asked for, and the purpose of each. Answer it with `authorization grant` or
    `authorization decline`. If it is not known whether it is authorized, the login is recorded with
    the outcome `unknown`, and no dialog opens.
    """
    from ledger.account.console import RequestConsoleLogin

    carry_out(
        ask,
        RequestConsoleLogin,
        report=_dialog,
        actor=user,
        new_region=new_region,
        strict=strict,
        service=service or ask.settings.value("service"),
        region=region or ask.settings.need("region"),
    )


def _dialog(ledger: Ledger, entries: tuple[Recorded, ...]) -> None:
    from ledger.account.console import ConsoleLoginRequested

    for entry in entries:
        login = entry.event
        if not isinstance(login, ConsoleLoginRequested) or not entry.provider:
            continue
        service = ledger.catalogue.service(entry.provider, login.service)
        if login.outcome == "admitted":
            out(f"{service.name} is authorized in {login.region}; no dialog opens.", "")
            continue
        if login.outcome == "unknown":
            continue  # The command's note says so.
        asked = {
            code for agency in service.baseline_at(entry.effective_at).agencies
            for code in agency.services
        }  # fmt: skip
        out(f"{service.name} is not authorized in {login.region}. It asks for permanent permission")
        out("to use these services there on your behalf:", "")
        for dependency in service.dependencies:
            if dependency.code in asked:
                out(f"  {dependency.code:<5} {dependency.name}: to {dependency.purpose}")
        where = f"--account {entry.account} --service {login.service} --region {login.region}"
        out("", f"OK:     authledger authorization grant {where}")
        out(f"Cancel: authledger authorization decline {where}", "")
