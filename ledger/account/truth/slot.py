"""A slot: a name in an account, its facts, and the cheapest stories that explain them.

    09:00:00   C(old)                     one fact: the only story takes it
    09:00:05   D  C(new)  A               several facts: the stories of all orders, see `search`
    09:00:09   E(new)                     each story takes it; those that cost too much are dropped

Instants are taken in order of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from operator import attrgetter
from typing import Final

from ledger.account.truth.fact import Fact
from ledger.account.truth.orders import content, one_chain
from ledger.account.truth.rules import Rules
from ledger.account.truth.search import STORIES_MAX, doubtful, stories_after
from ledger.account.truth.story import Births, Life, Story

SLACK: Final = 1
"""A story that is dearer by this much may win yet: a later fact may cost the cheaper one more."""


class Slot:
    """The stories of one name, fact by fact in order of time."""

    __slots__ = ("name", "stories")

    def __init__(self, name: str, rules: Rules, births: Births) -> None:
        self.name = name
        self.stories = [Story(rules, births)]

    def take_all(self, facts: Sequence[Fact]) -> None:
        """Take facts that are sorted by time, all later than the facts that were taken before."""
        count, index = len(facts), 0
        while index < count:
            fact, after = facts[index], index + 1
            at = fact.at
            if after == count or facts[after].at != at:
                if len(self.stories) == 1:
                    self.stories[0].take(fact)
                else:
                    self.take((fact,))
                index = after
                continue
            while after < count and facts[after].at == at:
                after += 1
            self.take(facts[index:after])
            index = after

    def take(self, instant: Sequence[Fact]) -> None:
        """Take all facts of one instant."""
        if one_chain(instant):
            ordered = sorted(instant, key=attrgetter("position"))
            for story, fact in product(self.stories, ordered):
                story.take(fact)
        else:
            facts = sorted(instant, key=content)  # The order of arrival must not matter.
            self.stories = [new for story in self.stories for new in stories_after(story, facts)]
        if len(self.stories) > 1:
            self.stories = _cheapest(self.stories, instant[0])

    def best(self) -> list[Story]:
        """The stories with the fewest unseen facts."""
        lowest = min(story.cost for story in self.stories)
        return [story for story in self.stories if story.cost == lowest]


def _cheapest(stories: list[Story], fact: Fact) -> list[Story]:
    """The stories that can still win, without repetitions."""
    lowest = min(story.cost for story in stories)
    states = [story.state() for story in stories]
    by_state: dict[object, int] = {}
    for story, state in zip(stories, states, strict=True):
        by_state[state] = min(story.cost, by_state.get(state, story.cost))
    winning = {
        _outcome(story, fact): story
        for story, state in zip(stories, states, strict=True)
        if story.cost <= lowest + SLACK and story.cost == by_state[state]
    }
    kept = list(winning.values())
    if len(kept) > STORIES_MAX:
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
