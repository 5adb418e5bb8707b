"""Things: the facts of each slot, the slots folded, and the things in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.life import Life
from ledger.account.truth.lines import CREATION_NOT_SEEN, ORDER_NOT_KNOWN
from ledger.account.truth.names import Names
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot, Spelling
from ledger.account.truth.timeline import EXISTS, State, Timeline, agreed, joined, of_life
from ledger.values import instant_text

Lives = tuple[Life, ...]
"""The lives of one thing under one name, in one story. More than one if it was renamed back."""


def slot_name(fact: Fact, names: Names, rules: Rules) -> str:
    """The slot of a fact: the name told, else the name of the id, else the id itself."""
    name = fact.name
    if name is None:
        name = names.at(fact.id or "", fact.at)
    return slot_called(fact.id, name, rules)


def slot_called(identity: str | None, name: str | None, rules: Rules) -> str:
    """The slot of a name; without one, that of the id."""
    if name is None:
        return f"#{identity}"
    return name.casefold() if rules.names_ignore_case else name


def by_slot(facts: Iterable[Fact], names: Names, rules: Rules) -> dict[str, list[Fact]]:
    """The facts of each slot, sorted by time. A renaming leaves one slot and enters another.

    A renaming that changed no known name proves, as any other call, that the thing existed; it may
    have changed the content. One that tells the name from before came first within its instant.
    """
    slots: dict[str, list[Fact]] = defaultdict(list)
    moved: dict[str, None] = {}
    renamed = set()
    left: dict[tuple[str | None, datetime], str] = {}
    for identity, before, naming in names.renamings():
        old, new = slot_called(identity, before, rules), slot_called(identity, naming.name, rules)
        if old != new:
            move = _move(identity, naming.fact)
            slots[old].append(move._replace(call="left", name=before))
            slots[new].append(move._replace(call="entered", name=naming.name))
            renamed.add(naming.fact.position)
            left[identity, naming.since] = old
            moved |= {old: None, new: None}
    for fact in facts:
        if fact.call != "renamed":
            slots[slot_name(fact, names, rules)].append(fact)
        elif fact.position not in renamed:
            name = fact.name if fact.id is None else names.at(fact.id, fact.at)
            slot = slot_called(fact.id, name, rules)
            if slot_called(fact.id, fact.name, rules) == left.get((fact.id, fact.at)):
                name, slot = fact.name, left[fact.id, fact.at]
            call: Call = "evidence" if fact.document is None else "content set"
            slots[slot].append(fact._replace(call=call, name=name))
    for slot in moved:
        slots[slot].sort(key=lambda fact: (fact.at, fact.position))
    return slots


def _move(identity: str, fact: Fact) -> Fact:
    """A renaming as the fold takes it. If no call was seen that renamed the thing, nobody did.

    The fact that told the name says the rest of what it says by itself.
    """
    if fact.call == "renamed":
        return fact._replace(id=identity, consequence_of=None)
    moved = Fact("renamed", fact.kind, fact.at, fact.position, id=identity)
    return moved._replace(trace=fact.trace, origin=fact.origin)


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
    if rules.names_ignore_case:
        spell(folded.spelled, facts)
    return folded


def spell(spelled: dict[str, Spelling], facts: Iterable[Fact]) -> None:
    """Note how facts spell their policies' names: that of the first one is shown."""
    for fact in facts:
        key = fact.key.policy if fact.key is not None else None
        if key is not None and fact.policy is not None and fact.call != "ended":
            spelling = (fact.at, fact.policy)
            spelled[key] = min(spelling, spelled.get(key, spelling))


def name_of(slot: str, life: Life) -> str | None:
    """The thing's name as its first fact told it; None if only its id is known."""
    return life.begun.name or (None if slot.startswith("#") else slot)


def thing_of(slot: str, life: Life) -> str:
    """The thing's key: its immutable id; without one, its name and the time of its first fact."""
    return life.id or f"{slot}~{'' if life.seen else 'by~'}{instant_text(life.begun.at)}"


def things_in(slot: Slot) -> dict[str, list[Lives]]:
    """Each thing of a slot, and its lives in each of the best stories that have it."""
    found: dict[str, list[Lives]] = {}
    for story in slot.best():
        stated: dict[str, Lives] = {}
        for life in story.lives():
            thing = thing_of(slot.name, life)
            stated[thing] = (*stated.get(thing, ()), life)
        for thing, lives in stated.items():
            found.setdefault(thing, []).append(lives)
    return found


def existence(stories: Sequence[Lives], count: int, doubt: str = ORDER_NOT_KNOWN) -> Timeline:
    """Whether a thing exists, as far as all of `count` stories agree. `doubt`: why they differ."""
    timelines = [joined([of_life(life) for life in lives]) for lives in stories]
    return agreed(timelines + [[] for _ in range(count - len(stories))], doubt)


def first_state(life: Life) -> State:
    """The state of a thing as it begins to exist, or as a fact first proves it."""
    begun = life.begun
    if not life.seen:
        return State(EXISTS, begun.at, None, None, begun.position, CREATION_NOT_SEEN)
    return State(EXISTS, begun.at, begun.actor, begun.origin, begun.position, None)
