"""The search of one instant: all stories that its facts allow, with the unseen facts they need.

    instant      D(old)  C(new)  A(policy)              3 facts, their order is not told
    paths        D C │ C D                              the orders of the movements
    placements   D C·A │ D·A·C │ A·D·C                  the places of each line's facts on a path
    stories      cost 0 │ 2 │ 1

Lines do not depend on each other, once the path is given: each line's facts are placed by
themselves. An instant without movements is one path of length 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod
from operator import attrgetter
from typing import Final, NamedTuple

from ledger.account.truth.fact import Call, Fact, LineKey
from ledger.account.truth.life import Key, Life
from ledger.account.truth.lines import cheapest
from ledger.account.truth.orders import (
    ORDERED_MAX,
    Order,
    Placement,
    chain_of,
    one_chain,
    orders,
    placements,
)
from ledger.account.truth.rules import MOVEMENTS
from ledger.account.truth.story import START, Story

STORIES_MAX: Final = 128
PATH_SLACK: Final = 1
"""A path that seems dearer by this much may win yet, because lines share an unseen creation."""
_VALUES: Final[dict[Call, Key]] = {
    "trust set": "trust",
    "expiry set": "expiry",
    "content set": "content",
    "boundary set": "boundary",
    "boundary removed": "boundary",
}


def stories_after(story: Story, instant: Sequence[Fact]) -> Iterator[Story]:
    """The stories that follow from one, after all facts of an instant."""
    if is_plain(story, instant):
        _take_lines(story, instant)
        yield story
    else:
        yield from _searched(story, instant)


def is_plain(story: Story, instant: Sequence[Fact]) -> bool:
    """Whether an instant moves nothing, so that each of its lines stands by itself."""
    return not any(fact.call in MOVEMENTS for fact in instant) and _of_one_thing(story, instant)


def assigned(instant: Sequence[Fact]) -> list[list[Fact]]:
    """The instant, once for each way to say which permissions its facts mean.

    If there are too many ways, each permission that may be meant is in doubt.
    """
    stated = [fact for fact in instant if not fact.others]
    doubtful = [fact for fact in instant if fact.others]
    choices = [(fact.key, *fact.others) for fact in doubtful]
    if len(doubtful) > ORDERED_MAX or prod(map(len, choices)) > STORIES_MAX:
        each = [(fact, key) for fact, keys in zip(doubtful, choices, strict=True) for key in keys]
        return [stated + [fact._replace(call="doubted", key=key, others=()) for fact, key in each]]
    return [
        stated + [_meant(fact, key) for fact, key in zip(doubtful, keys, strict=True)]
        for keys in product(*choices)
        if _in_order(doubtful, keys)
    ]


def _meant(fact: Fact, key: LineKey | None) -> Fact:
    return fact._replace(key=key, others=())


def _in_order(facts: Sequence[Fact], keys: Sequence[LineKey | None]) -> bool:
    """Whether facts of one chain mean things in the order in which these began."""
    ranks = [(fact.key, *fact.others).index(key) for fact, key in zip(facts, keys, strict=True)]
    stated = list(zip(facts, ranks, strict=True))
    return not any(
        first.position < then.position
        and chain_of(first) == chain_of(then)
        and {first.key, *first.others} == {then.key, *then.others}
        and earlier > later
        for first, earlier in stated
        for then, later in stated
    )


def _of_one_thing(story: Story, instant: Sequence[Fact]) -> bool:
    """Whether all facts are about one thing, in every order."""
    ids = {fact.id for fact in instant if fact.id is not None}
    if type(story.life) is Life:
        return ids <= {story.life.id}
    return not ids or (len(ids) == 1 and ids.isdisjoint(story.births))


# -- an instant of one thing: each line by itself --------------------------------------------------


def _take_lines(story: Story, instant: Sequence[Fact]) -> None:
    proofs = [fact for fact in instant if fact.call != "ended"]
    proofs.sort(key=lambda fact: fact.id is None)
    for proof in proofs:
        if proof.consequence_of is None:
            story.present(proof)
            break
    for facts in _by_line(instant):
        if len(facts) == 1 or one_chain(facts):
            for fact in sorted(facts, key=attrgetter("position")):
                story.take(fact)
        elif len(facts) > ORDERED_MAX:
            story.take(facts[0]._replace(call="doubted"))
        else:
            _take_line(story, facts)


def _take_line(story: Story, facts: Sequence[Fact]) -> None:
    """Take facts of one key in all orders; keep the alternatives with the fewest unseen facts."""
    tried = [_tried(story, order) for order in orders(facts)]
    best = min(tried, key=attrgetter("cost"))
    key = line_of(facts[0])
    story.cost, story.life, story.past = best.cost, best.life, best.past
    runs = [
        (one.cost + run.dearer, run)
        for one in tried
        if key is not None and type(one.life) is Life
        for run in one.life.lines.get(key, ())
    ]
    if key is not None and type(story.life) is Life and runs:
        story.life.lines[key], _ = cheapest(runs)


def _tried(story: Story, order: Iterable[Fact]) -> Story:
    fork = story.fork()
    for fact in order:
        fork.take(fact)
    return fork


def line_of(fact: Fact) -> Key | None:
    """The line that a fact changes; None for one that only proves that the thing exists."""
    if fact.key is not None:
        return fact.key
    return _VALUES.get(fact.call)


def _by_line(facts: Iterable[Fact]) -> list[list[Fact]]:
    """The facts by line. A fact without a line stands alone.

    Expiries come first: what is set in an instant explains a use of that instant.
    """
    found: dict[object, list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: fact.call != "expiry set"):
        found.setdefault(line_of(fact) or fact.position, []).append(fact)
    return list(found.values())


# -- an instant with movements: their orders, and the places of the other facts among them ---------


def _searched(story: Story, instant: Sequence[Fact]) -> Iterator[Story]:
    """The stories after an instant in which the name may have changed hands."""
    moves = [fact for fact in instant if fact.call in MOVEMENTS]
    others = _by_line(fact for fact in instant if fact.call not in MOVEMENTS)
    moves += _identities(story, instant, moves)
    if len(moves) > ORDERED_MAX:
        yield _unsearched(story, instant)
        return
    priced = [(_prices(story, path, others), path) for path in _paths(moves, others)]
    bounds = [sum(price.cost for price in prices) for prices, _ in priced]
    lowest = min(bounds)
    for (prices, path), bound in zip(priced, bounds, strict=True):
        if bound <= lowest + PATH_SLACK:
            yield from _of_path(story, path, prices, lowest + PATH_SLACK - bound)


def _identities(story: Story, instant: Sequence[Fact], moves: Sequence[Fact]) -> Iterator[Fact]:
    """Proofs of ids that are not known yet. Which comes first decides which thing has an id."""
    known = {fact.id for fact in moves} | {life.id for life in story.lives()}
    proofs = {fact.id: fact for fact in instant if not fact.consequence_of}
    new = [fact for name, fact in proofs.items() if name is not None and name not in known]
    if len(new) > 1 or any(fact.id is None for fact in moves):
        for fact in new:
            yield _evidence(fact)


def _evidence(fact: Fact) -> Fact:
    """The proof of a thing, without what else the fact says."""
    return fact._replace(call="evidence", key=None, trace=None, origin="observed")


def _paths(moves: Sequence[Fact], others: Sequence[Sequence[Fact]]) -> Iterator[Order]:
    """The orders of the movements, each also with one unseen creation at every place."""
    proofs = [fact for facts in others for fact in facts if fact.consequence_of is None]
    for path in orders(moves):
        yield path
        for proof in proofs[:1]:
            unseen = proof._replace(call="unseen", id=None, trace=None, key=None, origin="observed")
            for place in range(len(path) + 1):
                yield (*path[:place], unseen, *path[place:])


def replaced(story: Story, instant: Sequence[Fact]) -> Iterator[Story]:
    """The stories in which a thing lost its name within an instant, and nobody saw it.

    The thing has an id. Another thing, of which no id is known yet, has the name since then: the
    fact that follows changes a line of it.
    """
    moves = [fact for fact in instant if fact.call in MOVEMENTS]
    rest = [fact for fact in instant if fact not in moves and (line_of(fact) or fact.id)]
    moves += {
        fact.id: _evidence(fact) for fact in rest if fact.id and not fact.consequence_of
    }.values()
    if len(moves) >= ORDERED_MAX or not any(map(line_of, rest)):
        return
    others = _by_line(rest)
    for path in _paths(moves, others):
        if any(fact.call == "unseen" for fact in path):
            prices = _prices(story, path, others)
            yield from filter(_is_replaced, _of_path(story, path, prices, PATH_SLACK))


def _is_replaced(story: Story) -> bool:
    life = story.life
    if type(life) is not Life or life.begun.call != "unseen" or life.id is not None:
        return False
    return bool(story.past) and story.past[-1].id is not None and story.past[-1].end == "not seen"


class Price(NamedTuple):
    """The unseen facts that one line's facts add to a path, and the places that need so many."""

    cost: int
    places: list[Placement]
    dearer: list[Placement]
    """The places that need one unseen fact more."""


