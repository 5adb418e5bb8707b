"""The orders in which the facts of one instant may have happened.

Facts of one chain (one trace; the commanded facts) keep the order of their positions:

    chains   [create, grant]  [revoke]
    orders   create grant revoke │ create revoke grant │ revoke create grant
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ledger.account.truth.fact import Fact

ORDERED_MAX: Final = 6
"""More facts of a kind in one instant are not ordered: their result is not known."""

Order = tuple[Fact, ...]


def chain_of(fact: Fact) -> object:
    """Facts with equal chains keep their order."""
    if fact.origin == "commanded":
        return "commanded"
    return (fact.trace,) if fact.trace is not None else fact.position


def chains(facts: Sequence[Fact]) -> list[list[Fact]]:
    """The facts by chain, each chain in order. The chains' order depends on their content only."""
    found: dict[object, list[Fact]] = {}
    for fact in sorted(facts, key=lambda fact: fact.position):
        found.setdefault(chain_of(fact), []).append(fact)
    return sorted(found.values(), key=lambda chain: [content(fact) for fact in chain])


def content(fact: Fact) -> tuple[str, ...]:
    """The fact without its position, as texts that sort."""
    return tuple("" if value is None else str(value) for value in (*fact[:3], *fact[4:]))


def one_chain(facts: Sequence[Fact]) -> bool:
    """Whether the order of the facts is given."""
    first = chain_of(facts[0])
    return all(chain_of(fact) == first for fact in facts)


def orders(facts: Sequence[Fact]) -> Iterator[Order]:
    """All orders of the facts that keep each chain's order."""
    return _merged([tuple(chain) for chain in chains(facts)])


def _merged(heads: list[Order]) -> Iterator[Order]:
    if not heads:
        yield ()
        return
    for index, chain in enumerate(heads):
        rest = [chain[1:]] if len(chain) > 1 else []
        for order in _merged(heads[:index] + rest + heads[index + 1 :]):
            yield (chain[0], *order)


Placement = tuple[Order, ...]
"""Facts placed among movements: those before the first movement, …, those after the last."""


def placements(path: Order, facts: Sequence[Fact]) -> Iterator[Placement]:
    """All ways to place facts among the movements of a path, keeping each chain's order."""
    for order in orders(facts):
        yield from _placed(path, order)


def _placed(path: Order, order: Order) -> Iterator[Placement]:
    """The ways to cut an order of facts into the parts before, between and after the movements."""
    if not path:
        yield (order,)
        return
    for cut in range(len(order) + 1):
        before, after = order[:cut], order[cut:]
        if any(must_precede(move, fact) for move in path for fact in before):
            break
        if any(must_precede(fact, path[0]) for fact in after):
            continue
        for rest in _placed(path[1:], after):
            yield (before, *rest)


def must_precede(first: Fact, then: Fact) -> bool:
    """Whether two facts are of one chain, and the first happened before the other."""
    return first.position < then.position and chain_of(first) == chain_of(then)
