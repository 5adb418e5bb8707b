"""Names: how each immutable id was called, and when. The first name told holds backwards.

agency AROA1   told as "ci" at 10, renamed "deploy" at 20     → "ci" before 20, then "deploy"
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from ledger.account.truth.fact import Fact, Kind


class Naming(NamedTuple):
    """A thing's name, from one instant on."""

    since: datetime
    name: str
    fact: Fact


class Names:
    """The names of the ids of one kind of thing."""

    def __init__(self, named: Iterable[tuple[str, str, Fact]]) -> None:
        """Each item: an id, a name, and the fact that told both. Sorted by time."""
        self._by_id: dict[str, list[Naming]] = {}
        for identity, name, fact in named:
            self._learn(self._by_id.setdefault(identity, []), Naming(fact.at, name, fact))

    def _learn(self, known: list[Naming], naming: Naming) -> None:
        """A name that is not new changes nothing; a renaming decides its own instant."""
        if not known or known[-1].name != naming.name:
            if known and known[-1].since == naming.since and known[-1].fact.call == "renamed":
                return
            known.append(naming)

    def at(self, identity: str, at: datetime) -> str | None:
        """The name at an instant, or None if none was ever told."""
        known = self._by_id.get(identity)
        if not known:
            return None
        if len(known) == 1:
            return known[0].name
        return known[max(0, bisect_right(known, at, key=lambda naming: naming.since) - 1)].name

    def renamings(self) -> Iterator[tuple[str, str, Naming]]:
        """Each change of a name: the id, the name before, the new name with its fact."""
        for identity, known in self._by_id.items():
            for before, after in pairwise(known):
                yield identity, before.name, after

    def all(self) -> Iterator[str]:
        """Every name that was told beside an id."""
        for known in self._by_id.values():
            yield from (naming.name for naming in known)

    def __contains__(self, identity: object) -> bool:
        return identity in self._by_id


def names_of(facts: Iterable[Fact], kind: Kind) -> Names:
    """The names that facts told beside ids, of the things of one kind."""
    return Names(_pairs(facts, kind))


def _pairs(facts: Iterable[Fact], kind: Kind) -> Iterator[tuple[str, str, Fact]]:
    for fact in facts:
        if fact.kind == kind and fact.id is not None and fact.name is not None:
            yield fact.id, fact.name, fact
        if kind == "policy" and fact.policy_id is not None and fact.policy is not None:
            yield fact.policy_id, fact.policy, fact
        if kind == "project" and fact.project_id is not None and fact.region is not None:
            yield fact.project_id, fact.region, fact
