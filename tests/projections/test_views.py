"""The views answer now, as of a position, an effective time, and what was known when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from ledger.account.agency import AgencyDeleted
from ledger.account.permissions import PermissionGranted
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput, NotFound
from projections.definitions.audit_trail import TrailFilter
from projections.stores import postings
from projections.views import Views
from tests.projections.worlds import BEGINNING, See, World

HERE, THERE = "cn-north-4", "ap-southeast-3"


def statuses(views: Views, region: str, as_of: AsOf | None = None) -> set[tuple[str, str]]:
    answer = views.read("regions", where={"region": region}, as_of=as_of)
    return {(row["service"], row["status"]) for row in answer.dicts()}


def test_revoking_in_one_region_ends_just_that_regions_permissions(views: Views) -> None:
    assert statuses(views, HERE) == {(s, "granted") for s in ("cce", "vpc", "elb", "aom")}
    assert statuses(views, THERE) == {(s, "revoked") for s in ("cce", "vpc", "elb", "aom")}


def test_before_the_consent_nothing_was_permitted(views: Views) -> None:
    assert statuses(views, HERE, AsOf(3)) == set()


def test_as_of_a_time_before_everything_the_answer_is_empty(views: Views) -> None:
    answer = views.read("regions", as_of=AsOf(99, BEGINNING))
    assert answer.rows == []


def test_a_late_arrival_shows_only_if_it_was_known_at_that_time(world: World, views: Views) -> None:
    before = world.ledger.last_position()
    latest = max(entry.effective_at for entry in world.ledger.history())
    minute = int((latest + timedelta(days=1) - BEGINNING) / timedelta(minutes=1))
    world.take(See(AgencyDeleted(agency="asm_admin_trust"), minute))
    views.catch_up()
    day_after = BEGINNING + timedelta(minutes=minute, days=1)
    known_then = statuses(views, HERE, AsOf(before, day_after))
    known_now = statuses(views, HERE, AsOf(world.ledger.last_position(), day_after))
    assert known_then == {(s, "granted") for s in ("cce", "vpc", "elb", "aom")}
    assert known_now == {(s, "revoked") for s in ("cce", "vpc", "elb", "aom")}


def test_a_feature_that_lacks_a_service_is_broken_and_says_which(views: Views) -> None:
    rows = views.read("capabilities", where={"region": THERE}).dicts()
    assert {(r["feature"], r["status"], r["missing"]) for r in rows} == {
        ("ingress-gateway", "broken", "elb,vpc"),
        ("mesh", "broken", "cce"),
        ("metrics", "broken", "aom"),
    }
    assert {r["status"] for r in views.read("capabilities", where={"region": HERE}).dicts()} == {
        "works"
    }


def test_capabilities_are_also_answered_as_of_a_position(world: World, views: Views) -> None:
    granted = next(
        e.position for e in world.ledger.history() if e.type == "FeatureUsed" and e.position
    )
    rows = views.read("capabilities", as_of=AsOf(granted)).dicts()
    assert {(r["region"], r["status"]) for r in rows} == {(HERE, "works")}


def test_all_features_of_a_service_that_only_asked_are_broken(
    views: Views,
) -> None:
    rows = views.read("capabilities", as_of=AsOf(3)).dicts()
    assert {(r["feature"], r["status"], r["missing"]) for r in rows} == {
        ("ingress-gateway", "broken", "elb,vpc"),
        ("mesh", "broken", "cce"),
        ("metrics", "broken", "aom"),
    }


def test_the_capabilities_of_a_service_that_the_catalogue_does_not_know_are_unknown(
    world: World,
) -> None:
    nothing = load_catalogue().model_copy(update={"version": "other", "services": ()})
    with Views.open(world.place, nothing) as views:
        views.catch_up()
        for as_of in (None, AsOf(3)):
            rows = views.read("capabilities", as_of=as_of).dicts()
            asked = views.read("authorizations", as_of=as_of).dicts()
            assert [(r["region"], r["service"], r["status"]) for r in rows] == [
                (r["region"], r["service"], "unknown") for r in asked
            ]
            assert rows


def test_usage_is_counted(views: Views) -> None:
    [row] = views.read("usage", where={"region": HERE}).dicts()
    counted = [row[name] for name in ("credentials_issued", "features_used", "features_refused")]
    assert counted == [1, 1, 1]


def test_an_answer_for_a_region_includes_permissions_in_all_regions(world: World) -> None:
    world.take(See(PermissionGranted(agency="role", region="*", policy="p"), 5))
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        rows = views.read("regions", where={"region": HERE, "agency": "role"}).dicts()
    assert [row["region"] for row in rows] == ["*"]


@pytest.fixture
def everywhere(world: World) -> Iterator[Views]:
    """Permissions in one region and in all, in turns; the last in a third region."""
    for minute, region in enumerate((HERE, "*", "*", HERE, THERE)):
        world.take(
            See(PermissionGranted(agency="role", region=region, policy=f"p{minute}"), minute)
        )
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        yield views


@pytest.mark.parametrize(
    ("region", "found"),
    [(HERE, ["p0", "p1", "p2", "p3"]), (THERE, ["p1", "p2", "p4"]), ("*", ["p1", "p2"])],
)
@pytest.mark.parametrize("newest_first", [True, False])
def test_the_trail_of_a_region_includes_what_is_in_all_regions(
    everywhere: Views, region: str, found: list[str], newest_first: bool
) -> None:
    """Page by page, in the order of positions; `*` finds only what is in all regions."""
    policies: list[str] = []
    after, more = None, True
    while more:
        wanted = TrailFilter(region=region, agency="role")
        page = everywhere.trail(wanted, after=after, limit=1, newest_first=newest_first)
        policies += [row["policy"] for row in page.dicts()]
        after, more = page.rows[-1][0], page.more
    assert policies == sorted(found, reverse=newest_first)


def test_the_trail_of_a_region_between_two_times_includes_what_is_in_all_regions(
    everywhere: Views,
) -> None:
    since, until = BEGINNING + timedelta(minutes=2), BEGINNING + timedelta(minutes=4)
    page = everywhere.trail(TrailFilter(region=HERE, since=since, until=until))
    assert [row["policy"] for row in page.dicts()] == ["p3", "p2"]


def test_an_unknown_column_or_view_is_refused(views: Views) -> None:
    with pytest.raises(InvalidInput, match="no column 'colour'"):
        views.read("regions", where={"colour": "red"})
    with pytest.raises(NotFound, match="no view 'nothing'"):
        views.read("nothing")


@pytest.mark.parametrize("text", ["a\0b", "caf\udce9", "\ud800"])
def test_a_condition_that_no_entry_can_meet_is_refused(views: Views, text: str) -> None:
    """Neither database can compare with it: each failed in its own way."""
    with pytest.raises(InvalidInput, match="not valid"):
        views.read("regions", where={"region": text})
    with pytest.raises(InvalidInput, match="not valid"):
        views.trail(TrailFilter(agency=text))
    with pytest.raises(InvalidInput, match="not valid"):
        views.query(f"SELECT '{text}'")


def test_views_without_a_ledger_are_not_found_and_create_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no ledger"):
        Views.open(tmp_path / "none.db", load_catalogue())
    assert list(tmp_path.iterdir()) == []


def test_the_trail_pages_through_everything_once(world: World, views: Views) -> None:
    positions: list[int] = []
    after = None
    while True:
        page = views.trail(TrailFilter(), after=after, limit=7)
        positions += [row[0] for row in page.rows]
        if not page.more:
            break
        after = positions[-1]
    assert positions == list(range(world.ledger.last_position(), 0, -1))


def test_the_trail_shows_who_tried_to_delete_the_protected_policy(views: Views) -> None:
    page = views.trail(TrailFilter(event="PolicyDeletionAttempted"))
    [row] = page.dicts()
    assert (row["actor_name"], row["outcome"]) == ("mallory", "refused")
    assert row["policy"] == "asm admin trust policy"


@pytest.mark.parametrize(
    ("wanted", "types"),
    [
        (TrailFilter(outcome="refused", actor="mallory"), ["PolicyDeletionAttempted",
                                                          "AuthorizationRefused"]),
        (TrailFilter(region=THERE, event="AuthorizationDeclined"), ["AuthorizationDeclined"]),
        (TrailFilter(account="another"), []),
        (TrailFilter(agency="asm_admin_trust", event="AgencyCreated"), ["AgencyCreated"]),
        (TrailFilter(origin="observed"), []),
        (TrailFilter(uses="elb", event="TemporaryCredentialIssued"),
         ["TemporaryCredentialIssued"]),
    ],
)  # fmt: skip
def test_the_trail_is_filtered(views: Views, wanted: TrailFilter, types: list[str]) -> None:
    assert [row["type"] for row in views.trail(wanted).dicts()] == types


def test_a_time_filter_of_the_trail_excludes_its_end(world: World, views: Views) -> None:
    history = list(world.ledger.history())
    since, until = history[4].effective_at, history[-1].effective_at
    page = views.trail(TrailFilter(since=since, until=until), limit=1000, newest_first=False)
    expected = [e.position for e in history if since <= e.effective_at < until]
    assert [row[0] for row in page.rows] == expected


def test_a_page_of_the_trail_ends_where_the_views_end_and_says_so(
    world: World, views: Views
) -> None:
    """The trail is a projection. Its rows come with the entries as they are stored."""
    reached = views.reached()
    world.take(See(AgencyDeleted(agency="asm_admin_trust"), 1))
    page = views.trail(TrailFilter(), limit=1)
    [row] = page.dicts()
    assert (row["position"], page.position) == (reached, reached)
    assert row["entry"] == world.ledger.entry_text(reached)
    last = views.catch_up()
    page = views.trail(TrailFilter(), limit=1)
    assert (page.rows[0][0], page.position) == (last, last)
    assert last > reached


@pytest.mark.parametrize(
    "wanted",
    [
        TrailFilter(outcome="refused", account="a"),
        TrailFilter(origin="commanded", policy="p", provider="aws"),
        TrailFilter(event="PermissionGranted", actor="alice"),
        TrailFilter(outcome="refused", region=HERE),
    ],
)
def test_a_trail_with_filters_reads_the_rows_of_the_answer_alone(
    path: Path, views: Views, wanted: TrailFilter
) -> None:
    """A year of refusals is not read for one account's, nor sorted for one region's."""
    connection, last = views._store.connection, views.reached()
    recent = postings.Level("postings_recent", 8)
    with (
        patch.object(postings, "FULL", postings.Level("postings", 16)),
        patch.object(postings, "RECENT", recent),
    ):
        postings.extend(connection, last)
        with patch.object(connection, "execute", wraps=connection.execute) as executed:
            views.trail(wanted)
        _, posted = postings.posted(connection)
    assert last - recent.size < posted <= last
    asked = [call.args for call in executed.call_args_list if "FROM audit_trail" in call.args[0]]
    assert asked
    for statement, params in asked:
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {statement}", params).fetchall())
        assert "SEARCH t USING INTEGER PRIMARY KEY (rowid" in plan
        assert "SCAN" not in plan.replace("LIST SUBQUERY", "")
        assert "TEMP B-TREE" not in plan
        if "position BETWEEN" in statement and "entries_by_id" not in statement:
            assert tuple(params[:2]) == (posted + 1, last)