def _prices(story: Story, path: Order, others: Sequence[Sequence[Fact]]) -> list[Price]:
    """The cost of the path alone, and what each line's facts add at the best of their places."""
    alone = _tried(_bare(story, None), path).cost - story.cost
    prices = [Price(alone, [(*((),) * (len(path) + 1),)], [])]
    for facts in others:
        bare = _bare(story, line_of(facts[0]))
        if len(facts) > ORDERED_MAX:
            doubt = facts[0]._replace(call="doubted")
            proofs = {fact.id: fact for fact in facts if fact.id and not fact.consequence_of}
            known = (doubt, *(_evidence(fact) for fact in proofs.values()))
            prices.append(Price(0, [(*((),) * len(path), known)], []))
            continue
        tried = [
            (_tried(bare, _woven(path, (place,))).cost, place) for place in placements(path, facts)
        ]
        lowest = min(cost for cost, _ in tried)
        best = [place for cost, place in tried if cost == lowest]
        dearer = [place for cost, place in tried if cost == lowest + 1]
        prices.append(Price(lowest - story.cost - alone, best, dearer))
    return prices


def _bare(story: Story, key: object) -> Story:
    """The story with one line only, so that its cost does not count the other lines."""
    bare = story.fork()
    if type(bare.life) is Life:
        bare.life.lines = {one: line for one, line in bare.life.lines.items() if one == key}
    return bare


