"""The views' connection reads documents, also over a ledger that an older version made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import NotFound
from projections.views import Views
from tests.ledger.former_tables import make_former
from tests.ledger.kept import READ, TRUST, as_before, document, policy_seen, trust_seen
from tests.ledger.worlds import Place

CATALOGUE = load_catalogue()


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A ledger of the last version, without views."""
    on_file = request.param == "sqlite"
    place: Place = tmp_path / "ledger.db" if on_file else request.getfixturevalue("database")
    with Ledger(place) as ledger:
        ledger.observe([as_before(policy_seen("t1", READ))])
    make_former(place, 2)
    return place


def test_views_of_a_ledger_of_the_last_version_know_no_document(old: Place) -> None:
    with Views.open(old, CATALOGUE) as views:
        views.catch_up()
        assert len(views.read("policies").rows) == 1
        assert views.documents.rows() == []
        assert views.documents.texts([document(READ).digest]) == {}
        with pytest.raises(NotFound, match="No event refers"):
            views.documents.text(document(READ).digest)


def test_they_know_the_documents_that_are_kept_after_it_was_opened_for_writing(old: Place) -> None:
    Views.open(old, CATALOGUE).close()
    with Ledger(old) as ledger:
        ledger.observe([policy_seen("t1", READ), trust_seen("t2", TRUST)], complete=True)
    with Views.open(old, CATALOGUE) as views:
        views.catch_up()
        digests = [document(READ).digest, document(TRUST).digest]
        assert views.documents.texts(digests) == {
            digest: given.text
            for digest, given in zip(digests, (document(READ), document(TRUST)), strict=True)
        }
        types = [row[3] for row in views.documents.rows()]
        assert sorted(types) == ["AgencyCreated", "PolicyDocumentRecorded"]
