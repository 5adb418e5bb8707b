"""A full rebuild begins with the trail, which it makes from the entries; one of named views trusts
the trail. The certificate says which.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.copying.copy import copy
from projections.definitions.declared import PROJECTIONS
from projections.entry_columns import TYPED_COLUMNS
from projections.maintenance.rebuild import Rebuilt
from projections.stores import trail
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.conftest import story
from tests.projections.shown import all_rows
from tests.projections.worlds import World

CATALOGUE = load_catalogue()


def rows(views: Views) -> list[tuple[Any, ...]]:
    connection = views._store.connection
    return trail.stored(connection, -9, trail.reached(connection))


def test_a_full_rebuild_is_from_the_entries_and_begins_with_the_trail(
    world: World, views: Views
) -> None:
    certificate = views.rebuild()
    assert certificate.basis == "the entries"
    assert [part.name for part in certificate.projections] == ["trail", *PROJECTIONS]
    first = certificate.projections[0]
    assert (first.rows, first.last_position) == (world.ledger.last_position(),) * 2
    assert certificate.as_dict()["basis"] == "the entries"


@pytest.mark.parametrize(
    "altered",
    [
        *(f"UPDATE trail SET {name} = 'altered' WHERE position = 5" for name in TYPED_COLUMNS),
        "DELETE FROM trail WHERE position = 5",
        "INSERT INTO trail (position) VALUES (0)",
        "INSERT INTO trail (position) VALUES (100000)",
    ],
)
def test_a_trail_that_was_altered_is_found_and_replaced(
    world: World, views: Views, altered: str
) -> None:
    sound, before, shown = rows(views), views.rebuild().projections[0], all_rows(views)
    views._store.connection.execute(altered)
    certificate = views.rebuild()
    found = {part.name: part for part in certificate.projections}
    assert [name for name, part in found.items() if not part.equal] == ["trail"]
    assert found["trail"].digest_after == before.digest_after
    assert found["trail"].last_position == world.ledger.last_position()
    assert rows(views) == sound
    assert all_rows(views) == shown
    assert views.rebuild().equal


def test_a_rebuild_of_named_views_trusts_the_trail_and_says_so(views: Views) -> None:
    altered = "UPDATE trail SET region = 'elsewhere' WHERE region = 'cn-north-4'"
    views._store.connection.execute(altered)
    certificate = views.rebuild(["logins"])
    assert certificate.basis == "the trail as it stands"
    assert [part.name for part in certificate.projections] == ["logins"]
    assert {row["region"] for row in views.read("logins").dicts()} >= {"elsewhere"}
    certificate = views.rebuild()
    assert {part.name for part in certificate.projections if not part.equal} >= {"trail", "logins"}
    assert "elsewhere" not in {row["region"] for row in views.read("logins").dicts()}
    assert views.rebuild().equal


def test_where_nothing_may_be_written_an_altered_trail_is_found_and_stays(database: str) -> None:
    made = World(database)
    for step in story():
        made.take(step)
    made.ledger.close()
    with Views.open(database, CATALOGUE) as views:
        views.catch_up()
        connection = views._store.connection
        connection.execute("UPDATE trail SET outcome = 'altered' WHERE position = 5")
        altered = rows(views)
        connection.can_rebuild = False
        certificate = views.rebuild()
        assert (certificate.swapped, certificate.basis) == (False, "the entries")
        assert [part.name for part in certificate.projections if not part.equal] == ["trail"]
        assert rows(views) == altered


@pytest.fixture
def copies(tmp_path: Path, database: str) -> list[Place]:
    """The same history on SQLite and on PostgreSQL."""
    made = World(tmp_path / "ledger.db")
    for step in story():
        made.take(step)
    with Ledger(database) as target:
        copy(made.ledger, target)
    made.ledger.close()
    return [tmp_path / "ledger.db", database]


def test_the_digests_of_both_databases_are_equal_also_after_one_was_mended(
    copies: list[Place],
) -> None:
    def rebuilt(place: Place) -> list[Rebuilt]:
        with Views.open(place, CATALOGUE) as views:
            return list(views.rebuild().projections)

    def digests(parts: list[Rebuilt]) -> list[tuple[str, str]]:
        return [(part.name, part.digest_after) for part in parts]

    sound = digests(rebuilt(copies[0]))
    assert digests(rebuilt(copies[1])) == sound
    for place in copies:
        with Views.open(place, CATALOGUE) as views:
            views._store.connection.execute("UPDATE trail SET agency = 'x' WHERE position = 7")
        mended = rebuilt(place)
        assert not mended[0].equal
        assert digests(mended) == sound