def _woven(path: Order, places: Sequence[Placement]) -> Order:
    """One order of the movements and of all placed facts."""
    woven: list[Fact] = []
    for index in range(len(path) + 1):
        for place in places:
            woven += place[index]
        woven += path[index : index + 1]
    return tuple(woven)


def _of_path(story: Story, path: Order, prices: Sequence[Price], slack: int) -> Iterator[Story]:
    """The stories of a path: one for each combination of good places.

    With slack, also those in which one line's facts have places that are dearer by one.
    """
    combinations = list(_choices([price.places for price in prices]))
    if not combinations:
        combinations = list(_choices(_undecided(story, path, prices)))
    if not combinations:
        facts = [fact for price in prices for part in price.places[0] for fact in part]
        yield _unsearched(story, [*path, *facts])
        return
    for index, price in enumerate(prices if slack > 0 else ()):
        places = [one.places for one in prices]
        combinations += _choices([*places[:index], price.dearer, *places[index + 1 :]])
    for combination in combinations:
        if _proved(path, combination):
            yield _tried(story, _woven(path, combination))


def _choices(places: Sequence[list[Placement]]) -> Iterator[tuple[Placement, ...]]:
    """All combinations of places; none if there are too many."""
    if prod(len(each) for each in places) <= STORIES_MAX:
        yield from product(*places)


def _undecided(story: Story, path: Order, prices: Sequence[Price]) -> list[list[Placement]]:
    """The places, where lines with several are in doubt instead. They still prove a thing."""
    decided = [price.places for price in prices if len(price.places) == 1]
    open_facts = [
        [fact for part in price.places[0] for fact in part]
        for price in prices
        if len(price.places) > 1
    ]
    proofs = {fact.id: fact for facts in open_facts for fact in facts if not fact.consequence_of}
    evidence = [[_evidence(fact)] for fact in proofs.values()]
    proven = [price.places for price in _prices(story, path, evidence)[1:]]
    doubts = tuple(
        facts[0]._replace(call="doubted", id=None, consequence_of="doubt") for facts in open_facts
    )
    return [*decided, *proven, [(doubts,) * (len(path) + 1)]]


def _proved(path: Order, places: Sequence[Placement]) -> bool:
    """Whether every unseen creation of the path is needed by a fact that follows it.

    One that is not may have happened later too: a later fact infers it when it needs it.
    """
    return all(
        fact.call != "unseen" or any(place[index + 1] for place in places)
        for index, fact in enumerate(path)
    )


def _unsearched(story: Story, facts: Sequence[Fact]) -> Story:
    """The story after more facts than are searched: all things of the slot are in doubt."""
    fork = story.fork()
    known = {life.id for life in fork.lives()}
    made = [fact for fact in facts if fact.call in ("created", "entered")]
    ids = {fact.id: fact for fact in facts if fact.id is not None and fact not in made}
    begun = [Life(fact, seen=True) for fact in made]
    known |= {life.id for life in begun}
    begun += [Life(fact, seen=False) for name, fact in ids.items() if name not in known]
    fork.past, fork.life = (*fork.lives(), *begun), START
    doubted = doubtful([fork], facts[0])
    for life in doubted.past:
        if life.id is None and len(begun) > len(made):
            life.doubted_at = life.begun.at  # It may be the thing of which an id was proven.
    return doubted


def doubtful(stories: list[Story], fact: Fact) -> Story:
    """One story for too many: it knows nothing of the slot from this instant on."""
    story = Story(stories[0].rules, stories[0].births)
    story.doubtful = True
    lives = {id(life): life for one in stories for life in one.lives()}
    named = {life.begun.position for life in lives.values() if life.id is not None}
    for life in lives.values():
        since = fact.at
        if life.id is None and life.begun.position in named:
            since = life.begun.at  # In some stories, it is the thing with an id.
        life.doubted_at = min(life.doubted_at or since, since)
    story.past = tuple(lives.values())
    story.cost = stories[0].cost
    return story
