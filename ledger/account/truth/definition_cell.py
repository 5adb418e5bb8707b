"""One cell of policies, or of projects: their own facts, their uses, and what these come to."""

from __future__ import annotations

from ledger.account.truth.changes import Change, composed, differences
from ledger.account.truth.define import Proofs, define
from ledger.account.truth.definitions import Defined, Definitions, telling_in
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span


class DefinitionCell:
    """The policies, or projects, of which facts share handles."""

    __slots__ = (
        "changes",
        "folded",
        "handles",
        "is_defined",
        "kind",
        "new_own",
        "new_uses",
        "own",
        "proofs",
        "seen",
        "uses",
    )

    def __init__(self, kind: Defined) -> None:
        self.kind: Defined = kind
        self.handles: list[str] = []
        self.own: list[Fact] = []
        self.uses: list[Fact] = []
        """Grants and revocations by agencies."""
        self.new_own: list[Fact] = []
        self.new_uses: list[Fact] = []
        """Those that were not folded. Without a definition, all are new."""
        self.is_defined = False
        """Whether any fact says more than that agencies use it."""
        self.folded: list[Definitions] = []
        """What was folded last. Several where cells became one, none before the first time."""
        self.proofs: Proofs | None = None
        self.changes: list[Change] = []
        """What differs since the last report, of the facts that were folded."""
        self.seen = False
        """Whether the spans were reported, so that the next report says what differs."""

    def absorb(self, other: DefinitionCell) -> None:
        """Take over the facts of a cell with which this one turned out to share a handle."""
        self.own += other.own
        self.uses += other.uses
        self.new_own += other.new_own
        self.new_uses += other.new_uses
        self.folded += other.folded
        self.changes += other.changes
        self.is_defined |= other.is_defined
        self.seen |= other.seen
        other.is_defined, other.folded, other.changes = False, [], []

    def redefined(self, rules: Rules) -> Definitions | None:
        """The definitions with what was learned; None if that changes nothing."""
        stale = len(self.folded) != 1 or bool(self.new_own) or self._is_news()
        self.own += self.new_own
        self.uses += self.new_uses
        self.new_own, self.new_uses = [], []
        return define(self.kind, self.own, self.uses, rules) if stale and self.is_defined else None

    def remember(self, own: list[Fact], uses: list[Fact], rules: Rules) -> Definitions | None:
        """Take earlier facts, of which the spans were reported. Returns what they define."""
        self.seen = True
        self.own += own
        self.uses += uses
        if not own and not any(telling_in(self.kind, use) for use in uses):
            return None
        self.is_defined = True
        definitions = define(self.kind, own, uses, rules)
        self.folded.append(definitions)
        self.proofs = Proofs(definitions, rules)
        return definitions

    def _is_news(self) -> bool:
        """Whether the new uses tell a name, or prove anything."""
        names = self.folded[0].names
        for use in self.new_uses:
            telling = telling_in(self.kind, use)
            if telling is not None and names.are_changed_by(telling):
                return True
            if self.own and self.proofs is not None and self.proofs.prove(use):
                return True
        return False

    def replace(self, definitions: Definitions, rules: Rules) -> None:
        """Let new definitions stand instead of those that were folded last."""
        if self.seen:
            changes = differences(self.spans(), definitions.spans())
            self.changes = composed(self.changes, changes)
        self.folded = [definitions]
        self.proofs = Proofs(definitions, rules)

    def means(self, definitions: Definitions) -> bool:
        """Whether permissions come to the same under what was folded last as under others."""
        return len(self.folded) == 1 and self.folded[0].meaning() == definitions.meaning()

    def report(self) -> list[Change]:
        """What differs since the last report."""
        if not self.seen:
            self.seen = True
            return [Change(None, span) for span in self.spans()]
        changes, self.changes = self.changes, []
        return changes

    def spans(self) -> list[Span]:
        """All spans."""
        return [span for definitions in self.folded for span in definitions.spans()]
