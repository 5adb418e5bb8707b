"""authledger audit evidence, and verify-evidence: an answer that a stranger can check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import OpeningAsOf, Printing, command
from cli.printing.output import say, show
from cli.reading import catch_up, ledger_of, resolved, say_unknown_services

Question = Annotated[
    str,
    typer.Argument(
        metavar="QUESTION",
        help="A view and its conditions: 'regions region=cn-north-4 agency=asm_admin_trust'.",
    ),
]
Into = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where the evidence goes.")
]
Complete = Annotated[
    bool,
    typer.Option(
        "--complete", help="With every entry, so that it also shows that there was nothing else."
    ),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The evidence.")]
Keys = Annotated[
    list[str],
    typer.Option("--key", metavar="VKEY", help="The verifier key, as its owner gave it to you."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    command(app, "evidence")(evidence)
    command(app, "verify-evidence")(verify_evidence)


def evidence(
    ask: OpeningAsOf,
    question: Question,
    into: Into = Path("evidence.zip"),
    complete: Complete = False,
) -> None:
    """Answer a question so that a stranger can check it, with no access to this ledger.

    The file holds the answer, the signed checkpoint, and the entries that it stands on with their
    proofs; or, where the answer is that there is nothing, every entry. Names are not in it.
    """
    from projections.evidence.make import make
    from projections.views import Views

    with ledger_of(ask) as ledger, Views.open(ledger.location, ledger.catalogue) as views:
        catch_up(views)
        when = resolved(views, ask.as_of, ask.known_at)
        made = make(ledger, views, question, into, when=when, complete=complete)
        if made.question.view == "capabilities":
            say_unknown_services(views, made.question.as_of, made.question.where)
    rows = len(made.answer.rows)
    say(f"{into} answers: {made.question}")
    say(
        f"{rows} row{'' if rows == 1 else 's'}, "
        + (
            f"with all {made.checkpoint.size} entries."
            if made.question.complete
            else "each with its entry and proof. Not shown: that there was nothing else (--complete)."
        )
    )


def verify_evidence(ask: Printing, file: File, key: Keys) -> None:
    """Check evidence with nothing but the verifier key, and print the answer. Needs no ledger.

    The key never comes from the file: ask the log's owner for it.
    """
    from ledger.catalogue import load_catalogue
    from ledger.verification.verdict import verifier_of
    from projections.evidence.check import check

    form = ask.form
    keys = [verifier_of(each) for each in key]
    held = check(file, keys, load_catalogue(ask.settings.catalogue))
    say(
        f"Verified under the checkpoint of {held.checkpoint.origin}, "
        f"{held.checkpoint.size} entries: {held.question}"
    )
    show(form, held.answer.columns, held.answer.rows, empty="There was nothing.")
    for remark in held.remarks:
        say(f"Not checked: {remark}.")
