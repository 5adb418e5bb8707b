"""Two instants compared while the cloud's own recording was off: changes may be missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.witness import RecordingChanged
from ledger.as_of import AsOf
from ledger.messages import Observation
from projections.audit.diff import diff
from projections.audit.difference import Difference, in_words
from tests.ledger.kept import AT, at_hour
from tests.projections.audit.test_passing import (
    Learn,
    at,
    by,
    hour,
    learned,
    learned_here,
    people,
    person,
)

__all__ = ["learned", "learned_here"]
NOTHING_RECORDED = "management events: none"


def change(number: int, kind: str, recorder: str = "main", **more: Any) -> Observation:
    region = more.pop("region", "r-1")
    event = RecordingChanged(recorder=recorder, change=kind, region=region, **more)  # type: ignore[arg-type]
    return at_hour(number, event)


def words(each: Difference) -> list[str]:
    return [one.what.removeprefix("the recording by ") for one in each.between]


def until(number: int) -> str:
    return f"{AT + timedelta(hours=number):until %Y-%m-%dT%H:%M:%SZ}"


def test_a_time_without_recording_is_named_with_its_people(learned: Learn) -> None:
    views = learned(by("eve", change(10, "stopped")), change(14, "started"))
    for later in (at(views, 40), None):
        (each,) = diff(views, at(views, 5), later)
        assert (each.change, each.key["recorder"]) == ("not recorded", "main")
        assert not each.is_difference
        assert (words(each), people(views, each)) == ([f"main was stopped, {until(14)}"], ["eve"])
        assert (each.since, person(views, each)) == (hour(10), "eve")
        assert in_words(each.after) == "recording stopped"


@pytest.mark.parametrize(
    ("before", "after", "is_between"),
    [(5, 9, False), (5, 10, True), (11, 12, True), (13, 40, True), (14, 40, False)],
)
def test_it_counts_if_any_of_it_lies_between_the_instants(
    learned_here: Learn, before: int, after: int, is_between: bool
) -> None:
    views = learned_here(change(10, "stopped"), change(14, "started"))
    assert bool(diff(views, at(views, before), at(views, after))) is is_between
    assert bool(diff(views, at(views, after), at(views, before))) is is_between


def test_a_call_that_only_the_later_position_knows_counts(learned_here: Learn) -> None:
    views = learned_here(change(10, "stopped"), change(14, "started"))
    last = views.last_position()
    (each,) = diff(views, AsOf(last - 2), AsOf(last))
    assert words(each) == [f"main was stopped, {until(14)}"]
    assert diff(views, AsOf(last), AsOf(last)) == []


NEVER = "and no call switched it on again"


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([change(10, "stopped")], [f"stopped, {NEVER}"]),
        ([change(10, "deleted"), change(11, "created")], [f"deleted, {until(11)}"]),
        ([change(10, "deleted"), change(11, "created", "other")], [f"deleted, {until(11)}"]),
        ([change(10, "stopped"), change(11, "started", "other")], [f"stopped, {NEVER}"]),
        ([change(10, "stopped"), change(11, "started", region="r-2")], [f"stopped, {NEVER}"]),
        (
            [change(10, "changed", detail=NOTHING_RECORDED), change(12, "started")],
            [f"changed: {NOTHING_RECORDED}, {NEVER}"],
        ),
        (
            [
                change(10, "changed", detail="management events: ReadOnly"),
                change(12, "changed", detail="management events: All"),
            ],
            [f"changed: management events: ReadOnly, {until(12)}"],
        ),
        ([change(10, "changed", detail="s3BucketName=b")], []),
        ([change(10, "stopped", outcome="refused")], []),
        ([change(10, "started")], []),
    ],
)
def test_some_calls_switch_recording_off_and_others_on_again(
    learned_here: Learn, calls: list[Observation], expected: list[str]
) -> None:
    views = learned_here(*calls)
    found = [word for each in diff(views, at(views, 5), at(views, 40)) for word in words(each)]
    assert found == [f"main was {words}" for words in expected]


def test_the_agency_that_the_recording_needs_ends_it_when_it_is_made_again(
    learned_here: Learn,
) -> None:
    views = learned_here(
        at_hour(6, AgencyCreated(agency="witness")),
        change(10, "deleted", "witness"),
        at_hour(12, AgencyCreated(agency="witness")),
    )
    (each,) = (one for one in diff(views, at(views, 7), at(views, 40)) if one.key.get("recorder"))
    assert words(each) == [f"witness was deleted, {until(12)}"]
    assert [one.change for one in diff(views, at(views, 13), None)] == []


def test_another_account_s_recording_does_not_count_if_one_is_asked_for(
    learned_here: Learn,
) -> None:
    views = learned_here(change(10, "stopped"))
    assert diff(views, at(views, 5), None, where={"account": "another"}) == []
    assert len(diff(views, at(views, 5), None, where={"region": "r-9"})) == 1
