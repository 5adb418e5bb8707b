"""A trail with a time filter reads only the blocks of that time, and misses nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated
from ledger.catalogue import load_catalogue
from projections.definitions.audit_trail import TrailFilter
from projections.stores import time_index
from projections.stores.sqlite.place import views_path
from projections.views import Views
from tests.projections.test_properties import new_world, views_of
from tests.projections.worlds import BEGINNING, See, World, observations

minutes = st.none() | st.integers(-1, 300_000)
pages = st.fixed_dictionaries(
    {
        "limit": st.integers(1, 8),
        "after": st.none() | st.integers(0, 20),
        "newest_first": st.booleans(),
    }
)


def instant_of(minute: int | None) -> datetime | None:
    return None if minute is None else BEGINNING + timedelta(minutes=minute)


@given(
    st.lists(observations, min_size=1, max_size=25),
    st.integers(1, 9),
    st.tuples(minutes, minutes),
    pages,
)
def test_the_trail_between_two_times_has_exactly_the_entries_between_them(
    seen: list[See],
    catch_up_every: int,
    between: tuple[int | None, int | None],
    page: dict[str, Any],
) -> None:
    """In any order of arrival, up to the position that the views have reached."""
    wanted = TrailFilter(since=instant_of(between[0]), until=instant_of(between[1]))
    with (
        patch.multiple(time_index, BLOCK=4, OUTSIDE_MAX=-1),
        new_world() as made,
        views_of(made) as views,
    ):
        for number, each in enumerate(seen):
            made.take(each)
            if number % catch_up_every == 0:
                views.catch_up()
        found = views.trail(wanted, **page)
        expected = [
            entry.position or 0
            for entry in made.ledger.history(1, views.reached())
            if (wanted.since is None or wanted.since <= entry.effective_at)
            and (wanted.until is None or entry.effective_at < wanted.until)
        ]
        assert found.position == views.reached()
        after, newest_first = page["after"], page["newest_first"]
        if after is not None:
            expected = [p for p in expected if (p < after if newest_first else p > after)]
        expected.sort(reverse=newest_first)
        assert [row[0] for row in found.rows] == expected[: page["limit"]]
        assert found.more == (len(expected) > page["limit"])


@given(st.lists(observations, min_size=1, max_size=25), st.integers(1, 9))
def test_the_number_of_catch_ups_does_not_change_the_index(
    seen: list[See], catch_up_every: int
) -> None:
    def kept(views: Views) -> list[object]:
        return [
            views._store.connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("time_blocks", "time_late")
        ]

    with patch.object(time_index, "BLOCK", 4), new_world() as made, views_of(made) as views:
        for number, each in enumerate(seen):
            made.take(each)
            if number % catch_up_every == 0:
                views.catch_up()
        views.catch_up()
        in_steps = kept(views)
        assert isinstance(made.place, Path)
        views_path(made.place).unlink()
        with views_of(made) as anew:
            anew.catch_up()
            assert kept(anew) == in_steps


def test_only_the_blocks_of_a_time_are_read(world: World, views: Views) -> None:
    """Not in the blocks before and after."""
    history = list(world.ledger.history())
    middle = history[len(history) // 2]
    with patch.object(time_index, "BLOCK", 4):
        time_index.clear(views._store.connection)
        time_index.extend(views._store.connection, len(history))
    wanted = TrailFilter(
        since=middle.effective_at, until=middle.effective_at + timedelta(microseconds=1)
    )
    first, last = time_index.bounds(views._store.connection, wanted, len(history))
    assert first <= (middle.position or 0) <= last
    assert last - first < 12 < len(history)


def test_the_index_of_another_history_is_discarded(
    world: World, views: Views, path: Path, tmp_path: Path
) -> None:
    views.close()
    other = World(tmp_path / "other.db")
    other.take(See(AgencyCreated(agency="other"), 5))
    other.ledger.close()
    world.ledger.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    (tmp_path / "other.db").rename(path)
    with Views.open(world.place, load_catalogue()) as anew:
        last = anew.catch_up()
        page = anew.trail(TrailFilter(since=BEGINNING - timedelta(days=1)))
        assert len(page.rows) == last
        indexed = "SELECT max(until) FROM time_blocks"
        assert anew._store.connection.value(indexed) == last


def test_views_of_an_older_layout_are_built_again(world: World, views: Views) -> None:
    before = views.read("regions").rows
    for table in ("time_blocks", "time_late"):
        views._store.connection.execute(f"DROP TABLE {table}")
    older = (
        "PRAGMA user_version = 0"
        if isinstance(world.place, Path)
        else "UPDATE layout SET version = 0"
    )
    views._store.connection.execute(older)
    views.close()
    with Views.open(world.place, load_catalogue()) as anew:
        anew.catch_up()
        assert anew.read("regions").rows == before
        assert len(anew.trail(TrailFilter(since=BEGINNING - timedelta(days=999))).rows)
