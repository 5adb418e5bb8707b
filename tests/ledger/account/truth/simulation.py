"""Many seeded histories: the fold's answers compared with the judge's.

`python -m tests.ledger.account.truth.simulation [HISTORIES] [FIRST_SEED] [--cells]` prints the
shares of right, not known and wrong answers, for each way in which the facts are told. With
`--cells`, the answers are those of cells that learn the facts in commits of one to three, and
apply what changed to a view.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.cloud import Cloud, arrive, compared, folded, judge
from tests.ledger.account.truth.policy_cloud import PolicyCloud, judge_with_policies
from tests.ledger.account.truth.policy_handover import (
    HandedOverCloud,
    folded_of_handovers,
    is_resolved,
    judge_of_handovers,
)

LOST: tuple[float, ...] = (0.0, 0.2, 0.4)
Fold = Callable[[Sequence[Fact], Rules], Sequence[Span]]
Told = Callable[[list[Fact], Random], list[Fact]]


# -- how facts are told ---------------------------------------------------------------------------


def as_made(facts: list[Fact], _: Random) -> list[Fact]:
    """The facts as they are."""
    return facts


def repeated(facts: list[Fact], random: Random) -> list[Fact]:
    """The facts, some of them twice, with traces of their own."""
    again = [one._replace(trace=None) for one in facts if random.random() < 0.3]
    return _numbered([*facts, *again])


def by_id(facts: list[Fact], random: Random) -> list[Fact]:
    """The facts, with the id instead of the name, or beside it, in any of the later calls.

    Of each id, one fact keeps its name: else nobody could know which name it has.
    """
    made = {one.at: one.id for one in facts if one.call == "created" and one.id is not None}
    stated: list[Fact] = []
    for one in sorted(facts, key=lambda fact: (fact.call != "created", fact.at)):
        named = any(other.id == one.id and other.name for other in stated)
        by_id_only = one.id is not None and named and one.call != "created"
        stated.append(one._replace(name=None) if by_id_only and random.random() < 0.6 else one)
    return _numbered(sorted(stated, key=lambda fact: fact.position)) if made else facts


def _numbered(facts: Sequence[Fact]) -> list[Fact]:
    return [one._replace(position=index) for index, one in enumerate(facts, start=1)]


# -- how facts are folded -------------------------------------------------------------------------


def by_cells(facts: Sequence[Fact], rules: Rules) -> Sequence[Span]:
    """The spans of a view to which cells report what changes, commit by commit."""
    cells, view, rest = Cells(rules), dict[tuple[object, ...], Span](), list(facts)
    random = Random(len(facts))
    while rest:
        count = random.randint(1, 3)
        commit, rest = rest[:count], rest[count:]
        cells.learn(commit)
        for before, after in cells.changes():
            span = after or before
            assert span is not None, "a change has a span"
            assert view.pop((*span.key, span.valid_from), None) == before, "a change fits the view"
            if after is not None:
                view[*span.key, span.valid_from] = after
    return list(view.values())


# -- histories ------------------------------------------------------------------------------------


def one_history(seed: int, stated: Told = as_made, fold: Fold = derive) -> Counter[str] | None:
    """Compares one history of an agency. Returns None if it has too many orders to judge."""
    random = Random(seed)
    rules = random.choice((AWS, HUAWEICLOUD))
    cloud = Cloud(random, rules, calls=random.randint(2, 9), ids=random.random() < 0.5)
    lost = random.choice(LOST)
    facts = arrive([one for one in cloud.facts if random.random() >= lost], random)
    facts = stated(facts, random)
    right = judge(facts, rules) if facts else None
    return compared(folded(fold(facts, rules)), right) if right is not None else None


def one_history_of_policies(
    seed: int, _: Told = as_made, fold: Fold = derive
) -> Counter[str] | None:
    """The same of an agency and a policy that lives."""
    random = Random(seed)
    rules = random.choice((AWS, HUAWEICLOUD))
    cloud = PolicyCloud(random, rules, calls=random.randint(2, 9), ids=random.random() < 0.5)
    lost = random.choice(LOST)
    facts = arrive([one for one in cloud.facts if random.random() >= lost], random)
    right = judge_with_policies(facts, rules) if facts else None
    return compared(folded(fold(facts, rules)), right) if right is not None else None


def one_history_of_handovers(
    seed: int, stated: Told = as_made, fold: Fold = derive
) -> Counter[str] | None:
    """The same of a name that changes hands: of its deletions and creations, most are lost."""
    random = Random(seed)
    rules = random.choice((AWS, HUAWEICLOUD))
    cloud = Cloud(random, rules, calls=random.randint(5, 9), ids=True, proofs=True)
    made = [
        one
        for one in cloud.facts
        if one.call not in ("created", "deleted") or random.random() < 0.3
    ]
    facts = stated(arrive(made, random), random)
    right = judge(facts, rules) if facts else None
    return compared(folded(fold(facts, rules)), right) if right is not None else None


def one_history_of_policy_handovers(
    seed: int, _: Told = as_made, fold: Fold = derive
) -> Counter[str] | None:
    """The same of a policy's name that changes hands, mostly unseen, and of two agencies."""
    random = Random(seed)
    rules = random.choice((AWS, HUAWEICLOUD))
    facts = arrive(HandedOverCloud(random, rules).facts, random)
    if not is_resolved(facts):
        return None
    found = folded_of_handovers(fold(facts, rules))
    return compared(found, judge_of_handovers(facts, rules))


HISTORIES: Final = {
    "as made": (one_history, as_made),
    "some facts twice": (one_history, repeated),
    "ids for names": (one_history, by_id),
    "with policies": (one_history_of_policies, as_made),
    "name handed over": (one_history_of_handovers, as_made),
    "a policy's name handed over unseen": (one_history_of_policy_handovers, as_made),
}


def many(
    histories: int, first: int = 0, way: str = "as made", fold: Fold = derive
) -> tuple[Counter[str], list[int]]:
    """The counts over many seeds, and the seeds with a wrong answer."""
    counts: Counter[str] = Counter()
    wrong = []
    compare, stated = HISTORIES[way]
    for seed in range(first, first + histories):
        found = compare(seed, stated, fold)
        if found is None:
            counts["not judged"] += 1
            continue
        counts += found
        if any(name.startswith("wrong") for name in found):
            wrong.append(seed)
    return counts, wrong


def main(arguments: Sequence[str]) -> bool:
    """Print the shares of each way. Returns whether any answer was wrong."""
    fold = by_cells if "--cells" in arguments else derive
    given = [int(argument) for argument in arguments if argument != "--cells"]
    histories, first = [*given, *(10_000, 0)[len(given) :]]
    failed = False
    for way in HISTORIES:
        counts, wrong = many(histories, first, way, fold)
        failed |= bool(wrong)
        shares = ", ".join(f"{name}: {count:,}" for name, count in sorted(counts.items()))
        sys.stdout.write(f"{way:36}{shares}; seeds with a wrong answer: {wrong[:20]}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
