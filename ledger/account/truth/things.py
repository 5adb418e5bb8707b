"""Things: the slots of one kind, folded, and which thing a name or an id meant at an instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.account.truth.fact import Fact, Kind
from ledger.account.truth.lines import NOT_KNOWN
from ledger.account.truth.names import Names
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.story import Life
from ledger.account.truth.timeline import Interval, Timeline, agreed, of_life, state_at
from ledger.values import instant_text


def slot_name(fact: Fact, names: Names, rules: Rules) -> str:
    """The slot of a fact: the name told, else the name of the id, else the id itself."""
    name = fact.name
    if name is None:
        name = names.at(fact.id or "", fact.at)
    return _slot(fact.id, name, rules)


def _slot(identity: str | None, name: str | None, rules: Rules) -> str:
    if name is None:
        return f"#{identity}"
    return name.casefold() if rules.names_ignore_case else name


def by_slot(facts: Iterable[Fact], names: Names, rules: Rules) -> dict[str, list[Fact]]:
    """The facts of each slot, sorted by time. A renaming leaves one slot and enters another.

    A renaming that changed no known name proves, as any other call, that the thing existed.
    """
    slots: dict[str, list[Fact]] = defaultdict(list)
    moved: dict[str, None] = {}
    renamed = set()
    for identity, before, naming in names.renamings():
        old, new = _slot(identity, before, rules), _slot(identity, naming.name, rules)
        if old != new:
            move = _move(identity, naming.fact)
            slots[old].append(move._replace(call="left", name=before))
            slots[new].append(move._replace(call="entered", name=naming.name))
            renamed.add(naming.fact.position)
            moved |= {old: None, new: None}
    for fact in facts:
        if fact.call != "renamed":
            slots[slot_name(fact, names, rules)].append(fact)
        elif fact.position not in renamed:
            name = fact.name if fact.id is None else names.at(fact.id, fact.at)
            slots[_slot(fact.id, name, rules)].append(fact._replace(call="evidence", name=name))
    for slot in moved:
        slots[slot].sort(key=lambda fact: (fact.at, fact.position))
    return slots


def _move(identity: str, fact: Fact) -> Fact:
    """A renaming as the fold takes it. If no call was seen that renamed the thing, nobody did."""
    seen = fact.call == "renamed"
    return fact._replace(id=identity, consequence_of=None, actor=fact.actor if seen else None)


def births(facts: Iterable[Fact]) -> dict[str, Fact]:
    """The first creation of each id that was seen."""
    found: dict[str, Fact] = {}
    for fact in facts:
        if fact.call == "created" and fact.id is not None:
            found.setdefault(fact.id, fact)
    return found


def fold(slot: str, facts: Sequence[Fact], rules: Rules, born: Mapping[str, Fact]) -> Slot:
    """The slot after all its facts, which are sorted by time."""
    folded = Slot(slot, rules, born)
    folded.take_all(facts)
    return folded


def name_of(slot: str, life: Life) -> str | None:
    """The thing's name as its first fact told it; None if only its id is known."""
    return life.begun.name or (None if slot.startswith("#") else slot)


def thing_of(slot: str, life: Life) -> str:
    """The thing's key: its immutable id; without one, its name and the time of its first fact."""
    return life.id or f"{slot}~{'' if life.seen else 'by~'}{instant_text(life.begun.at)}"


class Meant(NamedTuple):
    """The things that a handle may mean. More than one: the facts do not say which."""

    things: tuple[str, ...]
    constant: bool
    """Whether the handle means the same thing at every instant."""


class Things:
    """All things of one kind in an account."""

    def __init__(self, kind: Kind, slots: Mapping[str, Slot], names: Names, rules: Rules) -> None:
        self.kind, self.slots = kind, slots
        self._names, self._rules = names, rules

    def lives(self) -> Iterator[tuple[str, str, list[Life]]]:
        """Each slot's name, each thing in it, and its lives in the best stories."""
        for name, slot in self.slots.items():
            for thing, lives in self.of_slot(name, slot).items():
                yield name, thing, lives

    @staticmethod
    def of_slot(name: str, slot: Slot) -> dict[str, list[Life]]:
        found: dict[str, list[Life]] = defaultdict(list)
        for story in slot.best():
            for life in story.lives():
                found[thing_of(name, life)].append(life)
        return found

    def meant(self, identity: str | None, name: str | None, at: datetime) -> Meant:
        """The things that an id or a name meant at an instant, that instant included."""
        if identity is not None:
            return Meant((identity,), constant=True)
        slot = self.slots.get(self._rules.slot(name or ""))
        if slot is None:
            return Meant((name or "",), constant=True)
        best = slot.best()
        lives = {thing_of(slot.name, life): life for story in best for life in story.lives()}
        if len(lives) == 1:
            return Meant(tuple(lives), constant=True)
        alive = {thing: life for thing, life in lives.items() if _alive(life, at)}
        if len(alive) > 1 and self.kind in self._rules.deletes_only_detached:
            staying = {thing: life for thing, life in alive.items() if _stays(life, at)}
            alive = staying or alive  # The deletion needed a revocation of all that came before.
        return Meant(tuple(alive) or (name or "",), constant=False)

    def timelines(self) -> Iterator[tuple[str, str, Timeline]]:
        """Each thing's slot, key, and whether it exists. A renamed thing has one for each name."""
        for name, slot in self.slots.items():
            count = len(slot.best())
            for thing, lives in self.of_slot(name, slot).items():
                yield name, thing, agreed_lives(lives, count)


def agreed_lives(lives: Sequence[Life], stories: int) -> Timeline:
    """Whether a thing exists, as far as all stories agree."""
    if len(lives) == 1 and stories == 1:
        return of_life(lives[0])
    timelines = [of_life(life) for life in lives]
    return agreed(timelines + [[] for _ in range(stories - len(lives))])


def doubts(timeline: Timeline) -> Iterator[Interval]:
    """The times in which it is not known whether a thing exists."""
    for index, (at, state) in enumerate(timeline):
        if state.status == NOT_KNOWN:
            end = timeline[index + 1][0] if index + 1 < len(timeline) else None
            yield Interval(at, end, state)


def exists_at(timeline: Timeline, at: datetime) -> bool:
    state = state_at(timeline, at)
    return state is not None and state.status not in (NOT_KNOWN, "deleted")


def _alive(life: Life, at: datetime) -> bool:
    return life.begun.at <= at and (life.ended is None or life.ended.at >= at)


def _stays(life: Life, at: datetime) -> bool:
    return life.ended is None or life.ended.at > at
