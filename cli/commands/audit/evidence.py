"""authledger audit evidence and verify-evidence: an answer that anybody can check."""

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
    Path, typer.Option("--output", "-o", metavar="FILE", help="The file for the evidence.")
]
Complete = Annotated[
    bool,
    typer.Option(
        "--complete", help="Include every entry, so that the evidence also proves what is absent."
    ),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The file with the evidence.")]
Keys = Annotated[
    list[str],
    typer.Option(
        "--key", metavar="VKEY", help="The verifier key, as the log's owner gave it to you."
    ),
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
    """Write an answer and its proofs to a file, which anybody can check without this ledger.

    The file holds the answer, the signed checkpoint, and the entries that the answer follows from
    with their proofs. If the answer is empty, it holds every entry, which proves the absence; also
    if the answer follows from more than 10,000. The policy documents that these entries refer to go
    along, if they are kept. Other names of people are not in it.
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
    say(f"Wrote {into}, the answer to: {made.question}")
    say(
        f"{rows} row{'' if rows == 1 else 's'}, "
        + (
            f"with all {made.checkpoint.size} entries of the ledger."
            if made.question.complete
            else "with the entries that they follow from and their proofs. Not proved: that no other entry "
            "changes the answer (--complete)."
        )
    )
    for note in made.notes:
        say(f"Note: {note}")


def verify_evidence(ask: Printing, file: File, key: Keys) -> None:
    """Check evidence with only the verifier key, and print the answer. Needs no ledger.

    Do not take the key from the evidence: ask the log's owner for it.
    """
    from ledger.catalogue import load_catalogue
    from ledger.verification.verdict import verifier_of
    from projections.evidence.check import check

    form = ask.form
    keys = [verifier_of(each) for each in key]
    checked = check(file, keys, load_catalogue(ask.settings.catalogue))
    say(
        f"Verified by the checkpoint of {checked.checkpoint.origin}, "
        f"{checked.checkpoint.size} entries: {checked.question}"
    )
    say("The key came from: --key.")
    show(
        form,
        checked.answer.columns,
        checked.answer.rows,
        empty="No rows: nothing that was recorded up to this position matches.",
    )
    for digest in checked.documents:
        say(f"The document {digest} is in it: documents/{digest}.json")
    for remark in checked.remarks:
        say(f"Not checked: {remark}.")
    for note in checked.notes:
        say(f"Note: {note}")
