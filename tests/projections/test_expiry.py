"""An agency that ends by itself: no event says so, so the present goes by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted, AgencyExpiryChanged
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.truth.fact import FOREVER
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.values import instant_text
from projections.definitions.declared import FOLDED
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.worlds import BEGINNING, See, World

NOW = datetime.now(UTC)
PAST, FUTURE = NOW - timedelta(days=1), NOW + timedelta(days=1)
AFTER = FUTURE + timedelta(days=1)


def minute(at: datetime) -> int:
    return int((at - BEGINNING) / timedelta(minutes=1))


def created(until: datetime | None) -> list[See]:
    """An agency that was created, and may act under a policy in all regions."""
    made = AgencyCreated(agency="a", trustee="service:s", duration="…", expires_at=until)
    return [
        See(made, 1),
        See(PermissionGranted(agency="a", region="*", policy="p"), 2),
    ]


def statuses(views: Views, when: AsOf | None = None) -> dict[str, list[Any]]:
    """The status of every row of every folded view."""
    return {
        name: [row["status"] for row in views.read(name, as_of=when).dicts()] for name in FOLDED
    }


def standing(agency: str, trust: str, permission: str) -> dict[str, list[Any]]:
    return {
        "agencies": [agency],
        "trustees": [trust],
        "regions": [permission],
        "boundaries": [],
        "policies": [],
    }


STANDS = standing("exists", "trusted", "granted")
EXPIRED = standing("expired", "ended", "revoked")


def shown(place: Place, steps: list[See]) -> World:
    made = World(place)
    for step in steps:
        made.take(step)
    return made


@pytest.mark.parametrize(("until", "expected"), [(PAST, EXPIRED), (FUTURE, STANDS), (None, STANDS)])
def test_the_present_ends_an_agency_when_its_time_has_come(
    place: Place, until: datetime | None, expected: object
) -> None:
    made = shown(place, created(until))
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        assert statuses(views) == expected
        for name in FOLDED:
            rows = [tuple(row) for row in views.query(f"SELECT * FROM {name}").rows]
            assert rows == views.read(name).rows, "free SQL has the same clock"
    made.ledger.close()


def test_an_answer_about_a_time_ends_it_at_its_end_and_names_nobody(place: Place) -> None:
    made = shown(place, created(FUTURE))
    last = made.ledger.last_position()
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        assert statuses(views, AsOf(last, FUTURE - timedelta(seconds=1))) == STANDS
        assert statuses(views, AsOf(last, FUTURE)) == EXPIRED
        [row] = views.read("regions", as_of=AsOf(last, AFTER)).dicts()
        found = [row[name] for name in ("actor", "origin", "note")]
        assert found == ["", "inferred", "expired"]
        assert datetime.fromisoformat(row["since"]) == FUTURE
    made.ledger.close()


def test_as_known_at_a_position_it_had_ended_if_that_was_recorded_after_its_end(
    place: Place,
) -> None:
    """The clock of that answer is the time at which the position was recorded."""
    made = World(place)
    recorded = made.ledger  # Its clock begins a hundred days after the beginning.
    until = BEGINNING + timedelta(days=100, minutes=30)
    for step in created(until):
        made.take(step)
    before = recorded.last_position()
    for _ in range(40):  # One minute each.
        made.take(See(PermissionGranted(agency="b", region="*", policy="p"), 3))
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        where = {"agency": "a"}
        for when, status in ((AsOf(before), "exists"), (AsOf(recorded.last_position()), "expired")):
            [row] = views.read("agencies", as_of=when, where=where).dicts()
            assert row["status"] == status
    recorded.close()


def test_an_expiry_that_is_taken_back_ends_nothing(place: Place) -> None:
    made = shown(place, [*created(FUTURE), See(AgencyExpiryChanged(agency="a"), 3)])
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        assert statuses(views) == STANDS
        assert statuses(views, AsOf(made.ledger.last_position(), AFTER)) == STANDS
    made.ledger.close()


def test_an_agency_shows_when_it_ends_and_a_change_of_that_makes_no_new_one(place: Place) -> None:
    later = FUTURE + timedelta(days=9)
    changes = [
        See(AgencyExpiryChanged(agency="a", expires_at=later), 3),
        See(AgencyExpiryChanged(agency="a", duration="FOREVER"), 4),
        See(AgencyDeleted(agency="a"), 5),
    ]
    made = shown(place, [*created(FUTURE), *changes])
    last = made.ledger.last_position()
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        found = []
        for at in (2, 3, 4, 5):
            when = AsOf(last, BEGINNING + timedelta(minutes=at))
            [row] = views.read("agencies", as_of=when).dicts()
            until = row["expires_at"] and datetime.fromisoformat(row["expires_at"])
            found.append((row["status"], row["since"], until))
        since, ended = (instant_text(BEGINNING + timedelta(minutes=at)) for at in (1, 5))
        assert found == [
            ("exists", since, FUTURE),
            ("exists", since, later),
            ("exists", since, FOREVER),
            ("deleted", ended, None),
        ]
    made.ledger.close()


def test_a_fact_whose_time_lies_ahead_of_our_clock_counts_at_once(place: Place) -> None:
    """The cloud said that it happened: its clock is ahead of ours."""
    steps = [*created(None), See(AgencyDeleted(agency="a"), minute(FUTURE))]
    made = shown(place, steps)
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        assert statuses(views) == standing("deleted", "ended", "revoked")
    made.ledger.close()


@pytest.mark.parametrize("until", [PAST, FUTURE])
def test_a_fact_after_the_expiry_is_the_only_present_answer(place: Place, until: datetime) -> None:
    """Also if both lie ahead of our clock: of one agency, one row is true."""
    revoked = PermissionRevoked(agency="a", region="*", policy="p")
    ended = [See(revoked, minute(AFTER)), See(AgencyDeleted(agency="a"), minute(AFTER) + 1)]
    made = shown(place, [*created(until), *ended])
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        for name, found in statuses(views).items():
            assert len(found) == (name not in ("boundaries", "policies")), name
        assert statuses(views)["agencies"] == ["deleted"]
        for position in range(made.ledger.last_position() + 1):
            for name, found in statuses(views, AsOf(position)).items():
                assert len(found) <= 1, (name, position)
    made.ledger.close()


def test_a_rebuild_has_the_same_digest_whatever_the_time(path: Path) -> None:
    made = shown(path, created(FUTURE))
    with Views.open(path, load_catalogue()) as views:
        certificate = views.rebuild()
        assert certificate.equal
        assert {part.name: part.rows for part in certificate.projections}["agencies"] == 2
    made.ledger.close()
