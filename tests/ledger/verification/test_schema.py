"""The schema is part of what is verified: who asks does not matter for what a table holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import SchemaAltered
from ledger.verification.entries import verify_entries
from tests.ledger.former_tables import make_former
from tests.ledger.verification.crimes import Scene
from tests.ledger.verification.schema_crimes import (
    OF_DATABASES,
    OF_FILES,
    PROTECTION_OF_DATABASES,
    PROTECTION_OF_FILES,
    Crime,
    commit,
    honest,
    redefined,
)
from tests.ledger.worlds import Place, raw, traces


def found(place: Place) -> list[str]:
    """The findings of `log verify`, or the reason why it cannot read."""
    try:
        return [str(each) for each in verify_entries(place).findings]
    except SchemaAltered as error:
        return [f"schema, {error.message}"]


def assert_found(place: Place, crime: Crime, what: str) -> None:
    commit(crime, place)
    findings = found(place)
    assert any(each.startswith("schema, ") and what in each for each in findings), findings


def assert_refused(place: Place, what: str) -> None:
    with pytest.raises(SchemaAltered, match="log verify") as raised:
        Ledger(place, create=False)
    assert what in raised.value.message
    assert "Nothing was read or changed." in raised.value.message


@pytest.mark.parametrize("name", OF_FILES)
def test_an_altered_schema_of_a_file_is_found_and_refused(
    name: str, scene: Scene, path: Path
) -> None:
    assert_found(path, *OF_FILES[name])
    assert_refused(path, OF_FILES[name][1])


@pytest.mark.parametrize("name", OF_DATABASES)
def test_an_altered_schema_of_a_database_is_found_and_refused(
    name: str, scene: Scene, database: str
) -> None:
    assert_found(database, *OF_DATABASES[name])
    if "function" not in name:  # Found only by the full look.
        assert_refused(database, OF_DATABASES[name][1])


@pytest.mark.parametrize("name", PROTECTION_OF_FILES)
def test_a_protection_missing_in_a_file_is_found(name: str, scene: Scene, path: Path) -> None:
    assert_found(path, *PROTECTION_OF_FILES[name])
    Ledger(path).close()


@pytest.mark.parametrize("name", PROTECTION_OF_DATABASES)
def test_a_protection_missing_in_a_database_is_found(
    name: str, scene: Scene, database: str
) -> None:
    assert_found(database, *PROTECTION_OF_DATABASES[name])
    Ledger(database).close()


def test_tables_views_and_schemas_of_a_user_are_not_findings(scene: Scene) -> None:
    with raw(scene.place) as db:
        for statement in honest(scene.place):
            db.execute(statement)
    assert scene.found() == ""
    Ledger(scene.place, create=False).close()


@pytest.mark.parametrize("version", [2, 3])
def test_a_migrated_ledger_has_the_schema_of_a_new_one(place: Place, version: int) -> None:
    with Ledger(place) as ledger:
        ledger.observe(traces(60))
    make_former(place, version)
    assert found(place) == [], "and an older one has that of its format"
    Ledger(place).close()
    assert found(place) == []


def test_an_older_ledger_whose_events_are_a_view_is_not_migrated(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.observe(traces(60))
    make_former(path)
    commit(OF_FILES["events are a view that lies to everybody"][0], path)
    assert_refused(path, "view events")


def test_a_schema_altered_while_the_ledger_is_open_is_noticed(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.observe(traces(60))
        commit(OF_FILES["events are a view that lies to everybody"][0], path)
        with pytest.raises(SchemaAltered):
            next(iter(ledger.history()))
        with pytest.raises(SchemaAltered):
            ledger.observe(traces(70))


def test_a_table_of_the_same_name_in_a_schema_before_ours_is_not_read(database: str) -> None:
    with Ledger(database) as ledger:
        ledger.observe(traces(60))
        before = list(ledger.history())
    with raw(database) as db:
        name = db.execute("SELECT current_database()").fetchone()[0]
        db.execute("CREATE SCHEMA before")
        db.execute("CREATE TABLE before.events (LIKE ledger.events)")
        db.execute(f"ALTER DATABASE {name} SET search_path = before, ledger")
    with Ledger(database) as ledger:
        assert list(ledger.history()) == before
    assert found(database) == []


def test_the_verifier_opens_a_file_as_readers_do(path: Path) -> None:
    """Expressions in the schema may only compute, also for the verifier."""
    Ledger(path).close()
    commit(redefined("events", "stream TEXT NOT NULL", "stream TEXT CHECK (randomblob(9))"), path)
    assert "table events" in found(path)[0]
