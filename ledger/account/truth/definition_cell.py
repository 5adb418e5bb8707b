"""One cell of policies, or of projects: their own facts, their uses, and what these come to."""

from __future__ import annotations

from datetime import datetime

from ledger.account.truth.changes import Change, composed, differences
from ledger.account.truth.define import Proofs, define
from ledger.account.truth.definitions import Defined, Definitions, handles_in
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span


class DefinitionCell:
    """The policies, or projects, of which facts share handles."""

    __slots__ = (
        "_proofs",
        "_seen",
        "_stated",
        "changes",
        "folded",
        "handles",
        "has_own",
        "is_contested",
        "is_stale",
        "kind",
        "new_own",
        "new_uses",
        "own",
        "tellings",
        "uses",
    )

    def __init__(self, kind: Defined) -> None:
        self.kind: Defined = kind
        self.handles: list[str] = []
        self.own: list[Fact] = []
        self.new_own: list[Fact] = []
        """The calls on it itself that were not folded."""
        self.has_own = False
        """Whether there are calls on it itself: then its uses may prove something."""
        self.is_contested = False
        """Whether several things may have had one name: then its uses may prove which had it."""
        self.uses: list[Fact] = []
        """Grants and revocations by agencies."""
        self.new_uses: list[Fact] = []
        self.tellings: list[Fact] = []
        """The uses that told a name beside an id: at least the first of each two."""
        self._stated: dict[tuple[str, str], datetime] = {}
        """When each name was first told beside each id."""
        self.is_stale = False
        """Whether what was folded last lacks a call of its own, or a name."""
        self.folded: list[Definitions] = []
        """Those that were folded last: several where cells became one, none at first."""
        self._proofs: Proofs | None = None
        self.changes: list[Change] = []
        """The changes since the last report, by the facts that were folded."""
        self._seen = False
        """Whether the spans were reported, so that the next report says what differs."""

    def absorb(self, other: DefinitionCell) -> None:
        """Take over the facts of a cell with which this one turned out to share a handle."""
        self.own += other.own
        self.new_own += other.new_own
        self.has_own |= other.has_own
        ids = {each for each in (*self.handles, *other.handles) if each.startswith("#")}
        self.is_contested = len(ids) > 1
        self.uses += other.uses
        self.new_uses += other.new_uses
        self.tellings += other.tellings
        self._stated |= other._stated
        self.folded += other.folded
        self.changes += other.changes
        self._seen |= other._seen
        self.is_stale = True

    # -- facts ------------------------------------------------------------------------------------

    def learn_own(self, fact: Fact) -> None:
        """Take a call on the policy or project itself."""
        self.new_own.append(fact)
        self.has_own = self.is_stale = True

    def learn_use(self, identity: str | None, name: str | None, fact: Fact) -> bool:
        """Take a grant or a revocation. Returns whether the cell may have to be folded anew."""
        if identity is not None and name is not None:
            first = self._stated.get((identity, name))
            if first is None or fact.at <= first:
                self._stated[identity, name] = fact.at
                self.tellings.append(fact)
                self.is_stale = True
        if self._repeats(fact):
            self.uses.append(fact)
            return False
        self.new_uses.append(fact)
        return self.is_stale or self.is_provable

    @property
    def is_provable(self) -> bool:
        """Whether uses may prove something."""
        return self.has_own or self.is_contested

    def _repeats(self, use: Fact) -> bool:
        """Whether what was folded last is known to be proven by a use already."""
        if self._proofs is None or self.is_stale or self.new_uses:
            return False
        return not self._proofs.prove(use)

    def remember(self, own: list[Fact], uses: list[Fact], rules: Rules) -> Definitions | None:
        """Take earlier facts, of which the spans were reported. Returns what they define."""
        self._seen = True
        self.own += own
        self.has_own |= bool(own)
        self.uses += uses
        tellings = [use for use in uses if all(handles_in(self.kind, use))]
        self.tellings += tellings
        if not own and not tellings:
            return None
        self.folded.append(define(self.kind, own, tellings, uses, rules))
        return self.folded[-1]

    # -- folding ----------------------------------------------------------------------------------

    def redefined(self, rules: Rules) -> Definitions | None:
        """The definitions with what was learned; None if nothing of it is news."""
        stale = self.is_stale or (self.is_provable and self._is_proven(rules))
        self.own += self.new_own
        self.uses += self.new_uses
        self.new_own, self.new_uses, self.is_stale = [], [], False
        return define(self.kind, self.own, self.tellings, self.uses, rules) if stale else None

    def _is_proven(self, rules: Rules) -> bool:
        """Whether any new use proves what was not known."""
        if self._proofs is None:
            self._proofs = Proofs(self.folded[0], rules)
        return any(self._proofs.prove(use) for use in self.new_uses)

    def adopt(self, definitions: Definitions) -> None:
        """Let new definitions stand instead of those that were folded last."""
        if self._seen:
            changes = differences(self.spans(), definitions.spans())
            self.changes = composed(self.changes, changes)
        self.folded, self._proofs = [definitions], None

    def means(self, definitions: Definitions) -> bool:
        """Whether permissions come to the same under what was folded last as under others."""
        return len(self.folded) == 1 and self.folded[0].meaning() == definitions.meaning()

    # -- answers ----------------------------------------------------------------------------------

    def report(self) -> list[Change]:
        """The changes since the last report."""
        if not self._seen:
            self._seen = True
            return [Change(None, span) for span in self.spans()]
        changes, self.changes = self.changes, []
        return changes

    def spans(self) -> list[Span]:
        """All spans."""
        return [span for definitions in self.folded for span in definitions.spans()]
