"""authledger audit why: the chain of events behind an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.filters import say_unknown_words
from cli.options import Account, Asking, Listing, OnlyRegion, Provider, Uses
from cli.printing.output import say
from cli.reading import in_account, print_result, views_of

if TYPE_CHECKING:
    from projections.views import Views

Agency = Annotated[str | None, typer.Option(metavar="NAME", help="The agency asked about.")]
Policy = Annotated[str | None, typer.Option(metavar="NAME", help="The policy asked about.")]
_COLUMNS = ("position", "effective_at", "event", "role", "because_of", "what")


def why(
    ask: Listing,
    *,
    region: OnlyRegion = None,
    agency: Agency = None,
    service: Asking = None,
    uses: Uses = None,
    policy: Policy = None,
    account: Account = None,
    provider: Provider = None,
) -> None:
    """Explain an answer: the changes of what you name, each with what caused it.

    Events of one command or one trace belong together: the consent causes the permissions, the
    deletion ends them. Name a region, an agency, a service, a policy, or several of them. The
    position up to which the answer goes is printed on stderr.
    """
    from projections.audit.why import CHANGES_MAX, why
    from projections.views import Result

    asked = {
        "region": region,
        "agency": agency,
        "service": service,
        "uses": uses,
        "policy": policy,
        **in_account(ask, provider, account),
    }
    with views_of(ask) as views:
        chain = why(views, **asked)
        say(f"now, position {chain.position}")
        # A mistyped region also gets the events of all regions.
        say_unknown_words(views, {"region": region} if chain.links else asked)
        for event in chain.cut:
            say(f"{event}: only the first {CHANGES_MAX} are listed. Name more to narrow it down.")
        _say_latest_switch(views, asked)
        rows = [tuple(getattr(link, column) for column in _COLUMNS) for link in chain.links]
        result = Result(_COLUMNS, rows, chain.position)
        print_result(
            ask.form,
            result,
            views,
            empty="No event has changed anything about that.",
            choice=ask.choice,
        )


def _say_latest_switch(views: Views, asked: dict[str, str | None]) -> None:
    """Say who got the agency's credential last: that changes nothing, but may be the question."""
    from projections.audit.trail import sentences
    from projections.definitions.audit_trail import TrailFilter

    if asked["agency"] is None:
        return
    wanted = TrailFilter(
        event="TemporaryCredentialIssued",
        agency=asked["agency"],
        provider=asked["provider"],
        account=asked["account"],
    )
    for said in sentences(views, views.trail(wanted, limit=1).dicts()):
        say(f"the latest to act as it: {said}")
