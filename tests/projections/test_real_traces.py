"""2,900 real records of one account: the views and the trail show exactly what happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.sources import SOURCES, ImportReport, read_traces
from projections.definitions.audit_trail import TrailFilter
from projections.views import Views

ACCOUNT = "123837392027"


@pytest.fixture
def views(shared: Path, tmp_path: Path) -> Iterator[Views]:
    paths = sorted((shared / "cloudtrail-invictus").glob("*.json"))
    ledger = Ledger(tmp_path / "ledger.db")
    traces = read_traces(
        SOURCES["cloudtrail"],
        paths,
        ImportReport(),
        now=datetime(2026, 1, 1, tzinfo=UTC),
        on_progress=lambda _: None,
    )
    ledger.observe(traces)
    ledger.close()
    with Views.open(tmp_path / "ledger.db", load_catalogue()) as views:
        views.catch_up()
        yield views


def counted(views: Views, sql: str) -> list[tuple[object, ...]]:
    return views.query(sql).rows


def test_thirteen_roles_were_created_and_deleted(views: Views) -> None:
    assert counted(
        views,
        "SELECT type, count(*) FROM audit_trail WHERE type IN ('AgencyCreated', 'AgencyDeleted') "
        "GROUP BY type ORDER BY type",
    ) == [("AgencyCreated", 13), ("AgencyDeleted", 13)]
    shown = Counter((row["status"], row["note"]) for row in views.read("agencies").dicts())
    assert shown == {("deleted", ""): 13, ("exists", "creation not seen"): 3}


def test_roles_that_were_used_exist_though_nobody_saw_them_created(views: Views) -> None:
    rows = [row for row in views.read("agencies").dicts() if row["status"] == "exists"]
    assert [(row["agency"], row["actor"], row["origin"]) for row in rows] == [
        ("AWSServiceRoleForAmazonInspector2", "", "inferred"),
        ("AWSServiceRoleForRDS", "", "inferred"),
        ("AWSServiceRoleForRolesAnywhere", "", "inferred"),
    ]


def test_six_policies_were_attached_five_detached_and_five_added_inline(views: Views) -> None:
    assert counted(
        views,
        "SELECT type, policy LIKE 'arn:%' AS attached, count(*) FROM audit_trail "
        "WHERE type IN ('PermissionGranted', 'PermissionRevoked') "
        "AND entry ->> 'consequence_of' IS NULL GROUP BY 1, 2 ORDER BY 1, 2 DESC",
    ) == [
        ("PermissionGranted", 1, 6),
        ("PermissionGranted", 0, 5),
        ("PermissionRevoked", 1, 5),
        ("PermissionRevoked", 0, 4),
    ]


def test_nothing_is_permitted_at_the_end_since_a_roles_end_ends_its_permissions(
    views: Views,
) -> None:
    assert {row["status"] for row in views.read("regions").dicts()} == {"revoked"}
    assert {row["region"] for row in views.read("regions").dicts()} == {"*"}


def test_each_revocation_has_its_own_actor_and_two_ends_were_not_seen(views: Views) -> None:
    """AWS deletes a role only when nothing is attached to it: the deletion revokes nothing."""
    rows = views.read("regions").dicts()
    unseen = [row for row in rows if row["note"] == "end not seen"]
    assert {(row["actor"], row["origin"]) for row in unseen} == {("", "inferred")}
    assert len(unseen) == 2
    seen = {row["position"]: row["actor"] for row in rows if row not in unseen}
    revoking = views.trail_at(sorted(seen)).dicts()
    assert [row["type"] for row in revoking] == ["PermissionRevoked"] * 9
    assert all(json.loads(row["entry"]).get("consequence_of") is None for row in revoking)
    assert {row["position"]: row["actor"] for row in revoking} == seen


def test_two_policies_were_created_and_deleted(views: Views) -> None:
    rows = views.read("policies").dicts()
    assert [row["status"] for row in rows] == ["deleted", "deleted"]
    assert counted(
        views,
        "SELECT count(*) FROM policies_history WHERE status = 'exists' AND gone_position IS NULL",
    ) == [(2,)]


def test_thirty_six_roles_were_assumed_and_thirteen_attempts_denied(views: Views) -> None:
    assert counted(
        views, "SELECT sum(credentials_issued), sum(credentials_refused) FROM usage"
    ) == [(36, 13)]
    denied = views.trail(TrailFilter(event="CredentialRefused", outcome="refused"), limit=100)
    assert len(denied.rows) == 13


def test_there_were_two_console_logins(views: Views) -> None:
    [row] = views.read("logins").dicts()
    assert (row["account"], row["admitted"], row["refused"]) == (ACCOUNT, 2, 0)


def test_every_entry_is_observed_and_names_its_trace_and_file(views: Views) -> None:
    assert counted(
        views,
        "SELECT count(*) FROM audit_trail WHERE origin <> 'observed' "
        "OR entry ->> 'source_trace_id' IS NULL "
        "OR (source_file IS NULL AND type <> 'SubjectRegistered')",
    ) == [(0,)]


def test_as_of_a_minute_in_between_the_roles_of_that_time_exist(views: Views) -> None:
    from ledger.as_of import AsOf

    last = views.trail(TrailFilter(), limit=1).position
    noon = datetime(2023, 7, 10, 12, 0, tzinfo=UTC)
    then = views.read("agencies", as_of=AsOf(last, noon)).dicts()
    created = counted(
        views,
        "SELECT agency FROM audit_trail WHERE type = 'AgencyCreated' "
        "AND effective_at <= '2023-07-10T12:00:00.000000Z' ORDER BY agency",
    )
    assert [(row["agency"],) for row in then if not row["note"]] == created
    unseen = Counter(row["status"] for row in then if row["note"] == "creation not seen")
    assert unseen == {"exists": 1, "not known": 2}, "one had been used before noon"
