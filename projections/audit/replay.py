"""History event by event: what each says, and what it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ledger.application import Ledger
from ledger.effects import Effect, Effects
from ledger.errors import InvalidInput
from ledger.events import actor_of, sentence, subjects_of
from ledger.messages import Recorded

PAGE = 500
"""How many entries' names are looked up at once."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One entry, what it says, and what it changed. `actor` is a name where it is kept."""

    entry: Recorded
    actor: str
    sentence: str
    effect: Effect


def span(ledger: Ledger, first: int = 1, last: int | None = None) -> tuple[int, int]:
    """The positions of a replay, both included; without `last` up to the present.

    Raises InvalidInput if they lie outside the history.
    """
    end = ledger.last_position()
    if first > max(end, 1) or (last is not None and last > end):
        raise InvalidInput(
            f"The last position is {end}.", remedy="Give a range that ends there or before."
        )
    if last is not None and last < first:
        raise InvalidInput(f"The range is not valid: position {first} lies after {last}.")
    return first, end if last is None else last


def replay(ledger: Ledger, first: int = 1, last: int | None = None) -> Iterator[Replayed]:
    """Each entry from one position to another, both included. Raises InvalidInput as `span`.

    An event that arrived late, or an attempt that was refused, changes no answer, and says so.
    """
    first, last = span(ledger, first, last)
    return _replayed(ledger, ledger.history(first, last))


def _replayed(ledger: Ledger, entries: Iterator[Recorded]) -> Iterator[Replayed]:
    effects = Effects(ledger.stream)
    while page := list(islice(entries, PAGE)):
        names = ledger.names(sorted({each for entry in page for each in subjects_of(entry)}))
        for entry in page:
            yield Replayed(entry, actor_of(entry, names), sentence(entry, names), effects.of(entry))
