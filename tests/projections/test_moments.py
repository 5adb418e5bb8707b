"""A role that sees only the views gets the same times, positions and names as from the ledger."""

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

NOW = BEGINNING + timedelta(days=160)


def test_a_position_is_moved_to_the_same_commit_boundary(world: World, views: Views) -> None:
    world.take(See(AgencyDeleted(agency="asm_admin_trust"), 1))
    views.catch_up()
    last = world.ledger.last_position()
    found = {views.resolve(f"@{position}", None, NOW) for position in range(last + 1)}
    for position in range(last + 1):
        said = views.resolve(f"@{position}", None, NOW)
        assert said == world.ledger.resolve(f"@{position}", None), position
    assert 1 < len(found) < last, "some commands had several events"


def test_a_time_has_the_same_position(world: World, views: Views) -> None:
    entries = list(world.ledger.history())
    recorded = [entry.recorded_at for entry in entries]
    microsecond = timedelta(microseconds=1)
    for at in {*recorded, *(each - microsecond for each in recorded), recorded[-1] + microsecond}:
        text = instant_text(at)
        assert views.resolve(None, text, NOW) == world.ledger.resolve(None, text), text
        assert views.resolve("-3d", text, NOW) is not None


def test_now_needs_no_position_and_a_future_position_is_refused(views: Views) -> None:
    assert views.resolve(None, None, NOW) is None
    with pytest.raises(InvalidInput, match="Position 4711 is not written yet"):
        views.resolve("@4711", None, NOW)


def test_no_question_is_answered_beyond_the_views_tracking(world: World, views: Views) -> None:
    before = views.reached()
    world.take(See(AgencyDeleted(agency="asm_admin_trust"), 1))
    assert world.ledger.last_position() > before
    assert views.resolve("-0s", None, NOW) == AsOf(before, NOW)
    assert views.resolve(None, "-0s", NOW) == AsOf(before)
    with pytest.raises(InvalidInput, match=f"The last position is {before}"):
        views.resolve(f"@{before + 1}", None, NOW)


@pytest.mark.parametrize("at_once", [1, 500])
def test_names_are_the_same_and_erased_ones_are_missing(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(asked, "PARAMETERS_MAX", at_once)
    actors = {str(entry.actor) for entry in world.ledger.history() if entry.actor}
    before = views.subject_names(actors)
    assert before == world.ledger.names(actors)
    assert "mallory" in before.values()
    mallory = world.ledger.subject("person", "mallory")
    assert mallory is not None
    world.ledger.erase(mallory.subject)
    assert set(before) - set(views.subject_names(actors)) == {mallory.subject}
    assert views.subject_names([]) == {}
