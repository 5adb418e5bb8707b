"""A word of a question occurs if a trace told it, as a name or as an id."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from ledger.account.permissions import PermissionGranted
from ledger.catalogue import load_catalogue
from projections.stores import postings
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.worlds import See, World


@pytest.mark.parametrize(
    ("name", "word"),
    [("agency", "A1"), ("policy", "P1"), ("region", "R1"), ("account", "1"), ("policy", "q")],
)
def test_an_id_that_a_trace_has_occurs(place: Place, name: str, word: str) -> None:
    """Views show things by ids whose names were never told, so questions are asked by them."""
    made = World(place)
    by_ids = PermissionGranted(agency_id="A1", project_id="R1", policy_id="P1")
    made.take(See(by_ids, 1, account="1"))
    made.take(See(PermissionGranted(agency="a", region="*", policy="q"), 1, account="1"))
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        assert views.unknown_words({name: word}) == []
        [other] = views.unknown_words({name: f"{word}{word}x"})
        assert other.value == f"{word}{word}x"
    made.ledger.close()


def test_a_word_occurs_wherever_in_the_history_it_stands(place: Place) -> None:
    """In full blocks of the posting lists, in recent ones, and in entries without lists."""
    made = World(place)
    for number in range(1, 27):
        event = PermissionGranted(
            agency=f"agency-{number:02}", region=f"region-{number:02}", service="cce"
        )
        made.take(See(event, number, account=f"account-{number:02}"))
    with (
        patch.object(postings, "FULL", postings.Level("postings", 16)),
        patch.object(postings, "RECENT", postings.Level("postings_recent", 8)),
        Views.open(place, load_catalogue()) as views,
    ):
        last = views.catch_up()
        full, posted = postings.posted(views._store.connection)
        assert 0 < full < posted < last
        for number in range(1, 27):
            words = {name: f"{name}-{number:02}" for name in ("account", "agency", "region")}
            assert views.unknown_words(words) == []
            unknown = views.unknown_words({name: f"{word}x" for name, word in words.items()})
            assert [each.near[0] for each in unknown] == list(words.values())
        assert views.unknown_words({"uses": "cce"}) == []
        [asking] = views.unknown_words({"service": "cce"})
        assert asking.elsewhere == "uses"
    made.ledger.close()
