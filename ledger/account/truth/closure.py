"""The facts from which the spans of some agencies or policies follow, and nothing else.

asked     agency "ci"
closure   the facts of "ci", under all its names and ids; the calls on each policy and project that
          these name; all grants and revocations under those that have calls of their own, or a
          name that another one had, which prove them; of the others, the first fact by which each
          id was told each name; the facts that tell a trusted account's id and name together

The fold of a closure comes to the same spans of these things as the fold of all facts. Of other
things, facts are in it that say too little: their spans may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from ledger.account.truth.agency_cell import AgencyCell
from ledger.account.truth.definition_cell import DefinitionCell
from ledger.account.truth.definitions import Defined, handles_in, telling_in
from ledger.account.truth.fact import CHANGES, Fact
from ledger.account.truth.groups import Groups
from ledger.account.truth.handles import Recall, id_handle
from ledger.account.truth.names import Names
from ledger.account.truth.recalling import Memory
from ledger.account.truth.rules import Rules
from ledger.account.truth.trustees import words_in

Thing = tuple[str | None, str | None]
"""An id and a name of a thing, at least one of which is known."""


class Closure(NamedTuple):
    """The facts, and the handles of the things of which they say all."""

    facts: tuple[Fact, ...]
    things: Groups[AgencyCell] | Groups[DefinitionCell]

    def covers(self, thing: Thing) -> bool:
        """Whether the facts say all of a thing, so that its spans are right."""
        identity, name = thing
        handle = name or "" if identity is None else id_handle(identity)
        return self.things.get(handle) is not None


def closure(
    kind: Literal["agency", "policy"], asked: Iterable[Thing], recall: Recall, rules: Rules
) -> Closure:
    """Return the facts that bear on agencies, or on policies, of one account."""
    memory = Memory(recall, rules)
    if kind == "policy":
        policies, facts = _definitions(memory, "policy", asked, rules)
        return Closure(_each_once(facts), policies)
    agencies = Groups(AgencyCell, rules)
    recalled = memory.of_agencies(agencies, [agencies.of(*thing) for thing in asked])
    facts = [fact for each in recalled.values() for fact in each]
    changes = [fact for fact in facts if fact.call in CHANGES]
    for used in ("policy", "project"):
        named = dict.fromkeys(handles_in(used, fact) for fact in changes)
        facts += _definitions(memory, used, filter(any, named), rules)[1]
    facts += memory.of_trustees(word for fact in facts for word in words_in(fact))
    return Closure(_each_once(facts), agencies)


def _definitions(
    memory: Memory, kind: Defined, asked: Iterable[Thing], rules: Rules
) -> tuple[Groups[DefinitionCell], list[Fact]]:
    """The cells of policies or projects, and the facts that bear on them."""
    groups = Groups(lambda: DefinitionCell(kind), rules)
    recalled = memory.of_definitions(kind, groups, [groups.of(*thing) for thing in asked])
    facts: list[Fact] = []
    for cell, (own, uses) in recalled.items():
        proven = own or cell.is_contested
        facts += [*own, *uses] if proven else _telling(kind, uses, rules)
    return groups, facts


def _telling(kind: Defined, uses: Sequence[Fact], rules: Rules) -> Iterator[Fact]:
    """The uses that count where nothing but names is known: hundreds may tell the same ones."""
    found = {use.position: use for use in sorted(uses, key=lambda use: use.position)}
    tellings = [telling for use in found.values() if (telling := telling_in(kind, use)) is not None]
    for _, _, fact in Names(tellings, rules).stated():
        yield found[fact.position]


def _each_once(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    by_position = {fact.position: fact for fact in facts}
    return tuple(by_position[position] for position in sorted(by_position))
