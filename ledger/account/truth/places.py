"""Places: permissions of one agency whose projects are told by id here, and by name there.

granted  policy "etl"   region "eu-de"          The name of p1 is not known. If p1 is eu-de, then no
revoked  policy "etl"   project p1              fact is unseen; if not, then a grant on p1 is.

Each way to say which region an unnamed project is makes stories of its own. Those with the fewest
unseen facts win, as everywhere; where they differ, it is not known which permission was revoked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from ledger.account.truth.fact import Call, Fact, LineKey
from ledger.account.truth.keys import Keys
from ledger.account.truth.lines import PLACE_NOT_KNOWN
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.story import Births
from ledger.account.truth.things import fold

WAYS_MAX: Final = 8
"""If there are more ways, each permission that may have been revoked is in doubt."""

Way = Mapping[str, str]
"""By the handle of a project's id, the region that it is. Any other is a region of its own."""
Pairs = Mapping[str, set[str]]
"""By the handle of a project's id, the regions that it may be."""
_Other = tuple[str | None, str | None]
"""A permission without its region."""


def fold_placed(slot: str, facts: Sequence[Fact], keys: Keys, rules: Rules, born: Births) -> Slot:
    """The slot after all its facts, which are sorted by time and have their keys."""
    pairs = _pairs(facts, keys)
    if not pairs:
        return fold(slot, keys.with_ends(facts), rules, born)
    ways = list(islice(_ways(list(pairs.items())), WAYS_MAX + 1))
    if len(ways) > WAYS_MAX:
        doubted = list(_doubted(facts, pairs))
        return fold(slot, keys.with_ends(doubted), rules, born)
    stated = ([_moved(fact, way) for fact in facts] for way in ways)
    return _best([fold(slot, keys.with_ends(each), rules, born) for each in stated])


def _pairs(facts: Iterable[Fact], keys: Keys) -> Pairs:
    """The projects without a name, each with the regions that it may be.

    They have permissions that differ in nothing else, and of which one was revoked.
    """
    stated: dict[LineKey, set[str]] = defaultdict(set)
    for fact in facts:
        if fact.key is not None:
            for key in (fact.key, *fact.others):
                stated[key].add(fact.call)
    unnamed = [key for key in stated if keys.is_unnamed(key.region)]
    named = [key for key in stated if keys.is_without_id(key.region)] if unnamed else []
    pairs: dict[str, set[str]] = defaultdict(set)
    for one in unnamed:
        for other in named:
            if one[1:] == other[1:] and "revoked" in stated[one] | stated[other]:
                pairs[one.region].add(other.region)
    return pairs


def _ways(pairs: Sequence[tuple[str, set[str]]]) -> Iterator[dict[str, str]]:
    """The ways to say which region each project is. No two are one."""
    if not pairs:
        yield {}
        return
    (project, regions), rest = pairs[0], pairs[1:]
    for way in _ways(rest):
        yield way
        for region in sorted(regions - set(way.values())):
            yield {project: region, **way}


def _moved(fact: Fact, way: Way) -> Fact:
    """A fact whose projects are the regions that a way says."""
    if fact.key is None:
        return fact
    key, *others = (
        one._replace(region=way.get(one.region, one.region)) for one in (fact.key, *fact.others)
    )
    return fact._replace(key=key, others=tuple(others))


def _best(slots: Sequence[Slot]) -> Slot:
    """One slot with the stories of all ways that have the fewest unseen facts."""
    stories = [(story, slot) for slot in slots for story in slot.best()]
    lowest = min(story.cost for story, _ in stories)
    best = [(story, slot) for story, slot in stories if story.cost == lowest]
    found = best[0][1]
    if any(slot is not found for _, slot in best):
        found.stories = [story for story, _ in best]
        found.doubt = PLACE_NOT_KNOWN
    return found


def _doubted(facts: Iterable[Fact], pairs: Pairs) -> Iterator[Fact]:
    """The facts, and for each revocation a doubt of the permissions that it may mean instead."""
    meant: dict[str, set[str]] = {project: set(regions) for project, regions in pairs.items()}
    for project, regions in pairs.items():
        for region in regions:
            meant.setdefault(region, set()).add(project)
    for fact in facts:
        yield fact
        if fact.call == "revoked" and fact.key is not None:
            for region in sorted(meant.get(fact.key.region, ())):
                key = fact.key._replace(region=region)
                yield fact._replace(call="unplaced", key=key, others=())


class Open:
    """The permissions of a slot that others may be: by a project's id here, by a region there."""

    def __init__(self, facts: Iterable[Fact], keys: Keys) -> None:
        self._keys = keys
        self._unnamed: set[_Other] = set()
        self._named: set[_Other] = set()
        self._revoked: set[_Other] = set()
        self.is_mixed = False
        """Whether any two of them may be one that was revoked."""
        stated = {
            (key, fact.call)
            for fact in facts
            if fact.key is not None
            for key in (fact.key, *fact.others)
        }
        for key, call in stated:
            self.add(key, call)

    def add(self, key: LineKey, call: Call) -> None:
        """Take a permission that was granted, or revoked."""
        if self._keys.is_unnamed(key.region):
            self._unnamed.add(key[1:])
        elif self._keys.is_without_id(key.region):
            self._named.add(key[1:])
        else:
            return
        if call == "revoked":
            self._revoked.add(key[1:])
        self.is_mixed |= all(
            key[1:] in each for each in (self._unnamed, self._named, self._revoked)
        )
