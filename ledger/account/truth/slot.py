"""A slot: a name in an account, its facts, and the cheapest stories that explain them.

    09:00:00   C(old)                     one fact: the only story takes it
    09:00:05   D  C(new)  A               several facts: the stories of all orders, see `search`
    09:00:09   E(new)                     each story takes it; those that cost too much are dropped

Instants are taken in order of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby, product
from operator import attrgetter
from typing import Final

from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.life import Key, Life
from ledger.account.truth.lines import HOLDER_NOT_KNOWN, ORDER_NOT_KNOWN
from ledger.account.truth.orders import chain_of, content, one_chain
from ledger.account.truth.rules import MOVEMENTS, Rules
from ledger.account.truth.search import (
    STORIES_MAX,
    assigned,
    doubtful,
    is_plain,
    line_of,
    replaced,
    stories_after,
)
from ledger.account.truth.story import Births, Story

SLACK: Final = 1
"""A story that is dearer by this much may win yet: a later fact may cost the cheaper one more."""

HANDOVERS_MAX: Final = 16
"""If there are more times at which a name may have changed hands, nothing is known from then on."""
_ENTRANCES: Final = frozenset[Call]({"created", "entered"})

HANDOVER_SLACK: Final = 2
"""The same, before the proof of a thing that nobody saw created: it costs the cheapest two more."""

Spelling = tuple[datetime, str]
"""When a policy was first named, and how."""


class Slot:
    """The stories of one name, fact by fact in order of time."""

    __slots__ = (
        "doubt",
        "last_at",
        "last_lines",
        "name",
        "slack",
        "spelled",
        "stories",
        "unsettled",
    )

    def __init__(self, name: str, rules: Rules, births: Births) -> None:
        self.name = name
        self.stories = [Story(rules, births)]
        self.slack = SLACK
        self.doubt = ORDER_NOT_KNOWN
        """The reason why the best stories differ."""
        self.last_at: datetime | None = None
        """The instant that was taken last."""
        self.last_lines: set[Key | None] | None = set()
        """The lines that its facts changed; None if they began or ended a thing, or may have."""
        self.unsettled: list[tuple[datetime, datetime | None]] = []
        """From when until when, both included, there was more than one story, or a search."""
        self.spelled: dict[str, Spelling] = {}
        """How policies were named first, by their keys."""

    def take_all(self, facts: Sequence[Fact]) -> None:
        """Take facts that are sorted by time, all later than the facts that were taken before."""
        taken = 0
        for begin, end in handovers(facts):
            self._take_each(facts, taken, begin)
            self._take_handover(facts[begin:end])
            taken = end
        self._take_each(facts, taken, len(facts))
        if facts:
            self.remember(_last_instant(facts))

    def _take_each(self, facts: Sequence[Fact], index: int, count: int) -> None:
        while index < count:
            fact, after = facts[index], index + 1
            at = fact.at
            if after == count or facts[after].at != at:
                if len(self.stories) == 1 and not fact.others:
                    self.stories[0].take(fact)
                else:
                    self.take((fact,))
                index = after
                continue
            while after < count and facts[after].at == at:
                after += 1
            self.take(facts[index:after])
            index = after

    def _take_handover(self, facts: Sequence[Fact]) -> None:
        """Take the facts before the proof of another thing, also as facts of that thing."""
        first = self.stories[0]
        other = Slot(self.name, first.rules, first.births)
        other.stories, self.slack = [], HANDOVER_SLACK
        for _, group in groupby(facts, key=attrgetter("at")):
            instant = list(group)
            if other.stories:
                other.take(instant)
            ways = [sorted(way, key=content) for way in assigned(instant)]
            lowest = min(story.cost for story in self.stories)
            near = [story for story in self.stories if story.cost <= lowest + SLACK]
            for story, way in product(near, ways):
                other.stories += replaced(story, way)
            self.take(instant)
            if len(other.stories) > 1:
                other.stories = _cheapest(other.stories, instant[0], HANDOVERS_MAX)
        self.slack = SLACK
        if other.stories:
            self.stories += other.stories
            self.doubt = HOLDER_NOT_KNOWN
            self._settle(facts[0].at)

    def take(self, instant: Sequence[Fact]) -> None:
        """Take all facts of one instant."""
        open_before = len(self.stories) > 1
        searched = False
        instant = _each_proof_once(instant)
        if any(fact.others for fact in instant):
            searched = True
            ways = [sorted(way, key=content) for way in assigned(instant)]
            self.stories = [
                new
                for story in self.stories
                for way in ways
                for new in stories_after(story.fork(), way)
            ]
        elif one_chain(instant):
            ordered = sorted(instant, key=attrgetter("position"))
            for story, fact in product(self.stories, ordered):
                story.take(fact)
        else:
            searched = not all(is_plain(story, instant) for story in self.stories)
            facts = sorted(instant, key=content)  # The order of arrival must not matter.
            self.stories = [new for story in self.stories for new in stories_after(story, facts)]
        if len(self.stories) > 1:
            self.stories = _cheapest(self.stories, instant[0], slack=self.slack)
        if open_before or searched or len(self.stories) > 1:
            self._settle(instant[0].at)

    def step(self, instant: Sequence[Fact]) -> None:
        """Take all facts of an instant that is later than all before, and be ready for more."""
        if len(instant) == 1 and len(self.stories) == 1 and not instant[0].others:
            self.stories[0].take(instant[0])
        else:
            self.take(instant)
        self.remember(instant)

    def add(self, fact: Fact) -> None:
        """Take a fact of the instant that was taken last, of which it changes another line."""
        self.stories[0].take(fact)
        if self.last_lines is not None:
            self.last_lines.add(line_of(fact))

    def remember(self, instant: Sequence[Fact]) -> None:
        """Remember which instant was the last, and what its facts changed."""
        at = self.last_at = instant[0].at
        for story in self.stories:
            if type(story.life) is not Life or story.life.begun.at == at:
                self.last_lines = None
                return
        lines: set[Key | None] = set()
        for fact in instant:
            if fact.call in MOVEMENTS or fact.others:
                self.last_lines = None
                return
            lines.add(line_of(fact))
        self.last_lines = lines

    def changes_hands(self, facts: Sequence[Fact]) -> bool:
        """Whether later facts prove a thing that nobody saw created, while another has the name.

        Facts that were taken may be of that thing: the slot has to be folded anew.
        """
        return any(
            type(story.life) is Life
            and story.life.id is not None
            and fact.id not in (None, story.life.id)
            and fact.call not in _ENTRANCES
            for story in self.stories
            for fact in facts
        )

    def settled(self, at: datetime) -> bool:
        """Whether there was one story at an instant, without a search."""
        return not any(
            begin <= at and (end is None or at <= end) for begin, end in reversed(self.unsettled)
        )

    def settled_since(self, at: datetime) -> bool:
        """Whether there was one story from an instant on, without a search."""
        if not self.unsettled:
            return True
        end = self.unsettled[-1][1]
        return end is not None and end < at

    def _settle(self, at: datetime) -> None:
        if len(self.stories) == 1:
            self.doubt = ORDER_NOT_KNOWN
        begin, end = self.unsettled[-1] if self.unsettled else (at, at)
        if end is not None:
            begin = at
        else:
            self.unsettled.pop()
        self.unsettled.append((begin, at if len(self.stories) == 1 else None))

    def best(self) -> list[Story]:
        """The stories with the fewest unseen facts."""
        if len(self.stories) == 1:
            return self.stories
        lowest = min(story.cost for story in self.stories)
        return [story for story in self.stories if story.cost == lowest]


def _each_proof_once(instant: Sequence[Fact]) -> Sequence[Fact]:
    """The facts without uses that equal another one: where one fits, the other fits too."""
    if sum(fact.call == "evidence" for fact in instant) < 2:
        return instant
    chains = Counter(map(chain_of, instant))
    first: dict[object, int] = {}
    for fact in instant:
        if fact.call == "evidence" and chains[chain_of(fact)] == 1:
            position = first.get((fact.id, fact.name), fact.position)
            first[fact.id, fact.name] = min(position, fact.position)
    return [
        fact
        for fact in instant
        if first.get((fact.id, fact.name), fact.position) == fact.position
        or fact.call != "evidence"
        or chains[chain_of(fact)] > 1
    ]


def handovers(facts: Sequence[Fact]) -> Iterator[tuple[int, int]]:
    """The facts, as ranges of indexes, after which a thing is proven that nobody saw created.

    Each range begins with the last instant of which it is known which thing had the name. The facts
    after it tell only the name: they may be those of either thing.
    """
    if len({fact.id for fact in facts} - {None}) < 2:
        return
    known: set[str | None] = set()
    last, first = -1, 0
    for _, group in groupby(facts, key=attrgetter("at")):
        instant = list(group)
        telling = [fact for fact in instant if fact.id is not None or fact.call in MOVEMENTS]
        proven = {fact.id for fact in telling if fact.call not in _ENTRANCES} - known - {None}
        if proven and last >= 0:
            yield last, first
        if telling:
            known |= {fact.id for fact in telling}
            last = first
        first += len(instant)


def _last_instant(facts: Sequence[Fact]) -> Sequence[Fact]:
    first = len(facts) - 1
    while first > 0 and facts[first - 1].at == facts[-1].at:
        first -= 1
    return facts[first:]


def _cheapest(
    stories: list[Story], fact: Fact, most: int = STORIES_MAX, slack: int = SLACK
) -> list[Story]:
    """The stories that can still win, without repetitions."""
    lowest = min(story.cost for story in stories)
    states = [story.state() for story in stories]
    by_state: dict[object, int] = {}
    for story, state in zip(stories, states, strict=True):
        by_state[state] = min(story.cost, by_state.get(state, story.cost))
    winning = {
        _outcome(story, fact): story
        for story, state in zip(stories, states, strict=True)
        if story.cost <= lowest + slack and story.cost == by_state[state]
    }
    kept = list(winning.values())
    if len(kept) > most:
        tied = [story for story in kept if story.cost == lowest]
        return tied if len(tied) == 1 else [doubtful(kept, fact)]
    return kept


def _outcome(story: Story, fact: Fact) -> object:
    """A value that is equal for stories that say the same."""
    past = (
        id(life) if life.ended and life.ended.at < fact.at else life.outcome()
        for life in story.past
    )
    present = story.life.outcome() if type(story.life) is Life else story.life
    return (*past, present, story.cost)
