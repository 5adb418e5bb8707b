"""Names: how each immutable id was called, and when. The first name told holds backwards.

agency AROA1   told as "ci" at 10, renamed "deploy" at 20     → "ci" before 20, then "deploy"
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from ledger.account.truth.fact import Fact, Kind
from ledger.account.truth.orders import content, one_chain
from ledger.account.truth.rules import Rules


class Naming(NamedTuple):
    """A thing's name, from one instant on; None if facts of one instant told several.

    `fact` is the one that told it: the call that renamed the thing, or else any later one.
    """

    since: datetime
    name: str | None
    fact: Fact


class Names:
    """The names of the ids of one kind of thing."""

    def __init__(self, named: Iterable[tuple[str, str, Fact]], rules: Rules) -> None:
        """Each item: an id, a name, and the fact that told both. Sorted by time."""
        told: dict[str, list[Naming]] = {}
        for identity, name, fact in named:
            told.setdefault(identity, []).append(Naming(fact.at, name, fact))
        self._by_id = {identity: _changes(each, rules) for identity, each in told.items()}

    def at(self, identity: str, at: datetime) -> str | None:
        """The name at an instant, or None if none was ever told."""
        known = self._by_id.get(identity)
        if not known:
            return None
        if len(known) == 1:
            return known[0].name
        return known[max(0, bisect_right(known, at, key=lambda naming: naming.since) - 1)].name

    def renamings(self) -> Iterator[tuple[str, str | None, Naming]]:
        """Each change of a name: the id, the name before, the new name with its fact."""
        for identity, known in self._by_id.items():
            for before, after in pairwise(known):
                yield identity, before.name, after

    def all(self) -> Iterator[str]:
        """Every name that was told beside an id."""
        for known in self._by_id.values():
            yield from (naming.name for naming in known if naming.name is not None)

    def __contains__(self, identity: object) -> bool:
        return identity in self._by_id


def _changes(told: Sequence[Naming], rules: Rules) -> list[Naming]:
    """The tellings that changed the name, at most one at an instant."""
    known: list[Naming] = []
    for _, group in groupby(told, key=attrgetter("since")):
        before = known[-1].name if known else None
        naming = _told_at(list(group), before, rules)
        if not known or naming.name != before:
            known.append(naming)
    return known


def _told_at(told: list[Naming], before: str | None, rules: Rules) -> Naming:
    """The name after an instant. Without a renaming, another spelling is not another name."""
    if len(told) > 1:
        told = [naming for naming in told if naming.fact.call == "renamed"] or told
        in_order = one_chain([naming.fact for naming in told])
        told = told[-1:] if in_order else [one for one in told if one.name != before] or told
    naming = min(told, key=lambda naming: content(naming.fact)) if len(told) > 1 else told[0]
    slots = {rules.slot(naming.name or "") for naming in told}
    if len(slots) > 1:
        return naming._replace(name=None, fact=naming.fact._replace(actor=None))
    spelled = before is not None and rules.slot(before) in slots
    return naming._replace(name=before) if spelled and naming.fact.call != "renamed" else naming


def names_of(facts: Iterable[Fact], kind: Kind, rules: Rules) -> Names:
    """The names that facts told beside ids, of the things of one kind."""
    return Names(_pairs(facts, kind), rules)


def _pairs(facts: Iterable[Fact], kind: Kind) -> Iterator[tuple[str, str, Fact]]:
    for fact in facts:
        if fact.kind == kind and fact.id is not None and fact.name is not None:
            yield fact.id, fact.name, fact
        if kind == "policy" and fact.policy_id is not None and fact.policy is not None:
            yield fact.policy_id, fact.policy, fact
        if kind == "project" and fact.project_id is not None and fact.region is not None:
            yield fact.project_id, fact.region, fact
