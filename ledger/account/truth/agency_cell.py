"""One cell of agencies: its facts, and what they come to, folded when it is asked or compared."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from ledger.account.truth.changes import Change, composed, differences
from ledger.account.truth.fact import Fact
from ledger.account.truth.held import Held
from ledger.account.truth.keys import Keys
from ledger.account.truth.live import Live
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span


def place(fact: Fact) -> tuple[datetime, int]:
    """The place of a fact among others: by time, and then by position."""
    return fact.at, fact.position


def _instants(facts: Sequence[Fact]) -> list[list[Fact]]:
    """Facts by instant, sorted by time."""
    ordered = sorted(facts, key=place)
    return [list(group) for _, group in groupby(ordered, key=attrgetter("at"))]


class AgencyCell:
    """The agencies of which facts share handles."""

    __slots__ = (
        "_before",
        "_held",
        "_live",
        "changes",
        "facts",
        "handles",
        "new",
        "seen",
    )

    def __init__(self) -> None:
        self.handles: list[str] = []
        self.facts: list[Fact] = []
        """The facts that were folded, sorted by time."""
        self.new: list[Fact] = []
        """Those that were not."""
        self.seen = False
        """Whether the spans were reported, so that the next report says what differs."""
        self.changes: list[Change] = []
        """The changes since the last report, by the facts that were folded."""
        self._live: Live | None = None
        self._before: list[Span] = []
        """The spans as they were before the cell was set aside."""
        self._held: Held | None = None

    def absorb(self, other: AgencyCell) -> None:
        """Take over the facts of a cell with which this one turned out to share a handle."""
        self.set_aside()
        other.set_aside()
        self.facts = sorted([*self.facts, *other.facts], key=place)
        self.new += other.new
        self.changes += other.changes
        self._before += other._before
        self.seen |= other.seen
        other.new = []

    def set_aside(self) -> None:
        """Give up what was folded: what it depends on is about to change."""
        if self._live is not None and self.seen:
            self._before = list(self._live.spans())
        self._live, self._held = None, None

    def bring_up_to_date(self, keys: Keys, rules: Rules) -> None:
        """Fold what was learned. The policies and projects have to be up to date."""
        new, live = self.new, self._live
        if live is not None and not new:
            return
        self.new = []
        if live is None or len(new) > len(self.facts):
            self._fold(new, keys, rules)
            return
        left = [new] if len(new) == 1 else _instants(new)
        while left:
            changes = live.take(left[0], self.facts)
            if changes is None:
                self._fold([fact for instant in left for fact in instant], keys, rules)
                return
            self._keep(left.pop(0))
            if changes:
                self._note(changes)

    def take_use(self, use: Fact) -> bool:
        """Take a use, if what was folded says already that the agency existed then."""
        if self._live is None or self.new or not self._live.take_use(use):
            return False
        self._keep((use,))
        return True

    def take_change(self, change: Fact) -> bool:
        """Take a grant or a revocation that needs no search; otherwise it is not taken."""
        if self._live is None or self.new:
            return False
        changes = self._live.take_change(change)
        if changes is None:
            return False
        self._keep((change,))
        if changes:
            self._note(changes)
        return True

    def _note(self, changes: list[Change]) -> None:
        if self._held is not None and not self._held.take(changes):
            self._held = None
        if self.seen:
            self.changes = composed(self.changes, changes)

    def _keep(self, instant: Sequence[Fact]) -> None:
        known = self.facts
        for fact in instant:
            if not known or fact.at > known[-1].at or place(fact) > place(known[-1]):
                known.append(fact)
            else:
                insort(known, fact, key=place)

    def _fold(self, new: Sequence[Fact], keys: Keys, rules: Rules) -> None:
        """Fold all facts anew, the new ones too."""
        self.set_aside()
        if new:
            self.facts = sorted([*self.facts, *new], key=place)
        self._live = Live(self.facts, keys, rules)
        if self.seen:
            changes = differences(self._before, self._live.spans())
            self.changes = composed(self.changes, changes)
        self._before = []

    def remember(self, facts: Sequence[Fact], keys: Keys, rules: Rules) -> None:
        """Take earlier facts, of which the spans were reported. They were folded by themselves."""
        self.seen = True
        earlier = Live(sorted(facts, key=place), keys, rules)
        if self._live is None and not self.facts:
            self._live = earlier
        else:
            self.set_aside()
            self._before += earlier.spans()
        self.facts = sorted([*self.facts, *facts], key=place)

    def report(self) -> list[Change]:
        """The changes since the last report. The cell has to be up to date."""
        if not self.seen:
            assert self._live is not None, "a cell is folded before it is reported"
            self.seen = True
            return [Change(None, span) for span in self._live.spans()]
        changes, self.changes = self.changes, []
        return changes

    def held(self) -> Held:
        """All spans. The cell has to be up to date."""
        if self._held is None:
            assert self._live is not None, "a cell is folded before it is asked"
            self._held = Held(self._live.spans())
        return self._held
