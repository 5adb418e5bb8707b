"""A view's former name means the view: in calls, in SQL, and in what an older version kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.catalogue import load_catalogue
from ledger.errors import NotFound
from projections.definitions.declared import FORMER_NAMES, PROJECTIONS
from projections.views import Views
from tests.projections.worlds import World

CATALOGUE = load_catalogue()


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_a_former_name_gives_the_same_answer_as_the_current_name(
    views: Views, former: str, name: str
) -> None:
    assert views.columns(former) == views.columns(name)
    assert views.read(former) == views.read(name)
    last = views.last_position()
    assert views.digest(former, last) == views.digest(name, last)


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_sql_may_use_a_former_name_also_after_a_rebuild(
    views: Views, former: str, name: str
) -> None:
    [rebuilt] = views.rebuild([former]).projections
    assert rebuilt.name == name
    for suffix in ("", "_history"):
        old, new = (views.query(f"SELECT * FROM {each}{suffix}") for each in (former, name))
        assert old.rows
        assert sorted(old.rows, key=repr) == sorted(new.rows, key=repr)


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_the_tables_of_an_older_version_become_the_current_view(
    world: World, views: Views, former: str, name: str
) -> None:
    expected = views.read(name).rows
    store = views._store.connection
    if not isinstance(world.place, Path):
        store.execute("SET search_path = views")  # Where an older version made its tables.
    for suffix in ("", "_history"):
        store.execute(f"DROP VIEW {former}{suffix}")
    store.execute(f"CREATE TABLE {former}_1 (one INTEGER)")
    for suffix in ("", "_history"):
        store.execute(f"CREATE VIEW {former}{suffix} AS SELECT * FROM {former}_1")
    store.execute("UPDATE tracking SET name = ?, generation = 1 WHERE name = ?", (former, name))
    with Views.open(world.place, CATALOGUE) as again:
        again.catch_up()
        assert again.read(former).rows == expected
        assert again._store.tracking.tracked().keys() == PROJECTIONS.keys()
        assert len(again.query(f"SELECT * FROM {former}").rows) == len(expected)


def test_an_unknown_view_is_answered_with_the_name_that_may_be_meant(views: Views) -> None:
    with pytest.raises(NotFound, match="Did you mean 'regions'"):
        views.read("region")
    with pytest.raises(NotFound, match="Did you mean 'policies'"):
        views.rebuild(["polices"])
