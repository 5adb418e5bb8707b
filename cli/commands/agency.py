"""authledger agency: create, delete, list, and show one as the IAM console does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.filters import say_unknown_words
from cli.options import Account, Limit, ListingAsOf, Provider, ReadingAsOf, Writing, command
from cli.printing.output import Output, out, say, show, show_document
from cli.reading import in_account, instant_of, names_of, print_result, readable, say_more, views_of
from cli.writing import carry_out

if TYPE_CHECKING:
    from ledger.as_of import AsOf
    from projections.views import Views

app = typer.Typer(help="Agencies: delegations of trust from an account to a cloud service.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The agency's name.")]
Trustee = Annotated[
    str | None,
    typer.Option(
        metavar="WHO",
        help="The service or account that it trusts, e.g. service:asm. Default: as in the catalogue.",
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A policy to create with it. Default: as in the catalogue, if it has one.",
    ),
]
Override = Annotated[
    bool,
    typer.Option("--override", help="Delete it in spite of its protection; needs --reason."),
]


@command(app, "create")
def create(ask: Writing, name: Name, trustee: Trustee = None, policy: Policy = None) -> None:
    """Create an agency by hand, with its policy but without permissions."""
    from ledger.account.agency import CreateAgency

    carry_out(ask, CreateAgency, agency=name, trustee=trustee, policy=policy)


@command(app, "delete")
def delete(ask: Writing, name: Name, override: Override = False) -> None:
    """Try to delete an agency. If a service works through it, the attempt is refused and recorded.

    The entry lists the features that would break, by region. With --override and --reason the
    agency is deleted, and every permission that ends with it is an event of its own.
    """
    from ledger.account.agency import AttemptAgencyDeletion

    carry_out(ask, AttemptAgencyDeletion, agency=name, override=override)


@command(app, "list")
def list_(
    ask: ListingAsOf,
    account: Account = None,
    provider: Provider = None,
    limit: Limit = None,
) -> None:
    """List the agencies: status, since when, by which actor."""
    where = in_account(ask, provider, account)
    with views_of(ask) as views:
        when = instant_of(ask, views)
        result = views.read("agencies", as_of=when, where=where, limit=limit)
        if not result.rows:
            say_unknown_words(views, where)
        print_result(ask.form, result, views, empty="There is no agency.", choice=ask.choice)
        say_more(result)


@command(app, "show")
def show_(ask: ReadingAsOf, name: Name, account: Account = None, provider: Provider = None) -> None:
    """Show an agency as the IAM console does: its permissions in each region.

    Each permission has the time since when it holds, and the actor who consented.
    """
    where = {**in_account(ask, provider, account), "agency": name}
    with views_of(ask) as views:
        when = instant_of(ask, views)
        agencies = [_read(views, agency, when) for agency in _found(views, when, where)]
    if ask.form is Output.TABLE:
        for agency in agencies:
            _print(agency)
    elif ask.form is Output.CSV:
        columns = ("provider", "account", "agency", *_COLUMNS)
        rows = [
            (agency["provider"], agency["account"], name, *(each[column] for column in _COLUMNS))
            for agency in agencies
            for each in agency["permissions"]
        ]
        show(ask.form, columns, rows)
    else:
        for agency in agencies:
            show_document(ask.form, agency)


_COLUMNS = ("region", "service", "policy", "status", "since", "consented_by", "position")


def _found(views: Views, when: AsOf | None, where: dict[str, str | None]) -> list[dict[str, Any]]:
    """The agencies of that name; raises NotFound for none, InvalidInput for several accounts'."""
    from ledger.errors import InvalidInput, NotFound

    found = views.read("agencies", as_of=when, where=where).dicts()
    if not found:
        say_unknown_words(views, where)
        raise NotFound(
            f"There is no agency {where['agency']!r}"
            + (f" in the account {where['account']}." if where["account"] else "."),
            remedy="To list the agencies: authledger agency list",
        )
    places = {(each["provider"], each["account"]) for each in found}
    if len(places) > 1 and where["account"] is None:
        accounts = ", ".join(f"{provider} {account}" for provider, account in sorted(places))
        raise InvalidInput(
            f"{len(places)} accounts have an agency of that name: {accounts}.",
            remedy="Choose one with --account and --provider.",
        )
    return _standing(found)


