"""The trail has each entry's fields in columns, up to the position that the views have reached."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated
from ledger.catalogue import load_catalogue
from ledger.errors import CorruptEntry
from projections.entry_columns import TYPED_COLUMNS, typed
from projections.stores import postings, trail
from projections.views import Views
from tests.projections.conftest import story
from tests.projections.shown import all_rows
from tests.projections.worlds import See, World

CATALOGUE = load_catalogue()
TOPIC = "AgencyCreated.v1"


def test_each_entry_has_a_row_of_its_own_fields(world: World, views: Views) -> None:
    history = list(world.ledger.history())
    stored = trail.stored(views._store.connection, 1, len(history))
    assert [row[0] for row in stored] == [entry.position for entry in history]
    for row, entry in zip(stored, history, strict=True):
        fields = json.loads(world.ledger.entry_text(row[0]))
        named = dict(zip(trail.COLUMNS, row, strict=True))
        assert named.pop("position") == entry.position
        assert named.pop("type") == entry.type
        assert named == {name: fields.get(name) for name in named}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(st.sampled_from(TYPED_COLUMNS[1:]), texts), st.integers(1, 10))
def test_a_column_is_the_text_of_its_field(fields: dict[str, str], version: int) -> None:
    """For all texts, and among other fields that are not texts."""
    entry = json.dumps({**fields, "version": version, "services": ["cce"], "verified": True})
    found = dict(zip(TYPED_COLUMNS, typed(1, TOPIC, entry), strict=True))
    assert found.pop("type") == "AgencyCreated"
    assert found == {name: fields.get(name) for name in found}
    assert typed(1, TOPIC, entry.encode()) == typed(1, TOPIC, entry)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        ('"text"', ""),
        ("null", ""),
        ('{"account":5}', "its account is not a text"),
        ('{"account":"1","actor":true}', "its actor is not a text"),
        ('{"region":["a"]}', "its region is not a text"),
        ('{"agency":{"name":"a"}}', "its agency is not a text"),
        ('{"agency":"\\ud800"}', ""),
        (b'{"agency":"\xff"}', ""),
        ('{"agency":"\udcff"}', ""),
        ("[" * 100_000, ""),
    ],
)
def test_an_entry_that_is_not_one_is_an_error_that_names_its_position(
    entry: str | bytes, why: str
) -> None:
    named = re.escape(f"The entry at position 7 cannot be read: {why}")
    with pytest.raises(CorruptEntry, match=named) as failed:
        typed(7, TOPIC, entry)
    assert "log verify" in str(failed.value.remedy)


@pytest.mark.parametrize(
    ("before", "after"),
    [('"agency":"another"', '"agency":["another"]'), ('{"', "{'"), ('"origin"', '"origin":5,"x"')],
)
def test_an_altered_entry_stops_the_catch_up_before_it_and_changes_nothing(
    world: World, path: Path, before: str, after: str
) -> None:
    with Views.open(path, CATALOGUE) as views:
        reached, shown = views.catch_up(), all_rows(views)
        world.take(See(AgencyCreated(agency="another"), 1))
        last = world.ledger.last_position()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DROP TRIGGER events_are_never_changed")
            altered = "UPDATE events SET entry = replace(entry, ?, ?) WHERE position = ?"
            connection.execute(altered, (before, after, last))
        with pytest.raises(CorruptEntry, match=f"position {last} cannot be read"):
            views.catch_up()
        assert trail.reached(views._store.connection) == views.reached() == reached
        assert all_rows(views) == shown


def test_a_catch_up_that_is_killed_in_the_middle_goes_on_at_the_next(
    world: World, views: Views
) -> None:
    """After the trail, and before the other views: neither has changed."""
    reached, stored = views.reached(), every_row(views)
    for step in story():
        world.take(step)
    code = (
        "import os, signal, sys\n"
        "from ledger.catalogue import load_catalogue; from projections.stores import time_index\n"
        "from projections.views import Views\n"
        "time_index.extend = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with Views.open(sys.argv[1], load_catalogue()) as v: v.catch_up()"
    )
    child = subprocess.run([sys.executable, "-c", code, str(world.place)], check=False)
    assert child.returncode == -signal.SIGKILL
    assert (views.reached(), every_row(views)) == (reached, stored)
    last = views.catch_up()
    assert last == world.ledger.last_position() > reached
    connection = views._store.connection
    assert every_row(views) == list(trail.rows(connection, 1, last))
    assert all(kept == made for kept, made in postings.compared(connection, last))
    assert views.rebuild().equal


def test_a_history_that_replaced_another_has_a_trail_of_its_own(
    world: World, views: Views, path: Path, tmp_path: Path
) -> None:
    views.close()
    other = World(tmp_path / "other.db")
    other.take(See(AgencyCreated(agency="other"), 5))
    texts = [other.ledger.entry_text(n) for n in range(1, other.ledger.last_position() + 1)]
    other.ledger.close()
    world.ledger.close()
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    (tmp_path / "other.db").rename(path)
    with Views.open(path, CATALOGUE) as anew:
        last = anew.catch_up()
        assert last == len(texts)
        assert every_row(anew) == list(trail.rows(anew._store.connection, 1, last))
        found = anew.query("SELECT entry FROM audit_trail ORDER BY position").rows
        assert found == [(text,) for text in texts]


def every_row(views: Views) -> list[tuple[Any, ...]]:
    connection = views._store.connection
    return trail.stored(connection, 1, trail.reached(connection))
