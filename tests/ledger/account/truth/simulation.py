"""Many seeded histories: the fold's answers compared with the judge's and with the truth.

`python -m tests.ledger.account.truth.simulation [HISTORIES] [FIRST_SEED]` prints the shares.
"""

from __future__ import annotations

import sys
from collections import Counter
from random import Random

from ledger.account.truth.rules import AWS, HUAWEICLOUD
from tests.ledger.account.truth.cloud import Cloud, arrive, compared, folded, judge

LOST: tuple[float, ...] = (0.0, 0.2, 0.4)


def one_history(seed: int) -> Counter[str] | None:
    """Compares one history. Returns None if it has too many orders to judge."""
    random = Random(seed)
    rules = random.choice((AWS, HUAWEICLOUD))
    cloud = Cloud(random, rules, calls=random.randint(2, 9), ids=random.random() < 0.5)
    lost = random.choice(LOST)
    facts = arrive([one for one in cloud.facts if random.random() >= lost], random)
    right = judge(facts, rules) if facts else None
    if right is None:
        return None
    return compared(folded(facts, rules), right)


def many(histories: int, first: int = 0) -> tuple[Counter[str], list[int]]:
    """The counts over many seeds, and the seeds with a wrong answer."""
    counts: Counter[str] = Counter()
    wrong = []
    for seed in range(first, first + histories):
        found = one_history(seed)
        if found is None:
            counts["not judged"] += 1
            continue
        counts += found
        if any(name.startswith("wrong") for name in found):
            wrong.append(seed)
    return counts, wrong


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    totals, seeds = many(*(given or [10_000]))
    sys.stdout.write(f"{dict(totals)}\nseeds with a wrong answer: {seeds[:20]}\n")
    sys.exit(bool(seeds))
