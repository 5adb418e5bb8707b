"""A real account: the views say what the files say, in every order and grouping of the files."""

from __future__ import annotations

from typing import Final

import pytest

from tests.cases.fresh import fresh, import_all
from tests.cases.invictus import FOLDER, Imports, of_order, of_views, orders
from tests.cases.missing import need
from tests.cases.orders import Answers, answers, differences
from tests.cases.raw_counts import counts


@pytest.fixture(scope="module")
def expected() -> Answers:
    need(FOLDER)
    _, first = next(orders())
    return of_order(first)


def test_the_views_say_what_the_files_say() -> None:
    need(FOLDER)
    with fresh() as cli:
        import_all(cli.ledger, "cloudtrail", next(orders())[1])
        assert of_views(cli) == counts(FOLDER)


def test_a_rebuild_gives_the_same_answers(expected: Answers) -> None:
    with fresh() as cli:
        import_all(cli.ledger, "cloudtrail", next(orders())[1])
        assert differences(expected, answers(cli.ledger, rebuilt=True)) == []


_PLAYED: Final = list(orders())[1:6]
"""Some of the orders. `python -m tests.cases.invictus` plays them all."""


@pytest.mark.parametrize("imports", [pytest.param(imports, id=name) for name, imports in _PLAYED])
def test_any_order_and_grouping_gives_the_same_answers(expected: Answers, imports: Imports) -> None:
    assert differences(expected, of_order(imports)) == []
