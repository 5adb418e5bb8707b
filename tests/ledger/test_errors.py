"""One tree of errors; each says what happened and what to do."""

from __future__ import annotations

import inspect
import re

import pytest

from ledger import errors
from ledger.errors import LedgerError, Refused

KINDS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LedgerError)
]


def test_the_tree_drawn_at_the_top_is_the_tree_of_classes() -> None:
    drawn: dict[str, str] = {}
    path = ["LedgerError"]
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"([│ ]*)[├└]── (\w+)", line):
            depth = len(match[1]) // 4 + 1
            path[depth:] = [match[2]]
            drawn[match[2]] = path[depth - 1]
    assert drawn == {
        kind.__name__: kind.__bases__[0].__name__ for kind in KINDS if kind is not LedgerError
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_class_says_in_a_sentence_what_happened(kind: type[LedgerError]) -> None:
    assert (kind.__doc__ or "").strip().endswith((".", "dry)."))


def test_an_error_says_first_what_happened_and_then_what_to_do() -> None:
    assert str(LedgerError("It rains.", remedy="Take a coat.")) == "It rains. Take a coat."
    assert str(LedgerError("It rains.")) == "It rains."


def test_a_refusal_carries_the_entries_of_the_attempt() -> None:
    refused = Refused("No.", entries=(1, 2))
    assert refused.entries == (1, 2)
    assert not refused.dry_run
