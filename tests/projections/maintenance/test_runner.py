"""Views are disposable: lost, old, foreign or interrupted, they are built again from the ledger."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from ledger.account.authorization import AuthorizationDeclined
from ledger.catalogue import load_catalogue
from projections.definitions.declared import FOLDED, PROJECTIONS, VIEWS
from projections.definitions.recorded_authorizations import RECORDED_AUTHORIZATIONS
from projections.maintenance import intervals as interval_writer
from projections.maintenance import runner
from projections.stores.connection import Connection
from projections.stores.sqlite.place import views_path
from projections.stores.store import Store
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.shown import all_rows
from tests.projections.worlds import See, World

CATALOGUE = load_catalogue()


def remove_views(place: Place) -> None:
    if isinstance(place, str):
        with psycopg.connect(place) as connection:
            connection.execute("DROP SCHEMA views CASCADE")
        return
    for suffix in ("", "-wal", "-shm"):
        Path(f"{views_path(place)}{suffix}").unlink(missing_ok=True)


def test_deleting_the_views_loses_nothing(world: World, views: Views) -> None:
    before = all_rows(views)
    views.close()
    remove_views(world.place)
    with Views.open(world.place, CATALOGUE) as again:
        again.catch_up()
        assert all_rows(again) == before


def test_a_ledger_restored_from_an_older_copy_gets_views_of_its_own_history(
    world: World, path: Path, tmp_path: Path
) -> None:
    from tests.projections.conftest import story

    other = World(tmp_path / "other.db")
    for step in story()[:4]:
        other.take(step)
    other.ledger.close()
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
    world.ledger.close()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "other.db", path)
    with Views.open(world.place, CATALOGUE) as views:
        last = views.catch_up()
        assert {status.position for status in views.status()} == {last}
        remove_views(tmp_path / "other.db")
        with Views.open(tmp_path / "other.db", CATALOGUE) as fresh:
            fresh.catch_up()
            assert all_rows(views) == all_rows(fresh)


def test_a_projection_with_a_changed_declaration_is_built_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
    changed = replace(
        RECORDED_AUTHORIZATIONS,
        select=RECORDED_AUTHORIZATIONS.select.replace("'granted'", "'allowed'"),
    )
    monkeypatch.setitem(PROJECTIONS, changed.name, changed)
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        assert "allowed" in {row["status"] for row in views.read(changed.name).dicts()}


def test_folded_projections_are_made_again_when_the_fold_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their declarations are the same, but the same facts may come to something else."""
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        store = views._store.connection
        for name in FOLDED:
            store.execute(f"DELETE FROM {name}_1")
    monkeypatch.setattr("projections.projection.FOLD", 10_000)
    for name in FOLDED:
        monkeypatch.setitem(PROJECTIONS, name, replace(PROJECTIONS[name]))
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        assert all(views.read(name).rows for name in FOLDED if name != "boundaries")


