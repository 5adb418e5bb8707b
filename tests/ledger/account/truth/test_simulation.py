"""The fold against a simulated cloud that loses facts; see `simulation`, which runs many more."""

from __future__ import annotations

from random import Random

import pytest

from ledger.account.truth.derive import derive
from ledger.account.truth.rules import AWS, HUAWEICLOUD
from tests.ledger.account.truth.cloud import Cloud, arrive, compared, folded
from tests.ledger.account.truth.simulation import HISTORIES, by_cells, many


@pytest.mark.parametrize("way", HISTORIES)
def test_no_answer_differs_from_that_of_all_possible_orders(way: str) -> None:
    counts, wrong = many(300, first=1_000_000, way=way)
    assert wrong == []
    searched = way != "a policy's name handed over unseen"
    assert counts["right"] > (50 if searched else 20) * counts["not known"]


@pytest.mark.parametrize("way", HISTORIES)
def test_cells_that_learn_commit_by_commit_give_the_same_answers(way: str) -> None:
    assert many(150, first=2_000_000, way=way) == many(150, first=2_000_000, way=way, fold=by_cells)


@pytest.mark.parametrize(
    ("way", "seed"),
    [
        *(("as made", seed) for seed in (10, 170, 732, 1147, 3453, 4137, 5322)),
        *(("some facts twice", seed) for seed in (58, 531, 4543)),
        *(("with policies", seed) for seed in (1212, 1229, 2040)),
        *(("name handed over", seed) for seed in (20, 49, 244, 278, 507, 617, 1_000_185)),
    ],
)
def test_histories_that_found_a_fault_once_stay_right(way: str, seed: int) -> None:
    assert many(1, first=seed, way=way)[1] == []


def test_nothing_is_wrong_of_a_history_without_losses() -> None:
    for seed in range(150):
        random = Random(seed)
        rules = random.choice((AWS, HUAWEICLOUD))
        cloud = Cloud(random, rules, calls=random.randint(2, 9), ids=True)
        if not cloud.facts:
            continue
        found = {
            key: words
            for key, words in folded(derive(arrive(cloud.facts, random), rules)).items()
            if key[0].startswith("ID")
        }
        counts = compared(found, {key: cloud.truth[key] for key in found})
        assert counts["wrong"] == 0, f"seed {seed}"
