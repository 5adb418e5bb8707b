"""Definitions that somebody else has altered: of the ledger that is read, and of the views."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import SchemaAltered
from projections.stores.sqlite.connection import views_path
from projections.views import Views
from tests.ledger.verification.schema_crimes import OF_DATABASES, OF_FILES, commit
from tests.ledger.worlds import Place, traces

CATALOGUE = load_catalogue()
IN_DATABASES = [
    # A function is found by the full look only; and the views hold on to a column's type.
    each
    for each in OF_DATABASES
    if "function" not in each and "type" not in each
]
READ = ("authorizations", "capabilities", "regions", "agencies", "agencies_history")


def filled(place: Place) -> None:
    with Ledger(place) as ledger:
        ledger.observe(traces(120))


def answers(place: Place) -> list[object]:
    with Views.open(place, CATALOGUE) as views:
        views.catch_up()
        return [views.query(f"SELECT * FROM {name} ORDER BY 1, 2, 3, 4").rows for name in READ]


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(views_path(path), isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


# -- the ledger ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_FILES)
def test_no_view_is_read_of_a_file_whose_schema_was_altered(name: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    filled(path)
    answers(path)
    commit(OF_FILES[name][0], path)
    with pytest.raises(SchemaAltered, match=OF_FILES[name][1]):
        Views.open(path, CATALOGUE)


def test_views_that_are_open_are_not_read_after_the_schema_was_altered(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    filled(path)
    with Views.open(path, CATALOGUE) as views:
        views.catch_up()
        commit(OF_FILES["events are a view that lies to everybody"][0], path)
        with pytest.raises(SchemaAltered, match="view events"):
            views.read("regions")


@pytest.mark.parametrize("name", IN_DATABASES)
def test_no_view_is_read_of_a_database_whose_schema_was_altered(name: str, database: str) -> None:
    filled(database)
    answers(database)
    commit(OF_DATABASES[name][0], database)
    with pytest.raises(SchemaAltered, match=OF_DATABASES[name][1]):
        Views.open(database, CATALOGUE)


def test_a_temporary_view_of_the_same_name_hides_no_view(database: str) -> None:
    filled(database)
    with Views.open(database, CATALOGUE) as views:
        views.catch_up()
        before = views.read("agencies").rows
        views._connection.execute(
            "CREATE TEMP VIEW agencies AS SELECT * FROM views.agencies LIMIT 1"
        )
        assert views.read("agencies").rows == before


# -- the views -----------------------------------------------------------------------------------

ALTERED = {
    "a view leaves a row out": (
        "DROP VIEW agencies",
        "CREATE VIEW agencies AS SELECT * FROM agencies_history WHERE agency <> 'agency 1'",
    ),
    "a history leaves a row out": (
        "DROP VIEW agencies_history",
        "CREATE VIEW agencies_history AS SELECT * FROM agencies_1 WHERE agency <> 'agency 1'",
    ),
    "a derived view is another one": (
        "DROP VIEW region_agencies",
        "CREATE VIEW region_agencies AS SELECT * FROM authorizations",
    ),
    "a view over the trail leaves an entry out": (
        "ALTER TABLE trail RENAME TO kept_trail",
        "CREATE VIEW trail AS SELECT * FROM kept_trail WHERE position <> 3",
    ),
    "a table of a projection is a view": (
        "ALTER TABLE agencies_1 RENAME TO kept_agencies",
        "CREATE VIEW agencies_1 AS SELECT * FROM kept_agencies WHERE agency <> 'agency 1'",
    ),
    "a view is missing": ("DROP VIEW region_agencies",),
    "an index ignores case": (
        "CREATE INDEX extra ON trail (account COLLATE NOCASE) WHERE position > 1",
    ),
    "a trigger empties what is caught up": (
        "CREATE TRIGGER extra AFTER INSERT ON trail BEGIN DELETE FROM trail; END",
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_altered_definitions_of_the_views_are_repaired_and_named(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.db"
    filled(path)
    before = answers(path)
    alter(path, *ALTERED[name])
    assert answers(path) == before
    assert "Another program has altered the views of the ledger" in caplog.text
    caplog.clear()
    assert answers(path) == before
    assert caplog.text == "", "they are as they should be"


def test_views_altered_while_they_are_open_are_repaired(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    filled(path)
    with Views.open(path, CATALOGUE) as views:
        views.catch_up()
        before = views.read("agencies").rows
        alter(path, *ALTERED["a view leaves a row out"])
        views.catch_up()
        assert views.read("agencies").rows == before


def test_tables_and_views_of_a_user_stay_in_the_file_of_the_views(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.db"
    filled(path)
    before = answers(path)
    alter(path, "CREATE TABLE mine (a)", "CREATE VIEW overview AS SELECT * FROM agencies")
    assert answers(path) == before
    assert caplog.text == ""
    with closing(sqlite3.connect(views_path(path))) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert {"mine", "overview"} <= names


def test_a_rebuild_is_not_taken_for_an_alteration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "ledger.db"
    filled(path)
    before = answers(path)
    with Views.open(path, CATALOGUE) as views:
        views.rebuild()
        views.catch_up()
    assert answers(path) == before
    assert caplog.text == ""
