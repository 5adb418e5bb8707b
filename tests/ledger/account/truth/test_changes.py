"""The changes between spans: each that differs once, whichever way they are found."""

from __future__ import annotations

from itertools import product

from ledger.account.truth.changes import Change, composed, differences, differences_of_line
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import at

STATUSES = (None, "granted", "revoked")


def line(*statuses: str | None) -> list[Span]:
    """The spans of one permission: one each second, None where no span begins."""
    return [
        Span(
            "permission", "X1", "ci", "*", None, "admin", None, None, at(second), None,
            status, at(second), "carol", "observed", 1, None, None,
        )
        for second, status in enumerate(statuses)
        if status is not None
    ]  # fmt: skip


LINES = [line(*statuses) for statuses in product(STATUSES, repeat=3)]


def test_each_span_that_differs_is_one_change() -> None:
    before, after = line("granted", "revoked", None), line("granted", "granted", "revoked")
    assert differences(before, after) == [
        Change(before[1], after[1]),
        Change(None, after[2]),
    ]
    assert differences(after, before) == [
        Change(after[2], None),
        Change(after[1], before[1]),
    ]


def test_the_changes_of_a_line_are_the_same_however_they_are_found() -> None:
    for before, after in product(LINES, repeat=2):
        assert set(differences_of_line(before, after)) == set(differences(before, after))


def test_changes_of_two_steps_are_those_from_the_first_to_the_last() -> None:
    for before, between, after in product(LINES, repeat=3):
        steps = differences(before, between), differences(between, after)
        assert set(composed(*steps)) == set(differences(before, after))
