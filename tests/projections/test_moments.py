"""Who sees the views alone is told the same about times, positions and names as the ledger says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.account.agency import AgencyDeleted
from ledger.as_of import AsOf
from ledger.errors import InvalidInput
from ledger.values import instant_text
from projections import views as asked
from projections.views import Views
from tests.projections.worlds import BEGINNING, See, World

NOW = BEGINNING + timedelta(days=40)


def test_a_position_is_put_on_the_same_boundary(told: World, views: Views) -> None:
    told.take(See(AgencyDeleted(agency="asm_admin_trust"), 1))
    views.catch_up()
    last = told.ledger.last_position()
    found = {views.resolve(f"@{position}", None, NOW) for position in range(last + 1)}
    for position in range(last + 1):
        said = views.resolve(f"@{position}", None, NOW)
        assert said == told.ledger.resolve(f"@{position}", None), position
    assert 1 < len(found) < last, "some commands had several events"


def test_a_time_means_the_same_position(told: World, views: Views) -> None:
    entries = list(told.ledger.history())
    recorded = [entry.recorded_at for entry in entries]
    microsecond = timedelta(microseconds=1)
    for at in {*recorded, *(each - microsecond for each in recorded), recorded[-1] + microsecond}:
        text = instant_text(at)
        assert views.resolve(None, text, NOW) == told.ledger.resolve(None, text), text
        assert views.resolve("-3d", text, NOW) is not None


def test_now_is_no_question_and_what_is_not_written_yet_is_told(views: Views) -> None:
    assert views.resolve(None, None, NOW) is None
    with pytest.raises(InvalidInput, match="Position 4711 is not written yet"):
        views.resolve("@4711", None, NOW)


def test_no_question_stands_where_the_views_have_not_come_to(told: World, views: Views) -> None:
    before = views.reached()
    told.take(See(AgencyDeleted(agency="asm_admin_trust"), 1))
    assert told.ledger.last_position() > before
    assert views.resolve("now", None, NOW) == AsOf(before, NOW)
    assert views.resolve(None, "9999-01-01", NOW) == AsOf(before)
    with pytest.raises(InvalidInput, match=f"The last position is {before}"):
        views.resolve(f"@{before + 1}", None, NOW)


@pytest.mark.parametrize("at_once", [1, 500])
def test_names_are_those_that_are_kept(
    told: World, views: Views, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(asked, "PLACES_AT_ONCE", at_once)
    actors = {str(entry.actor) for entry in told.ledger.history() if entry.actor}
    before = views.subject_names(actors)
    assert before == told.ledger.names(actors)
    assert "mallory" in before.values()
    mallory = told.ledger.subject("person", "mallory")
    assert mallory is not None
    told.ledger.erase(mallory.subject)
    assert set(before) - set(views.subject_names(actors)) == {mallory.subject}
    assert views.subject_names([]) == {}
