"""Small histories give the right answers, in every order of arrival.

`python -m tests.cases` prints the same, with what was expected and what came out; it plays every
order of arrival, and the tests here play a few of each case.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.cases.case import SHARED, Case
from tests.cases.given import GIVEN
from tests.cases.missing import need
from tests.cases.orders import outcomes as of_orders
from tests.cases.own import OWN
from tests.cases.play import Outcome, play

ORDERS_MAX: Final = 2
_CASES = [pytest.param(case, id=case.name) for case in (*GIVEN, *OWN)]


def _need_files(case: Case) -> None:
    if not case.is_own:
        need(SHARED)


def _wrong(outcomes: list[Outcome]) -> str:
    return "\n\n".join(
        "\n".join((each.says, each.asked, "expected", *each.expected, "got", *each.got))
        for each in outcomes
        if not each.right
    )


@pytest.mark.parametrize("case", _CASES)
def test_the_history_gives_the_right_answers(case: Case) -> None:
    _need_files(case)
    assert _wrong(play(case)) == ""


@pytest.mark.parametrize("case", _CASES)
def test_every_order_of_arrival_gives_the_same_answers(case: Case) -> None:
    _need_files(case)
    assert _wrong(of_orders(case, ORDERS_MAX)) == ""
