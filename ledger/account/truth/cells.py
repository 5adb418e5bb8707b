"""Cells: an account's facts, folded only as far as a question or a new fact needs it.

learn(facts)      takes what was appended; folds nothing
changes()         the spans that are new or different since the last call
of_agency(name)   the spans of all agencies that ever had the name, or have it as their id
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.handles import Handle, Recall, handles_of
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span


class Change(NamedTuple):
    """One span that new facts changed: as it was, and as it is. None: there was, or is, none."""

    before: Span | None
    after: Span | None


Shown = dict[tuple[datetime | str | None, ...], Span]
"""Spans by their key and `valid_from`, which together are unique."""


class Cells:
    """The facts of one account, and the spans that they come to."""

    def __init__(self, rules: Rules, recall: Recall | None = None) -> None:
        """`recall` returns earlier facts of the account by their handles, when they are needed.

        Without it, all facts come by `learn`. With it, only the new ones do: the spans before them
        are those of the facts that are recalled. Facts at or after the position of the first fact
        that was learned are ignored when they are recalled.
        """
        self._rules = rules
        self._recall = recall
        self._recalled: set[Handle] = set()
        self._first: int | None = None
        self._facts: dict[int, Fact] = {}
        self._new: dict[int, Fact] = {}
        self._spans: list[Span] = []
        self._shown: Shown = {}

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take facts, in the order of their positions, and in any order of their times.

        Positions order the facts of the account: positions of its entries, or the versions of its
        stream. A fact of which the position is known already changes nothing.
        """
        for fact in facts:
            self._first = fact.position if self._first is None else self._first
            self._new.setdefault(fact.position, fact)

    def changes(self) -> list[Change]:
        """The spans that differ from those at the last call.

        They are of things that received facts, or whose policies or projects did.
        """
        if self._recall is not None and self._remember(self._recall):
            self._shown = _shown(derive(self._facts.values(), self._rules))
        before, self._shown = self._shown, _shown(self.everything())
        after = self._shown
        return [
            Change(before.get(key), after.get(key))
            for key in dict.fromkeys((*before, *after))
            if before.get(key) != after.get(key)
        ]

    def of_agency(self, name: str) -> list[Span]:
        """The spans of all agencies that ever had a name: lives, trusts, expiries, permissions.

        Here and below, an id names the thing that has it.
        """
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
        """All spans of the facts that are known."""
        if self._new:
            self._facts |= {at: fact for at, fact in self._new.items() if at not in self._facts}
            self._new = {}
            self._spans = derive(self._facts.values(), self._rules)
        return self._spans

    def _of(self, subject: str, name: str, shown: tuple[str, ...]) -> list[Span]:
        slot = self._rules.slot(name)
        spans = self.everything()
        things = {
            span.thing
            for span in spans
            if span.subject == subject
            and (span.thing == name or (span.name and self._rules.slot(span.name) == slot))
        }
        return [span for span in spans if span.subject in shown and span.thing in things]

    def _remember(self, recall: Recall) -> bool:
        """Recall earlier facts that the new ones may bear on. Returns whether there are any."""
        known = len(self._facts)
        asked = self._wanted(self._new.values())
        while asked:
            self._recalled |= asked
            found = [fact for fact in recall(asked) if fact.position < (self._first or 0)]
            self._facts |= {fact.position: fact for fact in found}
            asked = self._wanted(found)
        return len(self._facts) > known

    def _wanted(self, facts: Iterable[Fact]) -> set[Handle]:
        handles = {handle for fact in facts for handle in handles_of(fact, self._rules)}
        return {also for handle in handles for also in _with_uses(handle)} - self._recalled


def _with_uses(handle: Handle) -> tuple[Handle, ...]:
    match handle:
        case ("policy" | "use of policy", name):
            return ("policy", name), ("use of policy", name)
        case ("project" | "use of project", name):
            return ("project", name), ("use of project", name)
        case _:
            return (handle,)


def _shown(spans: Iterable[Span]) -> Shown:
    return {(*span.key, span.valid_from): span for span in spans}
