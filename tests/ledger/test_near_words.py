"""Near words: what is offered where an unknown word was given."""

from __future__ import annotations

import pytest

from ledger.errors import InvalidInput
from ledger.near_words import check_choice, did_you_mean, near

REGIONS = ("cn-north-1", "cn-north-4", "cn-east-3", "ap-southeast-3", "北京一")


@pytest.mark.parametrize(
    ("word", "first"),
    [("cn-nort-4", "cn-north-4"), ("CN-NORTH-1", "cn-north-1"), ("北京二", "北京一")],
)
def test_the_most_similar_word_comes_first_whatever_its_case(word: str, first: str) -> None:
    assert near(word, REGIONS)[0] == first


def test_a_word_that_is_like_none_is_offered_none() -> None:
    assert near("xyz", REGIONS) == []
    assert did_you_mean("xyz", ("a", "b")) == "Accepted: a, b."


def test_nothing_is_refused_where_no_words_are_listed() -> None:
    check_choice("region", "anything", ())
    check_choice("region", None, REGIONS)
    with pytest.raises(InvalidInput, match="The region 'cn-nort-4' is not valid"):
        check_choice("region", "cn-nort-4", REGIONS)
