"""authledger audit replay: history event by event, with the change that each makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Listing
from cli.printing.output import Output, out, out_wrapped, say, show
from cli.reading import ledger_of

if TYPE_CHECKING:
    from projections.audit.replay import Replayed

First = Annotated[
    int, typer.Option("--from", metavar="POSITION", min=1, help="The first position to replay.")
]
Last = Annotated[
    int | None,
    typer.Option("--to", metavar="POSITION", min=1, help="The last; default: the present."),
]
_COLUMNS = ("position", "effective_at", "recorded_at", "type", "actor", "what", "change")


def replay(ask: Listing, first: First = 1, last: Last = None) -> None:
    """Print history event by event: what happened, and what it changed.

    An event that arrived late, or an attempt that was refused, changes no answer, and says so.
    """
    from projections.audit.replay import replay, span

    with ledger_of(ask) as ledger:
        first, last = span(ledger, first, last)
        say(f"positions {first} to {last}")
        if ask.form is Output.TABLE and not ask.choice.is_given:
            for each in replay(ledger, first, last):
                _print(each)
        else:
            show(ask.form, _COLUMNS, _rows(replay(ledger, first, last)), choice=ask.choice)


def _print(each: Replayed) -> None:
    from ledger.values import instant_text

    entry = each.entry
    out(f"{entry.position:>6}  {instant_text(entry.effective_at)[:19]}Z  {entry.type}")
    out_wrapped(each.sentence, indent="        ")
    out_wrapped(f"→ {each.effect.text}", indent="        ")


def _rows(replayed: Iterator[Replayed]) -> Iterator[tuple[object, ...]]:
    from ledger.values import instant_text

    for each in replayed:
        entry = each.entry
        times = instant_text(entry.effective_at), instant_text(entry.recorded_at)
        yield entry.position, *times, entry.type, each.actor, each.sentence, each.effect.text
