"""Definitions that somebody else has altered: of the ledger that is read, and of the views."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import SchemaAltered
from projections.stores.sqlite.place import views_path
from projections.views import Views
from tests.ledger.verification.schema_crimes import OF_DATABASES, OF_FILES, commit
from tests.ledger.worlds import Place, raw, traces

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


IN_A_DATABASE = {
    "a view leaves a row out": (
        "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW views.agencies AS SELECT * FROM (' || "
        "rtrim(pg_get_viewdef('views.agencies'::regclass), ';') || "
        "') AS kept WHERE position(''1'' IN agency) = 0'; END $$"
    ),
    "events leave an entry out": (
        "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW views.events AS ' || "
        "replace(pg_get_viewdef('views.events'::regclass), ';', ' WHERE t.position <> 3'); END $$"
    ),
    "a view with names has other names": (
        "CREATE OR REPLACE VIEW views_names.subjects AS SELECT subject, kind, "
        "'somebody else' COLLATE \"C\" AS name FROM ledger.subjects"
    ),
    "a table hides a view": "CREATE TABLE views_names.agencies AS SELECT * FROM views.agencies",
    "a policy hides rows": "ALTER TABLE views.agencies_1 ENABLE ROW LEVEL SECURITY",
    "a rule drops what is caught up": (
        "CREATE RULE extra AS ON INSERT TO views.trail DO INSTEAD NOTHING"
    ),
    "an index has another collation": (
        'CREATE INDEX extra ON views.trail (account COLLATE "default")'
    ),
}


@pytest.mark.parametrize("name", IN_A_DATABASE)
def test_altered_definitions_in_a_database_are_repaired_by_a_look_at_the_status(
    name: str, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    filled(database)
    before = answers(database)
    with raw(database) as db:
        db.execute(IN_A_DATABASE[name])
    with Views.open(database, CATALOGUE) as views:
        views.status()
        assert "Another program has altered the views of the ledger" in caplog.text
        caplog.clear()
        views.catch_up()
        views.status()
        assert caplog.text == "", "they are as they should be"
    assert answers(database) == before


def test_views_of_a_user_over_ours_are_not_an_alteration(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    filled(database)
    answers(database)
    with raw(database) as db:
        db.execute("CREATE SCHEMA mine")
        db.execute("CREATE VIEW mine.overview AS SELECT * FROM views.agencies")
    with Views.open(database, CATALOGUE) as views:
        views.status()
        views.rebuild()
        views.status()
    assert caplog.text == ""