def test_a_derived_view_is_made_anew_when_its_declaration_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise SQL would still be answered by the rules of an older program."""
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
    changed = replace(VIEWS["capabilities"], select=lambda _: "SELECT 'by new rules' AS status")
    monkeypatch.setitem(VIEWS, "capabilities", changed)
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        assert views.query("SELECT status FROM capabilities").rows == [("by new rules",)]
        assert views.rebuild().equal


def test_changed_documentation_does_not_rebuild_a_projection() -> None:
    policies = PROJECTIONS["policies"]
    worded = replace(
        policies,
        doc="Other words.",
        values=(replace(policies.values[0], doc="…"), *policies.values[1:]),
    )
    assert worded.fingerprint == policies.fingerprint
    assert replace(worded, name="others").fingerprint != policies.fingerprint


def test_a_new_catalogue_changes_the_capabilities_without_a_rebuild(world: World) -> None:
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        before = len(views.read("capabilities").rows)
    [asm] = [s for s in CATALOGUE.services if s.code == "asm"]
    smaller = asm.model_copy(update={"features": asm.features[:1]})
    catalogue = CATALOGUE.model_copy(update={"version": "other", "services": (smaller,)})
    with Views.open(world.place, catalogue) as views:
        views.catch_up()
        assert len(views.read("capabilities").rows) == before / 3


def test_tracking_rows_of_unknown_projections_are_removed_and_drop_no_table(
    world: World, views: Views
) -> None:
    """Their names are data: nothing is dropped by them, whatever they are."""
    before = all_rows(views)
    store = views._store.connection
    store.execute("CREATE VIEW made_by_hand AS SELECT 1 AS one")
    for name in ("made_by_hand", "x; DROP TABLE policies_1; --", 'x"; DROP TABLE policies_1; --'):
        store.execute("INSERT INTO tracking VALUES (?, 0, '', '', 1, NULL)", (name,))
    if isinstance(world.place, Path):  # A stranger's file may have columns that are not strict.
        store.execute("ALTER TABLE tracking RENAME TO strict")
        store.execute("CREATE TABLE tracking AS SELECT * FROM strict")
        store.execute("UPDATE tracking SET generation = '1 UNION SELECT' WHERE name = 'logins'")
    with Views.open(world.place, CATALOGUE) as again:
        again.catch_up()
        assert again._store.tracking.tracked().keys() == PROJECTIONS.keys()
        assert again._store.connection.value("SELECT count(*) FROM tracking") == len(PROJECTIONS)
        assert again._store.connection.value("SELECT one FROM made_by_hand") == 1
        assert all_rows(again) == before
        assert again.rebuild().equal


def _make_in_views(world: World, connection: Connection) -> None:
    """Let the test make its tables where an older version made them."""
    if not isinstance(world.place, Path):
        connection.execute("SET search_path = views")


def test_the_tables_of_a_retired_projection_are_dropped(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = views._store.connection
    _make_in_views(world, store)
    store.execute("CREATE TABLE gone_3 (one INTEGER)")
    for name in ("gone", "gone_history"):
        store.execute(f"CREATE VIEW {name} AS SELECT * FROM gone_3")
    store.execute("INSERT INTO tracking VALUES ('gone', 0, '', '', 3, NULL)")
    monkeypatch.setattr("projections.stores.tracking.RETIRED", ("gone",))
    with Views.open(world.place, CATALOGUE) as again:
        again.catch_up()
        for name in ("gone", "gone_history", "gone_3"):
            with pytest.raises((sqlite3.Error, psycopg.Error)):
                again._store.connection.execute(f"SELECT * FROM {name}")
        assert again._store.tracking.tracked().keys() == PROJECTIONS.keys()


def test_a_projection_that_became_a_view_over_events_leaves_no_view_of_its_table(
    world: World, views: Views
) -> None:
    """`usage` had a table once. On SQLite its view of today belongs to each connection."""
    store = views._store.connection
    _make_in_views(world, store)
    store.execute("CREATE TABLE usage_3 (one INTEGER)")
    if isinstance(world.place, Path):
        store.execute("CREATE VIEW main.usage AS SELECT * FROM usage_3")
    store.execute("INSERT INTO tracking VALUES ('usage', 0, '', '', 3, NULL)")
    with Views.open(world.place, CATALOGUE) as again:
        again.catch_up()
        assert "usage" not in again._store.tracking.tracked()
        with pytest.raises((sqlite3.Error, psycopg.Error)):
            again._store.connection.execute("SELECT * FROM usage_3")
        if isinstance(world.place, Path):
            left = "SELECT count(*) FROM main.sqlite_master WHERE name = 'usage'"
            assert again._store.connection.value(left) == 0
        assert again.query("SELECT count(*) FROM usage").rows == [(len(again.read("usage").rows),)]


def intervals(views: Views) -> list[list[tuple[object, ...]]]:
    return [
        sorted(views.query(f"SELECT * FROM {name}_history", row_limit=100_000).rows, key=repr)
        for name in PROJECTIONS
    ]


def begin_again(store: Store) -> None:
    """As if the views had seen the first event only, which none of them shows."""
    connection, tracking = store.connection, store.tracking
    for known in tracking.tracked().values():
        connection.execute(f"DELETE FROM {known.table} WHERE from_position > 1")
    connection.execute("UPDATE tracking SET position = 1, anchor = ?", (tracking.anchor(1),))


def test_both_ways_to_write_a_history_give_the_same_rows(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the present nor in the intervals: all at once, or a few changes at a time."""
    assert views.rebuild().equal
    expected = intervals(views)
    assert len(expected[0]) > 10
    for held in (0, 2, 5):
        monkeypatch.setattr(interval_writer, "HELD_MAX", held)
        monkeypatch.setattr(runner, "CHUNK", held + 1)
        begin_again(views._store)
        views.catch_up()
        assert intervals(views) == expected


def test_a_late_arrival_ends_nothing_when_a_history_is_written_at_once(
    world: World, views: Views
) -> None:
    declined = AuthorizationDeclined(service="asm", region="cn-north-4")
    world.take(See(declined, 1))
    views.catch_up()
    late = "SELECT * FROM recorded_authorizations_history WHERE until_position = from_position"
    assert len(views.query(late).rows) == 1
    expected = intervals(views)
    assert views.rebuild().equal
    assert intervals(views) == expected
