"""authledger document: show, list and erase the policy documents that traces brought."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.options import Actor, Listing, Reading, Reason, command
from cli.printing.output import Output, exact, say, show
from cli.reading import ledger_of, views_of
from cli.writing import actor_of, checked, confirmed

app = typer.Typer(
    help="The texts of policies, trusts and sessions, under their digests, and their erasure."
)

Digest = Annotated[
    str,
    typer.Argument(
        metavar="DIGEST",
        help="The document's SHA-256, or its first digits if no other document begins so.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking.")]


@command(app, "show")
def show_(ask: Reading, document: Digest) -> None:
    """Show the text of a document: indented, or with `-o jsonl` exactly as it is kept.

    The digest is that of the exact text (canonical JSON, RFC 8785).
    """
    form = ask.form
    with views_of(ask) as views:
        digest = views.documents.find(document)
        text = views.documents.text(digest)
    say(f"document {digest}, {len(text.encode())} bytes")
    if form is Output.JSONL:
        exact(f"{text}\n")
    else:
        exact(json.dumps(json.loads(text), ensure_ascii=False, indent=2) + "\n")


@command(app, "list")
def list_(ask: Listing) -> None:
    """List where documents are used: policies, trusts and sessions, with their positions.

    The column `text` says whether the text is kept, was erased, or was not kept.
    """
    from projections.documents import COLUMNS

    with views_of(ask) as views:
        say(f"now, position {views.reached()}")
        rows = views.documents.rows()
    show(
        ask.form,
        COLUMNS,
        rows,
        empty="No event refers to a document.",
        choice=ask.choice,
    )


@command(app, "erase")
def erase(
    ask: Reading, document: Digest, yes: Yes = False, actor: Actor = None, reason: Reason = None
) -> None:
    """Erase the text of a document, permanently. The history and its proofs stay valid.

    The erasure itself is appended to the history. A later trace with the same document does not
    bring the text back.
    """
    form = ask.form  # An invalid option is an error before anything is erased.
    with views_of(ask) as views:
        digest = views.documents.find(document)
    with ledger_of(ask) as ledger:
        if not yes:
            confirmed(f"Erase the text of the document {digest}, permanently?")
        before = ledger.last_position()
        ledger.erase_document(
            digest,
            actor=actor_of(ask.settings.value("actor") if actor is None else actor),
            reason=checked("reason", reason),
        )
        from cli.writing import names_in, show_entries

        appended = tuple(ledger.history(before + 1))
        show_entries(form, appended, names_in(ledger, appended))
