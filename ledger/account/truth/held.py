"""The spans of one cell, by what is asked of them.

AROA1 "ci"    its life, trust, expiry                  a few spans
              permissions, by service                  perhaps a hundred thousand
              those of them that a fact has ended      perhaps many more

They take changes: after one, a question costs no more than before it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from ledger.account.truth.changes import Change
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span, Subject


class Part(NamedTuple):
    """Spans that are asked of together. `service`: None but for permissions to use one."""

    subject: Subject
    service: str | None
    lasts: bool
    """Whether no fact ended them: they hold at the end of the facts, unless they expire."""


Wanted = Callable[[Part], bool]


class Held:
    """All spans of a cell."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._by_thing: dict[str, dict[Part, dict[tuple[object, ...], Span]]] = {}
        self._answers: dict[tuple[str, Wanted], tuple[Span, ...]] = {}
        """The answers of `answer`, until a change."""
        for span in spans:
            self._put(span)

    def __iter__(self) -> Iterator[Span]:
        """All spans."""
        return iter(self._of(self._by_thing, lambda _: True))

    def take(self, changes: Iterable[Change]) -> bool:
        """Take changes. Returns False, and takes none, if they are of more than permissions."""
        found = list(changes)
        if any(span and span.subject != "permission" for change in found for span in change):
            return False
        self._answers.clear()
        for before, after in found:
            if before is not None:
                del self._by_thing[before.thing][_part(before)][before[:9]]
            if after is not None:
                self._put(after)
        return True

    def answer(self, name: str, is_wanted: Wanted, rules: Rules) -> tuple[Span, ...]:
        """As `of`, but kept until a change: most commands ask the same of cells that stand.

        `is_wanted` must be the same function whenever the same is asked.
        """
        known = self._answers.get((name, is_wanted))
        if known is None:
            known = self._answers[name, is_wanted] = tuple(self.of(name, is_wanted, rules))
        return known

    def of(self, name: str, is_wanted: Wanted, rules: Rules) -> list[Span]:
        """The spans of the agencies that ever had a name, or have it as their id, of the parts that
        are wanted.
        """
        return self._of(self._called(name, rules), is_wanted)

    def _called(self, name: str, rules: Rules) -> list[str]:
        slot = rules.slot(name)
        return [
            thing
            for thing, parts in self._by_thing.items()
            if thing == name
            or any(
                span.name is not None and rules.slot(span.name) == slot
                for part, spans in parts.items()
                if part.subject == "agency"
                for span in spans.values()
            )
        ]

    def _of(self, things: Collection[str], is_wanted: Wanted) -> list[Span]:
        found: list[Span] = []
        for thing in things:
            for part, spans in self._by_thing[thing].items():
                if is_wanted(part):
                    found += spans.values()
        return found

    def _put(self, span: Span) -> None:
        parts = self._by_thing.setdefault(span[1], {})
        parts.setdefault(_part(span), {})[span[:9]] = span


def _part(span: Span) -> Part:
    return Part(span.subject, span.service, span.until_at is None or span.expires)
