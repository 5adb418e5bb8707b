"""By a name, the trail and `why` find entries that have only the id, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyExpiryChanged,
)
from ledger.account.permissions import PermissionGranted
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.account.project import ProjectCreated, ProjectDeleted
from ledger.account.usage import TemporaryCredentialIssued
from ledger.as_of import AsOf
from ledger.messages import DomainEvent
from projections.audit.diff import diff
from projections.audit.trail import sentences
from projections.audit.why import why
from projections.definitions.audit_trail import TrailFilter
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.conftest import ACCOUNT
from tests.projections.worlds import ACCOUNTS, BEGINNING, See, World

HISTORY: tuple[DomainEvent, ...] = (
    PermissionGranted(agency_id="A1", project_id="R1", policy_id="P1"),
    AgencyCreated(agency="crane", agency_id="A1", trustee="service:cts"),
    PolicyCreated(policy="dock only", policy_id="P1"),
    ProjectCreated(region="eu-nl", project_id="R1"),
    AgencyExpiryChanged(agency_id="A1"),
    AgencyDeletionAttempted(agency_id="A1", outcome="refused"),
    PolicyChanged(policy="all docks", policy_id="P1"),
    PolicyDeleted(policy_id="P1"),
    ProjectDeleted(project_id="R1"),
    AgencyDeleted(agency_id="A1"),
)


@contextmanager
def learned(place: Place, *steps: See) -> Iterator[Views]:
    world = World(place)
    for step in steps:
        world.take(step)
    with Views.open(place, world.ledger.catalogue) as views:
        views.catch_up()
        yield views
    world.ledger.close()


@pytest.fixture
def views(place: Place) -> Iterator[Views]:
    steps = [See(event, minute) for minute, event in enumerate(HISTORY)]
    with learned(place, *steps) as views:
        yield views


def events(views: Views, **asked: str) -> list[str]:
    page = views.trail(TrailFilter(**asked), newest_first=False)  # type: ignore[arg-type]
    return [row["type"] for row in page.dicts()]


OF_THE_AGENCY = [
    "PermissionGranted",
    "AgencyCreated",
    "AgencyExpiryChanged",
    "AgencyDeletionAttempted",
    "AgencyDeleted",
]


@pytest.mark.parametrize("word", ["crane", "A1"])
def test_a_name_or_an_id_finds_all_entries_of_an_agency(views: Views, word: str) -> None:
    assert events(views, agency=word) == OF_THE_AGENCY


@pytest.mark.parametrize("word", ["dock only", "all docks", "P1"])
def test_each_name_of_a_policy_finds_the_entries_with_its_id(views: Views, word: str) -> None:
    found = events(views, policy=word)
    assert {"PermissionGranted", "PolicyDeleted"} <= {*found}
    assert ("PolicyCreated" in found) == (word != "all docks")


@pytest.mark.parametrize("word", ["eu-nl", "R1"])
def test_a_region_finds_the_entries_with_the_id_of_its_project(views: Views, word: str) -> None:
    assert events(views, region=word) == ["PermissionGranted", "ProjectCreated", "ProjectDeleted"]


def test_several_names_are_found_by_ids_at_once(views: Views) -> None:
    assert events(views, agency="crane", policy="dock only", region="eu-nl") == [
        "PermissionGranted"
    ]
    assert events(views, agency="crane", outcome="refused") == ["AgencyDeletionAttempted"]
    assert events(views, agency="crane", policy="another") == []


def test_pages_of_a_name_have_each_entry_once(views: Views) -> None:
    found: list[str] = []
    after, more = 0, True
    while more:
        page = views.trail(TrailFilter(agency="crane"), after=after, limit=1, newest_first=False)
        found += [row["type"] for row in page.dicts()]
        after, more = page.rows[-1][0], page.more
    assert found == OF_THE_AGENCY


def test_an_id_of_another_account_is_another_agency(place: Place) -> None:
    here, there = ACCOUNTS
    with learned(
        place,
        See(AgencyCreated(agency="crane", agency_id="A1"), 0, account=here),
        See(AgencyDeleted(agency_id="A1"), 1, account=there),
    ) as views:
        assert events(views, agency="crane") == ["AgencyCreated"]
        assert events(views, agency="A1") == ["AgencyCreated", "AgencyDeleted"]


def test_an_id_does_not_find_the_entries_of_another_id_of_its_name(place: Place) -> None:
    with learned(
        place,
        See(AgencyCreated(agency="crane", agency_id="A1"), 0),
        See(AgencyDeleted(agency_id="A1"), 1),
        See(AgencyCreated(agency="crane", agency_id="A2"), 2),
        See(TemporaryCredentialIssued(agency="crane", region="eu-nl"), 3),
    ) as views:
        assert events(views, agency="crane") == [
            "AgencyCreated", "AgencyDeleted", "AgencyCreated", "TemporaryCredentialIssued",
        ]  # fmt: skip
        assert events(views, agency="A1") == [
            "AgencyCreated", "AgencyDeleted", "TemporaryCredentialIssued",
        ]  # fmt: skip


@pytest.mark.parametrize("word", ["crane", "Crane", "CRANE", "AROA1"])
def test_spellings_that_the_cloud_does_not_tell_apart_are_one_name(place: Place, word: str) -> None:
    with learned(
        place,
        See(AgencyCreated(agency="Crane", agency_id="AROA1"), 0, provider="aws"),
        See(TemporaryCredentialIssued(agency="crane", region="*"), 1, provider="aws"),
        See(AgencyDeleted(agency_id="AROA1"), 2, provider="aws"),
        See(AgencyDeleted(agency="cranE"), 3, provider="huaweicloud"),
    ) as views:
        assert events(views, agency=word) == [
            "AgencyCreated", "TemporaryCredentialIssued", "AgencyDeleted",
        ]  # fmt: skip


def test_a_name_that_is_recorded_later_is_known_after_the_next_catch_up(place: Place) -> None:
    world = World(place)
    world.take(See(PermissionGranted(agency_id="A1", region="eu-nl", service="vpc"), 5))
    with Views.open(place, world.ledger.catalogue) as views:
        views.catch_up()
        assert events(views, agency="crane") == []
        world.take(See(AgencyCreated(agency="crane", agency_id="A1"), 1))
        views.catch_up()
        assert events(views, agency="crane") == ["PermissionGranted", "AgencyCreated"]


def test_the_chain_has_all_facts_of_a_thing_by_its_name_or_its_id(views: Views) -> None:
    changes = [link.event for link in why(views, agency="crane").links if link.role == "change"]
    assert [each for each in OF_THE_AGENCY if each != "AgencyDeletionAttempted"] == [
        each for each in changes if each not in ("PolicyChanged", "PolicyDeleted")
    ]


def test_the_end_of_a_policy_explains_the_end_of_a_permission(views: Views) -> None:
    chain = [link.event for link in why(views, agency="crane", region="eu-nl").links]
    assert chain == ["PermissionGranted", "PolicyChanged", "PolicyDeleted"]


def test_a_use_explains_an_agency_whose_creation_was_not_seen(place: Place) -> None:
    with learned(place, See(TemporaryCredentialIssued(agency="crane", region="eu-nl"), 0)) as views:
        [link] = why(views, agency="crane", account=ACCOUNT).links
    assert (link.event, link.role) == ("TemporaryCredentialIssued", "cause")


def test_attempts_by_id_are_counted_under_the_name(views: Views) -> None:
    attempts = views.read("attempts").dicts()
    rows = [(row["agency"], row["refused"]) for row in attempts if row["refused"]]
    assert rows == [("crane", 1)]


def test_attempts_are_counted_under_the_id_until_the_name_is_known(place: Place) -> None:
    with learned(
        place,
        See(AgencyDeletionAttempted(agency_id="A1", outcome="refused"), 5),
        See(PolicyDeletionAttempted(policy_id="P1", outcome="refused"), 6),
        See(PolicyDeletionAttempted(policy="dock only", outcome="carried-out"), 7),
        See(PolicyCreated(policy="dock only", policy_id="P1"), 0),
    ) as views:
        now = views.reached()

        def counted(as_of: AsOf | None) -> list[tuple[Any, ...]]:
            rows = views.read("attempts", as_of=as_of).dicts()
            return [
                tuple(row[c] for c in ("agency", "policy", "refused", "carried_out"))
                for row in rows
            ]

        assert counted(None) == [("", "dock only", 1, 1), ("A1", "", 1, 0)]
        assert counted(AsOf(now - 1)) == [
            ("", "P1", 1, 0), ("", "dock only", 0, 1), ("A1", "", 1, 0),
        ]  # fmt: skip
        assert counted(AsOf(now, BEGINNING + timedelta(minutes=6))) == [
            ("", "dock only", 1, 0), ("A1", "", 1, 0),
        ]  # fmt: skip


def test_sentences_have_the_name_of_an_id(views: Views) -> None:
    page = views.trail(TrailFilter(event="AgencyDeleted"))
    [said] = sentences(views, page.dicts())
    assert said == "bob deleted the agency crane (seen in a trace)"


def test_of_several_names_a_sentence_has_the_one_at_that_time(views: Views) -> None:
    page = views.trail(TrailFilter(policy="P1"), newest_first=False)
    said = dict(
        zip([row["type"] for row in page.dicts()], sentences(views, page.dicts()), strict=True)
    )
    assert said["PermissionGranted"] == (
        "crane may act under 'dock only' in eu-nl (seen in a trace)"
    )
    assert said["PolicyDeleted"] == "bob deleted the policy 'all docks' (seen in a trace)"
    links = why(views, policy="P1").links
    assert {link.what for link in links} >= {said["PermissionGranted"], said["PolicyDeleted"]}


def test_a_sentence_keeps_the_id_where_no_name_is_known_at_that_time(place: Place) -> None:
    """Of a project only the present names are kept, and it has two."""
    with learned(
        place,
        See(ProjectCreated(region="eu-nl", project_id="R1"), 0),
        See(ProjectCreated(region="eu-nl_2", project_id="R1"), 1),
        See(ProjectDeleted(project_id="R1"), 2),
    ) as views:
        [said] = sentences(views, views.trail(TrailFilter(event="ProjectDeleted")).dicts())
    assert "R1" in said


@pytest.mark.parametrize("asked", [{"agency": "A1"}, {"policy": "P1"}, {"region": "R1"}])
def test_an_id_is_a_known_word(views: Views, asked: dict[str, str]) -> None:
    assert views.unknown_words(asked) == []
    assert views.unknown_words(dict.fromkeys(asked, "X"))


@pytest.mark.parametrize("asked", [{"agency": "A1"}, {"policy": "P1"}, {"region": "R1"}])
def test_a_view_finds_a_permission_by_the_ids_of_what_it_is_about(
    views: Views, asked: dict[str, str]
) -> None:
    [granted] = views.trail(TrailFilter(event="PermissionGranted")).dicts()
    last = views.last_position()
    named = AsOf(last, BEGINNING + timedelta(minutes=4))
    for when in (None, AsOf(granted["position"]), AsOf(last), named):
        [row] = views.read("regions", as_of=when, where=asked).dicts()
        assert row["policy_id"] == "P1"
    assert views.read("regions", where={"region": "R2"}).rows == []


def test_a_region_by_its_id_is_not_another_project_of_its_name(place: Place) -> None:
    with learned(
        place,
        See(ProjectCreated(region="eu-nl", project_id="R1"), 0),
        See(PermissionGranted(agency="crane", project_id="R1", policy="etl"), 1),
        See(ProjectDeleted(project_id="R1"), 2),
        See(ProjectCreated(region="eu-nl", project_id="R2"), 3),
        See(PermissionGranted(agency="crane", region="eu-nl", policy="etl"), 4),
    ) as views:
        for project, status in (("R1", "revoked"), ("R2", "granted")):
            [row] = views.read("regions", where={"region": project}).dicts()
            assert (row["region"], row["status"]) == ("eu-nl", status)


def test_a_difference_under_another_name_is_a_renaming(place: Place) -> None:
    with learned(
        place,
        See(PolicyCreated(policy="dock only", policy_id="P1"), 0),
        See(PermissionGranted(agency="crane", region="*", policy="dock only"), 1),
        See(PolicyChanged(policy="all docks", policy_id="P1"), 2),
        See(PolicyCreated(policy="dock only", policy_id="P2"), 3),
    ) as views:
        before = AsOf(views.last_position(), BEGINNING + timedelta(minutes=1))
        found = diff(views, before, names=["policies", "regions"])
        assert [(each.change, each.before, each.after) for each in found] == [
            (
                "renamed",
                {"policy": "dock only", "status": "exists"},
                {
                    "policy": "all docks",
                    "status": "exists",
                    "document_since": "2026-01-01T00:02:00.000000Z",
                },
            ),
            ("new", None, {"status": "exists"}),
            (
                "renamed",
                {"policy": "dock only", "status": "granted"},
                {"policy": "all docks", "status": "granted"},
            ),
        ]
