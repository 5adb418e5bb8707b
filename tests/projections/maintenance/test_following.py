"""Views that are followed, locked, or in the way: what their users see."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.console import RequestConsoleLogin
from ledger.catalogue import load_catalogue
from ledger.errors import CorruptEntry, LedgerReplaced, StoreLocked, StoreUnavailable
from projections.stores.postgres import connection as postgres
from projections.stores.sqlite import connection as sqlite
from projections.stores.sqlite.place import views_path
from projections.views import Views
from tests.ledger.persistence.test_replaced import put_in_its_place
from tests.projections.shown import all_rows
from tests.projections.worlds import Do, See, World

CATALOGUE = load_catalogue()


def test_following_yields_each_new_position(world: World, views: Views) -> None:
    positions = views.follow(interval_s=0.01)
    first = next(positions)
    world.take(Do(RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="cn-north-4")))
    assert next(positions) == first + 1
    positions.close()  # type: ignore[attr-defined]


def test_views_that_another_process_has_locked_are_reported(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlite, postgres):
        monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 1)
    monkeypatch.setattr("projections.stores.postgres.upkeep.SWAP_S", 1)
    opened = Views.open(world.place, CATALOGUE)
    with views._store.connection.transaction(), opened as other, pytest.raises(StoreLocked):
        other.rebuild()


def test_a_file_in_the_views_place_that_is_not_a_database_is_left_alone(
    world: World, path: Path
) -> None:
    views_path(path).write_text("a shopping list, long enough to be taken for a header" * 20)
    before = views_path(path).read_bytes()
    with pytest.raises(StoreUnavailable):
        Views.open(path, CATALOGUE)
    assert views_path(path).read_bytes() == before


def test_the_status_shows_how_far_behind_each_projection_is(world: World) -> None:
    with Views.open(world.place, CATALOGUE) as views:
        assert {s.behind for s in views.status()} == {world.ledger.last_position()}
        views.catch_up()
        assert {s.behind for s in views.status()} == {0}


def test_an_entry_that_cannot_be_read_is_named_and_the_views_stay(world: World, path: Path) -> None:
    with Views.open(path, CATALOGUE) as views:
        views.catch_up()
        before = all_rows(views)
        world.take(See(AgencyCreated(agency="another"), 1))
        last = world.ledger.last_position()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DROP TRIGGER events_are_never_changed")
            altered = "UPDATE events SET entry = replace(entry, ?, ?) WHERE position = ?"
            connection.execute(altered, ('"effective_at":"2026', '"effective_at":"20x6', last))
        with pytest.raises(CorruptEntry, match=f"position {last} cannot be read") as failed:
            views.catch_up()
        assert "log verify" in str(failed.value.remedy)
        assert all_rows(views) == before


def test_following_ends_when_another_history_takes_the_ledgers_place(
    world: World, path: Path
) -> None:
    """A backup was renamed in: the views would go on from the discarded history."""
    with Views.open(path, CATALOGUE) as views:
        positions = views.follow(interval_s=0.01)
        before = next(positions)
        put_in_its_place(path)
        with pytest.raises(LedgerReplaced, match=str(path)):
            next(positions)
    with Views.open(path, CATALOGUE) as views:
        assert views.catch_up() < before


def test_no_view_is_read_after_another_history_took_the_ledgers_place(
    world: World, path: Path
) -> None:
    with Views.open(path, CATALOGUE) as views:
        views.catch_up()
        put_in_its_place(path)
        with pytest.raises(LedgerReplaced):
            views.read("regions")
        with pytest.raises(LedgerReplaced):
            views.query("SELECT 1")


def test_views_that_were_deleted_while_they_are_followed_are_reported(
    world: World, path: Path
) -> None:
    with Views.open(path, CATALOGUE) as views:
        positions = views.follow(interval_s=0.01)
        next(positions)
        views_path(path).unlink()
        with pytest.raises(LedgerReplaced, match="the views are opened anew"):
            next(positions)
