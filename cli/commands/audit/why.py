"""authledger audit why: the chain of events behind an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.audit.replay import decoded
from cli.options import Account, Provider, Reading, Region, Service
from cli.printing.output import say
from cli.printing.sentences import sentence
from cli.reading import in_account, print_result, views_of

if TYPE_CHECKING:
    from projections.views import Views

Agency = Annotated[str | None, typer.Option(metavar="NAME", help="The agency asked about.")]
Policy = Annotated[str | None, typer.Option(metavar="NAME", help="The policy asked about.")]
_COLUMNS = ("position", "effective_at", "event", "role", "because_of", "what")
_CHANGES_MAX = 10_000
"""How many changes of a kind are told."""
_CHANGES = (
    "AuthorizationRequested",
    "AuthorizationGranted",
    "AuthorizationDeclined",
    "AuthorizationRevoked",
    "AgencyCreated",
    "AgencyTrustChanged",
    "AgencyDeleted",
    "PolicyCreated",
    "PolicyChanged",
    "PolicyDeleted",
    "PermissionGranted",
    "PermissionRevoked",
    "PermissionsChanged",
)
"""The events that change what is allowed; the rest are uses and attempts."""


def why(
    ask: Reading,
    *,
    region: Region = None,
    agency: Agency = None,
    service: Service = None,
    policy: Policy = None,
    account: Account = None,
    provider: Provider = None,
) -> None:
    """Tell why an answer is what it is: the changes of what you name, each with what caused it.

    Events of one command or one trace belong together: the consent causes the permissions, the
    deletion ends them. Name a region, an agency, a service, a policy, or several.
    """
    _need_something(region, agency, service, policy)
    where = in_account(ask, provider, account)
    asked = {"region": region, "agency": agency, "service": service, "policy": policy, **where}
    with views_of(ask, caught_up=False) as views:
        last = views.last_position()
        say(f"now, position {last}")
        chain = _chain(views, asked)
        from projections.views import Result

        result = Result(_COLUMNS, chain, last)
        print_result(ask.form, result, views, empty="No event has changed anything about that.")


def _need_something(*words: str | None) -> None:
    from ledger.errors import InvalidInput

    if not any(words):
        raise InvalidInput(
            "Why what?", remedy="Name a --region, an --agency, a --service or a --policy."
        )


def _chain(views: Views, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The changes that fit, and the other events of the same commands, by position."""
    from projections.definitions.audit_trail import TrailFilter

    changes: dict[int, dict[str, Any]] = {}
    for event in _CHANGES:
        page = views.trail(
            TrailFilter(event=event, **asked), limit=_CHANGES_MAX, newest_first=False
        )
        if page.more:
            say(f"{event}: only the first {_CHANGES_MAX} are told; name more to narrow it down")
        changes |= {row["position"]: row for row in page.dicts()}
    found = dict(changes)
    for row in changes.values():
        found |= _same_command(views, row)
    for row in list(found.values()):
        if row["type"] == "AuthorizationGranted":
            found |= _request(views, row)
    return [_told(found[position], changes, found) for position in sorted(found)]


def _same_command(views: Views, row: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The events of the same command, which stand together; 50 at most, as one may end many."""
    from projections.definitions.audit_trail import TrailFilter

    near: dict[int, dict[str, Any]] = {}
    page = views.trail(
        TrailFilter(account=row["account"], provider=row["provider"]),
        after=row["position"],
        limit=50,
    )
    for other in page.dicts():
        if other["command_id"] != row["command_id"]:
            break
        if not other["type"].startswith("Permission"):
            near[other["position"]] = other
    return near


def _request(views: Views, granted: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The dialog that a consent answered: the latest of that service in that region before it."""
    from projections.definitions.audit_trail import TrailFilter

    same = {key: granted[key] for key in ("provider", "account", "region", "service")}
    wanted = TrailFilter(event="AuthorizationRequested", **same)
    page = views.trail(wanted, after=granted["position"], limit=1)
    return {row["position"]: row for row in page.dicts()}


def _cause(row: dict[str, Any], found: dict[int, dict[str, Any]]) -> int | None:
    """The first event of the same command; for a consent, the request that it answered."""
    before = [position for position in sorted(found) if position < row["position"]]
    for position in before:
        if found[position]["command_id"] == row["command_id"]:
            return position
    if row["type"] != "AuthorizationGranted":
        return None
    place = ("AuthorizationRequested", row["account"], row["region"], row["service"])
    for position in reversed(before):
        each = found[position]
        if (each["type"], each["account"], each["region"], each["service"]) == place:
            return position
    return None


def _told(
    row: dict[str, Any],
    changes: dict[int, dict[str, Any]],
    found: dict[int, dict[str, Any]],
) -> tuple[Any, ...]:
    entry = decoded(row)
    names = {row["actor"]: row["actor_name"]} if row["actor_name"] else {}
    return (
        row["position"],
        row["effective_at"],
        row["type"],
        "change" if row["position"] in changes else "cause",
        _cause(row, found),
        sentence(entry, names),
    )