_ENDED = frozenset({"deleted", "renamed"})


def _standing(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the agencies of one name that have not ended; else the one that ended last."""
    last = max(found, key=lambda each: each["since"] or "")
    return [each for each in found if each["status"] not in _ENDED] or [last]


def _read(views: Views, agency: dict[str, Any], when: AsOf | None) -> dict[str, Any]:
    mine = {key: agency[key] for key in ("provider", "account", "agency", "agency_id")}
    trustees = views.read("trustees", as_of=when, where=mine).dicts()
    limits = views.read("boundaries", as_of=when, where=mine).dicts()
    permissions = views.read("regions", as_of=when, where=mine).dicts()
    known = names_of(views, [agency, *permissions])
    trusted = [each for each in trustees if each["status"] != "ended"]
    usage = views.read("usage", as_of=when, where=_without_id(mine)).dicts()
    used = [each["last_used_at"] for each in usage if each["last_used_at"]]
    return {
        **mine,
        "agency_id": agency["agency_id"] or None,
        "status": agency["status"],
        "note": agency["note"] or None,
        "since": agency["since"],
        "expires_at": agency["expires_at"],
        "by": known.get(agency["actor"], agency["actor"]) or None,
        "trustee": trusted[0]["trustee"] or None if trusted else None,
        "trust": trustees[-1]["status"] if trustees else "not known",
        "trust_document": trusted[0]["document"] or None if trusted else None,
        "boundary": _boundary(limits),
        "last_used_at": max(used, default=None),
        "permissions": [
            {
                **{column: each.get(column) for column in _COLUMNS},
                "consented_by": known.get(each["actor"], each["actor"]) or None,
                "note": each["note"] or None,
            }
            for each in permissions
        ],
    }


def _boundary(limits: list[dict[str, Any]]) -> str | None:
    """The policy that limits the agency; None if none does, by all that is known."""
    known = [each for each in limits if each["status"] in ("set", "not known")]
    if not known:
        return None
    is_named = known[-1]["status"] == "set" and known[-1]["boundary"]
    return known[-1]["boundary"] if is_named else "not known"


def _without_id(agency: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in agency.items() if key != "agency_id"}


def _print(agency: dict[str, Any]) -> None:
    since = f" since {readable(agency['since'], {})}" if agency["since"] else ""
    note = f"; {agency['note']}" if agency["note"] else ""
    out(f"agency     {agency['agency']}  ({agency['status']}{since}{note})")
    out(f"account    {agency['account']} at {agency['provider']}")
    out(f"id         {agency['agency_id'] or 'unknown'}")
    nobody = "nobody" if agency["trust"] == "ended" else "unknown"
    out(f"trusts     {agency['trustee'] or nobody}")
    if agency["boundary"]:
        out(f"boundary   {agency['boundary']}")
    if agency["expires_at"]:
        out(f"expires    {_until(agency['expires_at'])}")
    out(f"by         {agency['by'] or 'unknown'}")
    out(f"last used  {readable(agency['last_used_at'], {}) or 'no use is known'}", "")
    headings = ["region", "service", "policy", "status", "since", "by", "position"]
    columns = [*_COLUMNS]
    if any(each["note"] for each in agency["permissions"]):
        headings.append("note")
        columns.append("note")
    rows = [
        tuple(readable(each[column], {}) for column in columns) for each in agency["permissions"]
    ]
    show(Output.TABLE, headings, rows, empty="It has no permission anywhere.")
    held = sorted({each["region"] for each in agency["permissions"] if each["status"] == "granted"})
    if rows:
        say(f"Granted in {len(held)} region(s): {', '.join(held) or 'none'}")


def _until(expires_at: str) -> str:
    return "never" if expires_at.startswith("9999-") else readable(expires_at, {})
