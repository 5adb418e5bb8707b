"""Cells: an account's facts, folded only as far as a question or a new fact needs it.

learn(facts)      takes what was appended; folds nothing
changes()         the spans that are new or different since the last call
of_agency(name)   the spans of all agencies that ever had the name
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span


class Change(NamedTuple):
    """One span that new facts changed: as it was, and as it is. None: there was, or is, none."""

    before: Span | None
    after: Span | None


class Cells:
    """The facts of one account, and the spans that they come to."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._facts: list[Fact] = []
        self._spans: list[Span] = []
        self._shown: dict[tuple[datetime | str | None, ...], Span] = {}
        self._dirty = False

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take facts, in any order of their times."""
        self._facts.extend(facts)
        self._dirty = True

    def changes(self) -> list[Change]:
        """The spans that differ from those at the last call."""
        after = {(*span.key, span.valid_from): span for span in self.everything()}
        before, self._shown = self._shown, after
        return [
            Change(before.get(key), after.get(key))
            for key in dict.fromkeys((*before, *after))
            if before.get(key) != after.get(key)
        ]

    def of_agency(self, name: str) -> list[Span]:
        """The spans of all agencies that ever had a name: lives, trusts, expiries, permissions."""
        return self._of("agency", name, ("agency", "trust", "expiry", "permission"))

    def of_policy(self, name: str) -> list[Span]:
        """The spans of all policies that ever had a name."""
        return self._of("policy", name, ("policy",))

    def under_policy(self, name: str) -> list[Span]:
        """The spans of all permissions under the policies that ever had a name."""
        things = {span.thing for span in self.of_policy(name)}
        return [
            span
            for span in self.everything()
            if span.subject == "permission" and (span.policy == name or span.policy_id in things)
        ]

    def everything(self) -> list[Span]:
        """All spans of the account."""
        if self._dirty:
            self._spans, self._dirty = derive(self._facts, self._rules), False
        return self._spans

    def _of(self, subject: str, name: str, shown: tuple[str, ...]) -> list[Span]:
        slot = self._rules.slot(name)
        spans = self.everything()
        things = {
            span.thing
            for span in spans
            if span.subject == subject and span.name and self._rules.slot(span.name) == slot
        }
        return [span for span in spans if span.subject in shown and span.thing in things]
