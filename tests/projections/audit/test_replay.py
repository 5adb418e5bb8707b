"""History event by event: sentences with the names that are kept, and effects."""

from __future__ import annotations

import pytest

from ledger.account.authorization import AuthorizationDeclined
from ledger.errors import InvalidInput
from projections.audit.replay import replay, span
from tests.projections.worlds import See, World


def test_every_entry_is_replayed_in_order(world: World) -> None:
    replayed = list(replay(world.ledger))
    assert [each.entry for each in replayed] == list(world.ledger.history())
    registered, login = replayed[:2]
    assert registered.sentence.startswith("alice is registered as p-")
    assert registered.actor == "somebody"
    assert login.actor == "alice"
    assert login.sentence == (
        "alice logged in to the console of asm in cn-north-4 and the authorization dialog opened"
    )
    assert login.effect.text == "counts as a login"
    changes = {each.effect.text for each in replayed}
    assert "authorization of asm in cn-north-4: requested → granted" in changes
    assert "authorization of asm in ap-southeast-3: requested → declined" in changes


def test_a_late_arrival_is_replayed_as_news_of_an_earlier_time(world: World) -> None:
    """It changes the past, and the present stays as it is."""
    declined = AuthorizationDeclined(service="asm", region="cn-north-4")
    world.take(See(declined, minute=1))
    *_, late = replay(world.ledger)
    assert late.entry.type == "AuthorizationDeclined"
    assert late.effect.text == (
        "authorization of asm in cn-north-4: stays granted (news of an earlier time)"
    )
    assert late.effect.is_late
    assert [each.effect.is_late for each in replay(world.ledger)].count(True) == 1


def test_a_part_is_replayed_as_it_is_in_the_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(replay(world.ledger))
    monkeypatch.setattr("projections.audit.replay.PAGE", 2)
    assert list(replay(world.ledger, 5, 12)) == whole[4:12]
    assert list(replay(world.ledger)) == whole


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(9, 3, "9 lies after"), (1, 999, "The last position is"), (999, None, "The last position is")],
)
def test_a_range_outside_of_the_history_is_refused_before_anything_is_read(
    world: World, first: int, last: int | None, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        span(world.ledger, first, last)
    with pytest.raises(InvalidInput, match=words):
        replay(world.ledger, first, last)


def test_a_range_without_an_end_goes_up_to_the_present(world: World) -> None:
    assert span(world.ledger, 3) == (3, world.ledger.last_position())
    assert span(world.ledger, 3, 4) == (3, 4)
