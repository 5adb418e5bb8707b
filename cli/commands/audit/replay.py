"""authledger audit replay: history told event by event, with the change that each makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.audit.change import Fold
from cli.options import Reading
from cli.printing.output import Output, out, say, show
from cli.printing.sentences import sentence, who_of
from cli.reading import ledger_of
from cli.writing import names_in

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.messages import Recorded
    from projections.views import Result

First = Annotated[
    int, typer.Option("--from", metavar="POSITION", min=1, help="The first position to tell.")
]
Last = Annotated[
    int | None,
    typer.Option("--to", metavar="POSITION", min=1, help="The last; default: the present."),
]
_COLUMNS = ("position", "effective_at", "recorded_at", "type", "actor", "what", "change")


def replay(ask: Reading, first: First = 1, last: Last = None) -> None:
    """Tell history event by event: what happened, and what it changed.

    An event that arrived late, or an attempt that was refused, changes no answer, and says so.
    """
    with ledger_of(ask) as ledger:
        last = _range(ledger, first, last)
        say(f"positions {first} to {last}")
        if ask.form is Output.TABLE:
            for told in _tell(ledger, first, last):
                out(f"{told['position']:>6}  {told['effective_at'][:19]}Z  {told['type']}")
                out(f"        {told['what']}")
                out(f"        → {told['change']}")
        else:
            rows = ([told[column] for column in _COLUMNS] for told in _tell(ledger, first, last))
            show(ask.form, _COLUMNS, rows)


def _range(ledger: Ledger, first: int, last: int | None) -> int:
    from ledger.errors import InvalidInput

    end = ledger.last_position()
    if first > max(end, 1) or (last is not None and last > end):
        raise InvalidInput(f"The last position is {end}.", remedy="Ask for a range up to it.")
    if last is not None and last < first:
        raise InvalidInput(f"--from {first} lies after --to {last}.")
    return end if last is None else last


def _tell(ledger: Ledger, first: int, last: int) -> Iterator[dict[str, Any]]:
    from ledger.values import instant_text

    fold = Fold(ledger)
    for page in _pages(ledger.history(first, last)):
        names = names_in(ledger, page)
        for entry in page:
            yield {
                "position": entry.position,
                "effective_at": instant_text(entry.effective_at),
                "recorded_at": instant_text(entry.recorded_at),
                "type": entry.type,
                "actor": who_of(entry, names),
                "what": sentence(entry, names),
                "change": fold.change(entry),
            }


def _pages(entries: Iterator[Recorded], size: int = 500) -> Iterator[list[Recorded]]:
    page: list[Recorded] = []
    for entry in entries:
        page.append(entry)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


def print_trail(page: Result) -> None:
    """A page of the trail as a table: when, who, what, in a sentence each."""
    entries = page.dicts()
    names: Mapping[str, str] = {
        row["actor"]: row["actor_name"] for row in entries if row["actor_name"]
    }
    accounts = len({row["account"] for row in entries if row["account"]}) > 1
    rows = [
        (
            row["position"],
            f"{row['effective_at'][:19]}Z",
            *([row["account"]] if accounts else []),
            row["actor_name"] or row["actor"],
            row["type"],
            sentence(decoded(row), names),
        )
        for row in entries
    ]
    account = ["account"] if accounts else []
    headings = ("position", "happened", *account, "actor", "event", "what")
    show(Output.TABLE, headings, rows, empty="No entry fits.")


def decoded(row: Mapping[str, Any]) -> Recorded:
    """The entry of a row of the trail."""
    from eventsourcing.persistence import StoredEvent

    from ledger.persistence.entry import decode

    state = row["entry"].encode("utf-8", "surrogateescape")
    topic = json.loads(state)["topic"]
    return decode(StoredEvent(row["stream"], row["version"], topic, state), row["position"])
