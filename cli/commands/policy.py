"""authledger policy: delete, list and show policies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.commands.agency import Override
from cli.filters import say_unknown_words
from cli.options import Account, Limit, ListingAsOf, Provider, ReadingAsOf, Writing, command
from cli.printing.output import Output, out, show_document
from cli.reading import in_account, instant_of, print_result, readable, say_more, views_of
from cli.writing import carry_out

if TYPE_CHECKING:
    from ledger.as_of import AsOf
    from projections.views import Result, Views

app = typer.Typer(
    help="Policies, which say what an agency may do. Some are protected against deletion."
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The policy's name, in quotes if it has spaces.")
]


@command(app, "delete")
def delete(ask: Writing, name: Name, override: Override = False) -> None:
    """Try to delete a policy. If a service works through it, the attempt is refused and recorded.

    The entry lists the features that would break, by region. With --override and --reason the
    policy is deleted, and every permission that ends with it is an event of its own.
    """
    from ledger.account.policy import AttemptPolicyDeletion

    carry_out(ask, AttemptPolicyDeletion, policy=name, override=override)


@command(app, "list")
def list_(
    ask: ListingAsOf,
    account: Account = None,
    provider: Provider = None,
    limit: Limit = None,
) -> None:
    """List the policies: status, since when, by which actor."""
    where = in_account(ask, provider, account)
    with views_of(ask) as views:
        when = instant_of(ask, views)
        result = views.read("policies", as_of=when, where=where, limit=limit)
        if not result.rows:
            say_unknown_words(views, where)
        empty, hide = "There is no policy.", ("document_position",)
        print_result(ask.form, result, views, empty=empty, hide=hide, choice=ask.choice)
        say_more(result)


Whole = Annotated[
    bool, typer.Option("--document", help="Print the text of the document in force, too.")
]


@command(app, "show")
def show(
    ask: ReadingAsOf,
    name: Name,
    document: Whole = False,
    account: Account = None,
    provider: Provider = None,
) -> None:
    """Show a policy: its status, its document, its permissions, and the attempts to delete it.

    At AWS a policy's name is its ARN; the name at the end of it is enough if one policy has it.

    Of the document, the digest and the version are shown, and since when it is in force; with
    `--document` or `-o json` the text as well.
    """
    from ledger.errors import NotFound

    place = in_account(ask, provider, account)
    with views_of(ask) as views:
        when = instant_of(ask, views)
        where = {**place, "policy": _whole_name(views, when, place, name)}
        parts = {
            title: views.read(view, as_of=when, where=where)
            for title, view in (
                ("policy", "policies"),
                ("permissions", "regions"),
                ("attempts to delete it", "attempts"),
            )
        }
        if not parts["policy"].rows:
            say_unknown_words(views, where)
            raise NotFound(
                f"There is no policy {name!r}.",
                remedy="To list the policies: authledger policy list",
            )
        if ask.form in (Output.JSON, Output.JSONL):
            keys = ("policy", "permissions", "attempts")
            found = {key: part.dicts() for key, part in zip(keys, parts.values(), strict=True)}
            show_document(ask.form, found | {"documents": _texts(views, parts["policy"])})
            return
        for title, part in parts.items():
            if ask.form is Output.TABLE:
                out(f"{title}:")
                hide = ("policy", *_OF_DOCUMENTS)
                print_result(ask.form, part, views, hide=hide, empty="  none")
                out("")
                if title == "policy":
                    _print_documents(views, part, whole=document)
            elif title == "permissions":
                print_result(ask.form, part, views)


def _whole_name(views: Views, when: AsOf | None, place: dict[str, str | None], name: str) -> str:
    """The name of the policy, which at AWS is an ARN: its last part is enough if only one has it.

    Raises InvalidInput, with the candidates, if several have it.
    """
    from ledger.errors import InvalidInput

    if views.read("policies", as_of=when, where={**place, "policy": name}).rows:
        return name
    known = {row["policy"] for row in views.read("policies", as_of=when, where=place).dicts()}
    found = sorted(each for each in known if _last_part(each) == name.casefold())
    if len(found) > 1:
        raise InvalidInput(
            f"{len(found)} policies have the name {name!r}: {', '.join(found)}.",
            remedy=f"Give one of them whole: authledger policy show {found[0]}",
        )
    return found[0] if found else name


def _last_part(policy: str) -> str:
    """The name at the end of an ARN; empty for any other name. IAM ignores its case."""
    return policy.rpartition("/")[2].casefold() if policy.startswith("arn:") else ""


_OF_DOCUMENTS: Final = ("document", "document_version", "document_since", "document_position")


def _texts(views: Views, policies: Result) -> dict[str, Any]:
    """The documents in force, by their digests; None where only the digest is known."""
    digests = [row["document"] for row in policies.dicts() if row["document"]]
    texts = views.documents.texts(digests)
    return {
        digest: json.loads(texts[digest]) if digest in texts else None for digest in sorted(digests)
    }


def _print_documents(views: Views, policies: Result, *, whole: bool) -> None:
    texts = _texts(views, policies)
    for row in policies.dicts():
        digest, since = row["document"], readable(row["document_since"], {})
        if not since:
            out("document: none is known", "")
            continue
        version = f", version {row['document_version']}" if row["document_version"] else ""
        out(f"document: {digest or 'content not told'}{version}, since {since}")
        if whole and digest:
            out(*_lines(texts[digest]))
        out("")


def _lines(text: Any) -> list[str]:
    if text is None:
        return ["only the digest is known"]
    return json.dumps(text, ensure_ascii=False, indent=2).splitlines()
