"""An account that is followed event by event: each question costs as much as its answer.

The spans that hold at the end of the facts are indexed, and each event brings the index up to date
by the changes that it made. `Account` instead asks for all spans that the agency ever had of such
permissions, which is faster for one question, and grows with these spans for each further event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from ledger.account.questions import Account
from ledger.account.state import State
from ledger.account.truth.rules import Rules, rules_of
from ledger.account.truth.spans import Span, Subject

Handle = tuple[str, str, str | None]
"""A subject, a name or an id of its agency or policy, and the service of a permission."""


class Followed:
    """The state of an account, and an index of the spans that hold after its last event."""

    def __init__(self, state: State) -> None:
        self.state, self._rules = state, rules_of(state.provider)
        self._spans: dict[Handle, dict[object, Span]] = defaultdict(dict)

    def account(self, at: datetime) -> Account:
        """The account at an instant, which lies before none of its facts."""
        for before, after in self.state.cells.changes():
            if before is not None:
                self._forget(before)
            if after is not None and (after.until_at is None or after.expires):
                self._learn(after)
        return _Followed(self.state, at, self)

    def spans(self, subject: Subject, name: str, service: str | None = None) -> Iterable[Span]:
        """The spans of a subject whose agency or policy has the name, or has it as its id."""
        named = self._spans.get((subject, self._rules.slot(name), service))
        known = self._spans.get((subject, f"#{name}", service))
        return {**(named or {}), **(known or {})}.values()

    def _learn(self, span: Span) -> None:
        for handle in _handles(span, self._rules):
            self._spans[handle][_place(span)] = span

    def _forget(self, span: Span) -> None:
        for handle in _handles(span, self._rules):
            self._spans[handle].pop(_place(span), None)


class _Followed(Account):
    """Asks the index."""

    def __init__(self, state: State, at: datetime, followed: Followed) -> None:
        super().__init__(state, at)
        self._index = followed

    def _lives(self, subject: Subject, name: str) -> list[Span]:
        return [span for span in self._index.spans(subject, name) if self._holds(span)]

    def _permissions(self, agency: str, service: str | None) -> Iterable[Span]:
        spans = self._index.spans("permission", agency, service)
        return [span for span in spans if self._holds(span)]


def _place(span: Span) -> object:
    return span.key, span.valid_from


def _handles(span: Span, rules: Rules) -> Iterator[Handle]:
    service = span.service if span.subject == "permission" else None
    yield span.subject, f"#{span.thing}", service
    if span.name is not None:
        yield span.subject, rules.slot(span.name), service
