"""The fold: `derive(facts, rules)` says what the facts of an account come to, as spans.

    facts ─ names ─┬─ policies, projects: their lives ──┐
                   └─ agencies, slot by slot ───────────┴─ lives, lines ─ spans

Policies and projects fold first: a permission ends with its policy and with its project.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ledger.account.truth.agencies import agencies_in
from ledger.account.truth.completed import completed
from ledger.account.truth.define import define
from ledger.account.truth.definitions import DEFINED, Defined, Definitions, handles_in
from ledger.account.truth.fact import CHANGES, Fact
from ledger.account.truth.handles import tells_both
from ledger.account.truth.keys import Keys
from ledger.account.truth.names import Names, own_names
from ledger.account.truth.places import fold_placed
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.spans import Span
from ledger.account.truth.things import births, by_slot
from ledger.account.truth.trustees import Trustees

_INFERRED: Final = frozenset({"AgencyDeleted", "PolicyDeleted"})


def is_usable(fact: Fact) -> bool:
    """Whether a fact says something: older versions inferred some from traces, which do not."""
    return (
        fact.consequence_of is None
        or fact.origin == "commanded"
        or fact.consequence_of not in _INFERRED
    )


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """The facts in order of time."""
    return sorted(facts, key=lambda fact: (fact.at, fact.position))


def fold_agencies(facts: Sequence[Fact], keys: Keys, rules: Rules) -> dict[str, Slot]:
    """Fold facts of agencies, slot by slot. They are usable ones, sorted by time."""
    names, born = Names(own_names(facts), rules), births(facts)
    return {
        slot: fold_placed(slot, known, keys, rules, born)
        for slot, known in by_slot(keys.keyed(facts), names, rules).items()
    }


def _defined(
    kind: Defined, known: Sequence[Fact], uses: Sequence[Fact], rules: Rules
) -> Definitions:
    """The policies or projects of which facts tell, in calls on them or by naming them."""
    others = (one for one in known if one.kind == "agency" and one.call not in CHANGES)
    named = [*uses, *(one for one in others if tells_both(*handles_in(kind, one)))]
    return define(kind, [one for one in known if one.kind == kind], named, named, rules)


def derive(facts: Iterable[Fact], rules: Rules) -> list[Span]:
    """Return the spans that the facts of one account come to: lives, trusts, permissions.

    The facts may come in any order. Equal facts give equal spans, apart from positions.
    """
    known = completed(in_order(filter(is_usable, facts)))
    own = [fact for fact in known if fact.kind == "agency"]
    uses = [fact for fact in own if fact.call in CHANGES]
    policies, projects = (_defined(kind, known, uses, rules) for kind in DEFINED)
    keys = Keys(lambda _: policies, lambda _: projects, Trustees(own), rules)
    found: list[Span] = []
    for slot in fold_agencies(own, keys, rules).values():
        for agency in agencies_in(slot, keys, rules):
            found += agency.spans()
    return [*found, *policies.spans(), *projects.spans()]
