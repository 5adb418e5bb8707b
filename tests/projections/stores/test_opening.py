"""Views are opened by the ledger's location; a file that is not a ledger is left as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest

from ledger import application
from ledger.catalogue import load_catalogue
from ledger.errors import NewerFormat, NotALedger, NotFound, StoreUnavailable
from projections.stores.sqlite.place import views_path
from projections.views import Views
from tests.projections.worlds import World

CATALOGUE = load_catalogue()


def test_views_are_opened_without_a_ledger_object(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application.Ledger, "__init__", lambda *_, **__: pytest.fail("opened"))
    with Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        assert views.read("regions").rows


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", NotFound),
        (b"a shopping list, long enough to be taken for a header" * 20, NotALedger),
    ],
    ids=["empty", "text"],
)
def test_a_file_that_is_not_a_ledger_is_left_as_it_is_and_gets_no_views(
    tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(error, match=str(path)):
        Views.open(path, CATALOGUE)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["ledger.db"]


def test_another_programs_database_gets_no_views(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE sights (name TEXT)")
    other.close()
    with pytest.raises(NotALedger, match="another program"):
        Views.open(tmp_path / "other.db", CATALOGUE)
    assert not views_path(tmp_path / "other.db").exists()


def test_the_views_of_a_ledger_of_a_newer_format_are_refused(world: World) -> None:
    if isinstance(world.place, Path):
        with sqlite3.connect(world.place) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        with psycopg.connect(world.place) as database:
            database.execute("UPDATE ledger.format SET version = 99")
    with pytest.raises(NewerFormat, match="format 99"):
        Views.open(world.place, CATALOGUE)


def test_another_database_in_the_views_place_is_not_said_to_be_deletable(
    world: World, path: Path
) -> None:
    with sqlite3.connect(views_path(path)) as other:
        other.execute("CREATE TABLE sights (name TEXT)")
    other.close()
    with pytest.raises(StoreUnavailable, match="holds another database") as refused:
        Views.open(world.place, CATALOGUE)
    assert "Move that file away" in str(refused.value)
    assert "Delete" not in str(refused.value)
