"""For any history, a copy in the other database and its copy back give the same answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import generator
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.sources import SOURCES, ImportReport, read_traces
from projections.views import Views
from tests.ledger.copying.copies import assert_is_copy, copied, small_parts
from tests.ledger.worlds import Place
from tests.postgres import Server
from tests.projections.worlds import Step, World, steps

CATALOGUE = load_catalogue()


@contextmanager
def places(server: Server) -> Iterator[tuple[Path, str, Path]]:
    """A file, a database, and a file again."""
    name = server.take()
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "first.db"), server.url(name), Path(folder, "back.db")
    server.give_back(name)


def certificate(place: Place) -> dict[str, tuple[int, str]]:
    """The rows and digests of a rebuild of all views at a place."""
    with Views.open(place, CATALOGUE) as views:
        made = views.rebuild()
        return {each.name: (each.rows, each.digest_after) for each in made.projections}


def is_the_same_everywhere(first: Path, there: str, back: Path) -> None:
    one, other = copied(first, there), copied(there, back)
    assert one.root == other.root
    assert_is_copy(first, there)
    assert_is_copy(first, back)
    assert certificate(first) == certificate(there) == certificate(back)


@settings(max_examples=8)
@given(taken=st.lists(steps, min_size=1, max_size=25), rows=st.integers(1, 9))
def test_any_history_is_the_same_in_the_other_database_and_back(
    server: Server, taken: list[Step], rows: int
) -> None:
    with places(server) as (first, there, back), small_parts(rows):
        world = World(first)
        for number, step in enumerate(taken):
            world.take(step)
            if number == len(taken) // 2:  # The copies go on where they were.
                copied(first, there)
                copied(there, back)
        world.ledger.close()
        is_the_same_everywhere(first, there, back)


def test_a_generated_ledger_is_the_same_in_the_other_database_and_back(server: Server) -> None:
    with places(server) as (first, there, back):
        generator.build(first, 5_000)
        is_the_same_everywhere(first, there, back)


def test_real_traces_are_the_same_in_the_other_database_and_back(
    server: Server, shared: Path
) -> None:
    with places(server) as (first, there, back):
        with Ledger(first) as ledger:
            for source, folder in (("cloudtrail", "cloudtrail-invictus"), ("cts", "cts")):
                paths = sorted(p for p in (shared / folder).rglob("*.json*") if p.is_file())
                now = datetime(2026, 1, 1, tzinfo=UTC)
                ledger.observe(read_traces(SOURCES[source], paths, ImportReport(), now=now))
            assert ledger.last_position() > 100
        is_the_same_everywhere(first, there, back)
