"""Names: how each immutable id was called, and when. The first name told holds backwards.

agency AROA1   told as "ci" at 10, renamed "deploy" at 20     → "ci" before 20, then "deploy"

Each name counts from when it was first told beside the id, or from the call that renamed the
thing. To tell the same name again changes nothing, so that evidence costs nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from ledger.account.truth.fact import Fact
from ledger.account.truth.orders import content, one_chain
from ledger.account.truth.rules import Rules

Telling = tuple[str, str, Fact]
"""An id, a name, and the fact that told both."""


class Naming(NamedTuple):
    """A thing's name, from one instant on; None if facts of one instant told several.

    `fact` is the one that told it: the call that renamed the thing, or else any later one.
    """

    since: datetime
    name: str | None
    fact: Fact


class Names:
    """The names of the ids of one kind of thing."""

    def __init__(self, stated: Iterable[Telling], rules: Rules) -> None:
        """Takes what was told, in any order."""
        self._rules = rules
        self._stated: dict[str, dict[object, Naming]] = {}
        self._by_id: dict[str, list[Naming]] = {}
        changed = {telling[0] for telling in stated if self._keep(*telling)}
        for identity in changed:
            self._by_id[identity] = self._changes(identity)

    def learn(self, telling: Telling) -> bool:
        """Take one more telling. Returns whether it changes any name, or the fact that told it."""
        identity = telling[0]
        if not self._keep(*telling):
            return False
        known = self._by_id.get(identity)
        self._by_id[identity] = self._changes(identity)
        return known != self._by_id[identity]

    def knows(self, fact: Fact) -> bool:
        """Whether a fact that renames nothing tells its id and name again, later than another."""
        known = self._stated.get(fact.id or "", {}).get(self._rules.slot(fact.name or ""))
        return known is not None and _is_earlier(known.fact, fact)

    def _keep(self, identity: str, name: str, fact: Fact) -> bool:
        """Keep a telling, unless the same name was told before. Returns whether it was kept."""
        stated = self._stated.setdefault(identity, {})
        key = fact.position if fact.call == "renamed" else self._rules.slot(name)
        known = stated.get(key)
        if known is not None and _is_earlier(known.fact, fact):
            return False
        stated[key] = Naming(fact.at, name, fact)
        return True

    def _changes(self, identity: str) -> list[Naming]:
        """The tellings that changed the name, at most one at an instant."""
        stated = sorted(
            self._stated[identity].values(), key=lambda one: (one.since, one.fact.position)
        )
        known: list[Naming] = []
        for _, group in groupby(stated, key=attrgetter("since")):
            before = known[-1].name if known else None
            naming = _named_at(list(group), before, self._rules)
            if not known or naming.name != before:
                known.append(naming)
        return known

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

    def stated(self) -> Iterator[Telling]:
        """The tellings that count, each id with each of its names."""
        for identity, stated in self._stated.items():
            for naming in stated.values():
                yield identity, naming.name or "", naming.fact

    def changes(self) -> Mapping[str, list[Naming]]:
        """The names of each id, in order of time."""
        return self._by_id

    def of(self, identity: str) -> list[Naming]:
        """The names of one id, in order of time; none if no fact told one."""
        return self._by_id.get(identity, [])


def _is_earlier(known: Fact, fact: Fact) -> bool:
    if known.at != fact.at:
        return known.at < fact.at
    return (content(known), known.position) <= (content(fact), fact.position)


def _named_at(stated: list[Naming], before: str | None, rules: Rules) -> Naming:
    """The name after an instant. Without a renaming, another spelling is not another name."""
    if len(stated) > 1:
        stated = [naming for naming in stated if naming.fact.call == "renamed"] or stated
        in_order = one_chain([naming.fact for naming in stated])
        stated = (
            stated[-1:] if in_order else [one for one in stated if one.name != before] or stated
        )
    naming = min(stated, key=lambda naming: content(naming.fact)) if len(stated) > 1 else stated[0]
    slots = {rules.slot(naming.name or "") for naming in stated}
    if len(slots) > 1:
        return naming._replace(name=None, fact=naming.fact._replace(actor=None))
    spelled = before is not None and rules.slot(before) in slots
    return naming._replace(name=before) if spelled and naming.fact.call != "renamed" else naming


def own_names(facts: Iterable[Fact]) -> Iterator[Telling]:
    """The names that facts told beside the ids of their own things."""
    for fact in facts:
        if fact.id is not None and fact.name is not None:
            yield fact.id, fact.name, fact
