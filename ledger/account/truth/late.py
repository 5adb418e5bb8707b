"""Late facts: a line is folded anew from its own facts, and from those that make the lives.

facts of the slot      created ─ A ─ B ─ A ─ used ─ B ─ deleted        A, B: two permissions
the frame              created ──────────────────────── deleted
with a late A          created ─ A ───── A ─ (A) ────── deleted        B is not touched
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.keys import Keys
from ledger.account.truth.life import Key, Life
from ledger.account.truth.lines import Line
from ledger.account.truth.rules import MOVEMENTS, Rules
from ledger.account.truth.search import line_of
from ledger.account.truth.slot import Slot
from ledger.account.truth.story import Births
from ledger.account.truth.things import fold

_OF_LIVES: Final = MOVEMENTS | frozenset[Call]({"deletion asked for", "deletion failed"})


def known_life(slot: Slot, fact: Fact) -> Life | None:
    """The life that a fact lies within, if there is one story, and the fact fits the life."""
    story = slot.stories[0]
    if len(slot.stories) > 1 or story.doubtful:
        return None
    for life in reversed(story.lives()):
        if life.begun.at < fact.at:
            within = life.ended is None or fact.at < life.ended.at
            fits = fact.id in (None, life.id) and life.doubted_at is None
            return life if within and fits else None
    return None


class History:
    """The facts of a slot, by the line that they change."""

    def __init__(self, facts: Iterable[Fact], slot: Slot, rules: Rules, born: Births) -> None:
        self._rules, self._born = rules, born
        self._frame: dict[int, Fact] = {}
        self._lines: dict[Key, list[Fact]] = {}
        self._ids: set[str] = set()
        self.add(facts, slot)

    def add(self, facts: Iterable[Fact], slot: Slot) -> None:
        """Keep facts that the slot took. They have their keys."""
        lives = [life for story in slot.stories for life in story.lives()]
        begun = {life.begun.position for life in lives}
        for fact in facts:
            new_id = fact.id is not None and fact.id not in self._ids
            if new_id or fact.call in _OF_LIVES or fact.position in begun:
                self._frame[fact.position] = fact
                self._ids |= {fact.id} if fact.id is not None else set()
            line = line_of(fact)
            if line is not None:
                self._lines.setdefault(line, []).append(fact)

    def line_with(self, fact: Fact, slot: Slot, keys: Keys) -> Line | None:
        """The line of a further fact, folded with it; None if more than the line may change."""
        line = line_of(fact)
        if line is None or not slot.settled_since(fact.at):
            return None
        facts = self._frame | {each.position: each for each in self._lines.get(line, ())}
        facts[fact.position] = fact
        ordered = sorted(facts.values(), key=lambda each: (each.at, each.position))
        folded = fold(slot.name, keys.with_ends(ordered), self._rules, self._born)
        return _same_life(slot, folded, fact, line)


def _same_life(slot: Slot, folded: Slot, fact: Fact, line: Key) -> Line | None:
    """The line in a folded part of the slot, if the lives are those of the whole slot."""
    if len(folded.stories) > 1 or not folded.settled_since(fact.at):
        return None
    lives, found = slot.stories[0].lives(), folded.stories[0].lives()
    if list(map(_stated, lives)) != list(map(_stated, found)):
        return None
    for life in reversed(found):
        if life.begun.at < fact.at:
            return life.lines.get(line)
    return None


def _stated(life: Life) -> Sequence[object]:
    ended, asked = life.ended, life.asked
    failed = tuple(failure.position for _, failure in life.failures)
    return (
        life.id,
        life.begun.position,
        life.seen,
        life.unseen_from,
        ended.position if ended is not None else None,
        life.end,
        asked.position if asked is not None else None,
        failed,
    )
