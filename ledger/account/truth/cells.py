"""Cells: an account's facts, folded only as far as a question or a new fact needs it.

learn(facts)      takes what was appended; folds nothing
changes()         the spans that are new or different since the last call
of_agency(name)   the spans of all agencies that ever had the name, or have it as their id
lives_of(name)    the same without permissions

A cell is the facts that share handles. Cells of agencies ask the cells of the policies and projects
that they use; if one of these comes to mean something else, they are folded anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ledger.account.truth.agency_cell import AgencyCell
from ledger.account.truth.changes import Change
from ledger.account.truth.definition_cell import DefinitionCell
from ledger.account.truth.definitions import DEFINED, Defined, Definitions, handles_in
from ledger.account.truth.derive import is_usable
from ledger.account.truth.fact import CHANGES, Fact
from ledger.account.truth.groups import Groups
from ledger.account.truth.handles import ALL_REGIONS, Recall, id_handle, tells_both
from ledger.account.truth.held import Held, Part, Wanted
from ledger.account.truth.keys import Keys
from ledger.account.truth.recalling import Memory
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span
from ledger.account.truth.trustees import Trustees, words_in


class Cells:
    """The facts of one account, and the spans that they come to."""

    def __init__(self, rules: Rules, recall: Recall | None = None) -> None:
        """`recall` returns earlier facts of the account by their handles, when they are needed.

        Without it, all facts come by `learn`. With it, only the new ones do: the spans before them
        are those of the facts that are recalled. Facts at or after the position of the first fact
        that was learned are ignored when they are recalled.
        """
        self._rules = rules
        self._agencies = Groups(AgencyCell, rules)
        self._definitions: Mapping[Defined, Groups[DefinitionCell]] = {
            "policy": Groups(lambda: DefinitionCell("policy"), rules),
            "project": Groups(lambda: DefinitionCell("project"), rules),
        }
        self._found: Mapping[Defined, dict[str, Definitions]] = {"policy": {}, "project": {}}
        """The definitions by handle, and by the keys of their things."""
        self._trustees = Trustees()
        self._keys = Keys(
            self._found["policy"].get, self._found["project"].get, self._trustees, rules
        )
        self._touched: dict[AgencyCell, None] = {}
        """The cells that may have something to report."""
        self._undefined: dict[DefinitionCell, None] = {}
        """The cells that may have to be defined anew."""
        self._redefined: dict[DefinitionCell, None] = {}
        """The cells that may have something to report."""
        self._memory = Memory(recall, rules) if recall is not None else None
        self._has_folded = recall is not None
        """Whether any agencies were folded, so that they can be out of date."""

    # -- facts ------------------------------------------------------------------------------------

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take facts, each once, in the order of their positions and in any order of their times.

        Positions order the facts of the account: positions of its entries, or the versions of its
        stream.
        """
        by_handle, touched = self._agencies.by_handle, self._touched
        for fact in facts:
            if self._memory is not None and self._memory.first is None:
                self._memory.first = fact.position
            if fact.consequence_of is not None and not is_usable(fact):
                continue
            if fact.kind != "agency":
                self._learn_own(fact.kind, fact)
                continue
            name = fact.name
            cell = by_handle.get(name) if fact.id is None and name is not None else None
            if fact.call == "evidence" and self._proves_nothing(fact, cell):
                continue
            if cell is None:
                cell = self._agencies.of(fact.id, name)
            touched[cell] = None
            if fact.call in CHANGES:
                self._learn_use("policy", fact.policy_id, fact.policy, fact)
                if fact.region != ALL_REGIONS or fact.project_id is not None:
                    self._learn_use("project", *handles_in("project", fact), fact)
                if self._is_defined and cell.take_change(fact):
                    continue
            else:
                self._learn_names(fact)
            cell.new.append(fact)

    @property
    def _is_defined(self) -> bool:
        """Whether it is known what all names of policies and projects mean."""
        return not self._undefined and self._memory is None

    def _proves_nothing(self, fact: Fact, cell: AgencyCell | None) -> bool:
        """Take a use that says only what is folded already: most facts are such uses.

        `cell`: that of the fact's name, if it tells no id.
        """
        if fact.id is not None:
            cell = self._agencies.by_handle.get(id_handle(fact.id))
        if cell is None or fact.policy_id is not None or fact.project_id is not None:
            return False
        return cell.take_use(fact)

    def _learn_own(self, kind: Defined, fact: Fact) -> None:
        cell = self._definitions[kind].of(fact.id, fact.name)
        cell.learn_own(fact)
        self._undefined[cell] = None

    def _learn_names(self, fact: Fact) -> None:
        """Learn the names that a fact tells beside ids of a trustee, a policy or a project."""
        if fact.trustee is not None:
            self._trustees.learn(fact)
        for kind in DEFINED if fact.policy_id or fact.project_id else ():
            if tells_both(*handles_in(kind, fact)):
                self._learn_use(kind, *handles_in(kind, fact), fact)

    def _learn_use(self, kind: Defined, identity: str | None, name: str | None, fact: Fact) -> None:
        if identity is None and name is None:
            return
        cell = None
        if identity is None:
            cell = self._definitions[kind].by_handle.get(name or "")
        if cell is None:
            cell = self._definitions[kind].of(identity, name)
        if cell.learn_use(identity, name, fact):
            self._undefined[cell] = None

    # -- answers ----------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """The spans that differ from those at the last call.

        They are of things that received facts, or whose policies or projects came to mean
        something else.
        """
        if not (self._touched or self._undefined or self._redefined or self._trustees.new):
            return []
        self._bring(self._touched)
        found: list[Change] = []
        for cells in (self._touched, self._redefined):
            for cell in cells:
                if cell.handles:
                    found += cell.report()
            cells.clear()
        return found

    def of_agency(self, name: str) -> list[Span]:
        """The spans of all agencies that ever had a name: lives, trusts, expiries, permissions.

        Here and below, an id names the thing that has it.
        """
        return self._spans_of(name, lambda _: True)

    def lives_of(self, name: str) -> Sequence[Span]:
        """All of them but permissions, of which there may be very many."""
        return self._answer(name, _is_life)

    def permissions_of(self, name: str) -> list[Span]:
        """Those of them that are permissions."""
        return self._spans_of(name, lambda part: part.subject == "permission")

    def lasting_permissions_of(
        self, name: str, is_wanted: Callable[[str | None], bool] | None = None
    ) -> Sequence[Span]:
        """Permissions that no fact has ended; of services that are wanted (None: no service)."""
        if is_wanted is None:
            return self._answer(name, _is_lasting)
        return self._spans_of(name, lambda part: _is_lasting(part) and is_wanted(part.service))

    def _spans_of(self, name: str, is_wanted: Wanted) -> list[Span]:
        held = self._held(name)
        return [] if held is None else held.of(name, is_wanted, self._rules)

    def _answer(self, name: str, is_wanted: Wanted) -> Sequence[Span]:
        held = self._held(name)
        return () if held is None else held.answer(name, is_wanted, self._rules)

    def _held(self, name: str) -> Held | None:
        """The spans of the cell with a name, or with an id; None if no fact tells of it."""
        cell = self._agencies.get(name) or self._agencies.get(id_handle(name))
        if cell is None:
            return None
        self._bring([cell])
        return cell.held()

    def ids_of_agency(self, name: str) -> list[str]:
        """The ids that facts tell of agencies which ever had a name, or share an id with it."""
        cell = self._agencies.get(name) or self._agencies.get(id_handle(name))
        marked = cell.handles if cell is not None else ()
        return [handle[1:] for handle in marked if handle.startswith("#")]

    def of_policy(self, name: str) -> list[Span]:
        """The spans of all policies that ever had a name; none if only grants name it."""
        policies = self._definitions["policy"]
        cell = policies.get(name) or policies.get(id_handle(name))
        if cell is None:
            return []
        self._bring([])
        things = {span.thing for span in cell.spans() if self._is_called(span, name)}
        return [span for span in cell.spans() if span.thing in things]

    def under_policy(self, name: str) -> list[Span]:
        """The spans of all permissions under the policies that ever had a name."""
        policies = self._definitions["policy"]
        cell = policies.get(name) or policies.get(id_handle(name))
        if cell is None:
            return []
        things = {name, *(span.thing for span in self.of_policy(name))}
        agencies = self._users(cell)
        self._bring(agencies)
        slot = self._rules.slot(name)
        return [
            span
            for agency in agencies
            for span in agency.held()
            if span.subject == "permission"
            and (span.policy_id in things or self._rules.slot(span.policy or "") == slot)
        ]

    def everything(self) -> list[Span]:
        """All spans of the facts that are known."""
        agencies = list(self._agencies)
        self._bring(agencies)
        found = [span for cell in agencies for span in cell.held()]
        for groups in self._definitions.values():
            found += [span for cell in groups for span in cell.spans()]
        return found

    def _is_called(self, span: Span, name: str) -> bool:
        named = span.name is not None and self._rules.slot(span.name) == self._rules.slot(name)
        return named or span.thing == name

    # -- folding ----------------------------------------------------------------------------------

    def _bring(self, cells: Iterable[AgencyCell]) -> None:
        """Bring cells of agencies up to date, and before them all policies and projects."""
        if self._memory is not None:
            self._remember(self._memory, cells)
        if self._trustees.new:
            self._join_trustees()
        while self._undefined:
            self._define()
        for cell in cells:
            if cell.handles:
                self._has_folded = True
                cell.bring_up_to_date(self._keys, self._rules)

    def _join_trustees(self) -> None:
        """Let count what was learned of trusted accounts, and set those aside who trust them."""
        new, trustees = self._trustees.new, self._trustees
        if self._memory is not None:
            trustees.know(self._memory.of_trustees(word for one in new for word in words_in(one)))
        words = dict.fromkeys(word for one in new for word in trustees.joined_by(one))
        trusting = [agency for word in words for agency in trustees.users(word)]
        if self._memory is not None and words:
            trusting += [(fact.id, fact.name) for fact in self._memory.trusting(words)]
            self._remember(self._memory, [self._agencies.of(*agency) for agency in trusting])
        for cell in dict.fromkeys(self._agencies.of(*agency) for agency in trusting):
            cell.set_aside()
            self._touched[cell] = None
        trustees.know(new)
        trustees.new = []

    def _define(self) -> None:
        """Define anew what was learned of policies and projects, and set their users aside."""
        pending = [cell for cell in self._undefined if cell.handles]
        self._undefined.clear()
        found = [(cell, new) for cell in pending if (new := cell.redefined(self._rules))]
        if not found:
            return
        changed = [cell for cell, new in found if not cell.means(new)] if self._has_folded else []
        if self._memory is not None:
            for cell in changed:
                cell.uses += self._memory.of_users(cell)
            self._remember(self._memory, [user for cell in changed for user in self._users(cell)])
        for agency in {user for cell in changed for user in self._users(cell)}:
            agency.set_aside()
            self._touched[agency] = None
        for cell, new in found:
            cell.adopt(new)
            self._register(cell, new)
        self._keys.forget()

    def _register(self, cell: DefinitionCell, definitions: Definitions) -> None:
        self._redefined[cell] = None
        self._found[cell.kind].update(dict.fromkeys(definitions.keys(), definitions))

    def _users(self, cell: DefinitionCell) -> list[AgencyCell]:
        """The cells of the agencies that use a policy or a project."""
        uses = (*cell.uses, *cell.new_uses)
        return list(dict.fromkeys(self._agencies.of(use.id, use.name) for use in uses))

    def _remember(self, memory: Memory, agencies: Iterable[AgencyCell]) -> None:
        """Recall and fold what came before the facts that were learned."""
        cells = [cell for cell in agencies if cell.handles]
        facts = [fact for cell in cells for fact in cell.new]
        recalled = memory.of_agencies(self._agencies, cells)
        facts += [fact for each in recalled.values() for fact in each]
        for kind, groups in self._definitions.items():
            used = [groups.of(*handles) for fact in facts if any(handles := handles_in(kind, fact))]
            pending = [cell for cell in self._undefined if cell.kind == kind and cell.handles]
            for defined, earlier in memory.of_definitions(kind, groups, used + pending).items():
                definitions = defined.remember(earlier.own, earlier.uses, self._rules)
                if definitions is not None:
                    self._register(defined, definitions)
                    self._undefined[defined] = None
        trusts = [word for fact in facts for word in words_in(fact)]
        self._trustees.know(memory.of_trustees(trusts))
        self._keys.forget()
        for cell in cells:
            cell.seen = True
        for agency, each in recalled.items():
            agency.remember(each, self._keys, self._rules)
            self._touched[agency] = None


def _is_life(part: Part) -> bool:
    return part.subject != "permission"


def _is_lasting(part: Part) -> bool:
    return part.lasts and part.subject == "permission"
