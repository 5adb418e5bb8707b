"""Recalls an account's earlier facts by handles, as far as new facts bear on what they came to.

new fact        agency "ci" is granted policy "etl"
recalled        the facts of "ci"; the calls on each policy and project that these name; if there
                are any, all grants and revocations under it, which prove it

Recalled facts are folded before the new ones, so that the new ones show a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ledger.account.truth.agency_cell import AgencyCell
from ledger.account.truth.definition_cell import DefinitionCell
from ledger.account.truth.definitions import Defined, handles_in
from ledger.account.truth.derive import is_usable
from ledger.account.truth.fact import Fact, Kind
from ledger.account.truth.groups import Group, Groups
from ledger.account.truth.handles import Handle, Recall, Use
from ledger.account.truth.rules import Rules
from ledger.account.truth.trustees import words_in

_USES: Final[dict[Defined, Use]] = {"policy": "use of policy", "project": "use of project"}
_NAMES: Final[dict[Defined, Use]] = {"policy": "name of policy", "project": "name of project"}


class Recalled(NamedTuple):
    """Earlier facts of policies or projects: their own, and those of agencies that use them."""

    own: list[Fact]
    uses: list[Fact]


class Memory:
    """The facts that were recalled of one account."""

    def __init__(self, recall: Recall, rules: Rules) -> None:
        self._recall, self._rules = recall, rules
        self.first: int | None = None
        """The position of the first fact that was learned. All earlier ones can be recalled."""
        self._asked: set[Handle] = set()
        self._known: dict[tuple[str, bool], set[int]] = defaultdict(set)
        """The positions of the facts that were recalled: of a kind, and of its uses."""

    def of_agencies(
        self, groups: Groups[AgencyCell], cells: Iterable[AgencyCell]
    ) -> dict[AgencyCell, list[Fact]]:
        """The earlier facts of agencies that were not recalled yet, by cell."""
        found: list[Fact] = []
        wanted = list(cells)
        while facts := self._new("agency", self._ask(wanted, "agency")):
            found += facts
            wanted = [groups.of(fact.id, fact.name) for fact in facts]
        by_cell: dict[AgencyCell, list[Fact]] = defaultdict(list)
        for fact in found:
            by_cell[groups.of(fact.id, fact.name)].append(fact)
        return by_cell

    def of_definitions(
        self, kind: Defined, groups: Groups[DefinitionCell], cells: Iterable[DefinitionCell]
    ) -> dict[DefinitionCell, Recalled]:
        """The earlier facts of policies or projects that were not recalled yet, by cell."""
        found: list[Fact] = []
        wanted = list(cells)
        reached = dict.fromkeys(wanted)
        while facts := self._new(kind, self._ask(wanted, kind, _NAMES[kind])):
            found += facts
            wanted = [groups.of(*_handles(kind, fact)) for fact in facts]
            reached |= dict.fromkeys(wanted)
        own = {groups.of(fact.id, fact.name) for fact in found if fact.kind == kind}
        proven = [
            cell for cell in reached if cell in own or cell.own or cell.new_own or cell.is_contested
        ]
        found += [use for cell in proven for use in self.of_users(cell)]
        by_cell: dict[DefinitionCell, Recalled] = defaultdict(lambda: Recalled([], []))
        for fact in found:
            recalled = by_cell[groups.of(*_handles(kind, fact))]
            (recalled.own if fact.kind == kind else recalled.uses).append(fact)
        return by_cell

    def of_users(self, cell: DefinitionCell) -> list[Fact]:
        """The earlier grants and revocations under policies that were not recalled yet."""
        return self._new(cell.kind, self._ask([cell], _USES[cell.kind]))

    def of_trustees(self, words: Iterable[str]) -> list[Fact]:
        """The earlier facts that tell id and name of trusted accounts, if not recalled yet."""
        found: list[Fact] = []
        wanted = set(words)
        while facts := self._earlier({("name of trustee", word) for word in wanted}):
            found += facts
            wanted = {word for fact in facts for word in words_in(fact)}
        return found

    def trusting(self, words: Iterable[str]) -> list[Fact]:
        """The earlier facts that tell one of these trustees, if not recalled yet."""
        return self._earlier({("trustee", word) for word in words})

    def _earlier(self, handles: set[Handle]) -> list[Fact]:
        return [
            fact
            for fact in self._recall_once(handles)
            if self.first is None or fact.position < self.first
        ]

    def _ask(self, cells: Iterable[Group], *kinds: Kind | Use) -> Iterable[Fact]:
        """Recall the facts of all handles of cells, unless they were recalled already."""
        handles: set[Handle] = {
            (kind, handle)
            for cell in cells
            for handle in cell.handles
            if handle.startswith("#") or handle == self._rules.slot(handle)
            for kind in kinds
        }
        return self._recall_once(handles)

    def _recall_once(self, handles: set[Handle]) -> Iterable[Fact]:
        handles = handles - self._asked
        self._asked |= handles
        return self._recall(handles) if handles else ()

    def _new(self, kind: Kind, facts: Iterable[Fact]) -> list[Fact]:
        """The facts that were learned before, and not recalled yet."""
        return list(self._unknown(kind, facts))

    def _unknown(self, kind: Kind, facts: Iterable[Fact]) -> Iterator[Fact]:
        for fact in facts:
            known = self._known[kind, fact.kind == kind]
            if fact.position in known or not is_usable(fact):
                continue
            if self.first is None or fact.position < self.first:
                known.add(fact.position)
                yield fact


def _handles(kind: Defined, fact: Fact) -> tuple[str | None, str | None]:
    return (fact.id, fact.name) if fact.kind == kind else handles_in(kind, fact)
