"""A word of a question occurs if a trace told it, as a name or as an id."""

from __future__ import annotations

import pytest

from ledger.account.permissions import PermissionGranted
from ledger.catalogue import load_catalogue
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
