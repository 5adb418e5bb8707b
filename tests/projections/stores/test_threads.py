"""Views belong to the thread that opened them; each thread opens its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.catalogue import load_catalogue
from ledger.errors import WrongThread
from projections.definitions.audit_trail import TrailFilter
from projections.stores.sqlite.place import views_path
from projections.views import Views
from tests.projections.worlds import World

USES: dict[str, Callable[[Views], object]] = {
    "read": lambda views: views.read("regions"),
    "trail": lambda views: views.trail(TrailFilter()),
    "trail_at": lambda views: views.trail_at([1]),
    "unknown_words": lambda views: views.unknown_words({"region": "x"}),
    "query": lambda views: views.query("SELECT 1"),
    "catch_up": lambda views: views.catch_up(),
    "rebuild": lambda views: views.rebuild(),
    "follow": lambda views: next(views.follow()),
    "status": lambda views: views.status(),
    "origins": lambda views: views.origins("agencies", [], 1),
    "behind": lambda views: views.behind({"region": "x"}, besides=(), limit=1),
    "names_of": lambda views: views.names_of("agency", "aws", "1", "AROA1"),
    "digest": lambda views: views.digest("policies", 1),
    "reached": lambda views: views.reached(),
    "last_position": lambda views: views.last_position(),
    "has_another_catalogue": lambda views: views.has_another_catalogue(),
    "resolve": lambda views: views.resolve("@1", None, datetime(2026, 3, 1, tzinfo=UTC)),
    "subjects": lambda views: views.subjects(),
    "subject_names": lambda views: views.subject_names(["p-1"]),
}
"""Every way to use them, but to close them."""
NEEDS_NO_CONNECTION = {"open", "close", "can_catch_up", "names", "columns"}


def test_this_test_lists_every_method_of_the_views() -> None:
    public = {name for name in vars(Views) if not name.startswith("_")}
    assert public == USES.keys() | NEEDS_NO_CONNECTION


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_another_thread_is_refused_with_the_advice_to_open_its_own_views(
    views: Views, use: Callable[[Views], object]
) -> None:
    before = views.read("regions").rows
    with ThreadPoolExecutor(1) as threads:
        refused = threads.submit(use, views).exception()
    assert isinstance(refused, WrongThread)
    assert "opened by another thread" in str(refused)
    assert "Open views in each thread" in str(refused)
    assert not re.search("delet|damaged", str(refused), re.IGNORECASE)
    assert views.read("regions").rows == before


def test_threads_with_views_of_their_own_read_the_same(world: World, views: Views) -> None:
    expected = views.read("regions").rows

    def read(_: int) -> bool:
        with Views.open(world.place, load_catalogue()) as own:
            own.catch_up()
            return own.read("regions").rows == expected

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read, range(12))) == [True] * 12


def test_any_thread_may_close_the_views(world: World) -> None:
    views = Views.open(world.place, load_catalogue())
    with ThreadPoolExecutor(1) as threads:
        threads.submit(views.close).result()
    if isinstance(world.place, Path):
        assert views_path(world.place).exists()
