"""Posting lists find the positions at which all conditions hold: no others, and none is missed."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ledger.catalogue import load_catalogue
from projections.definitions.audit_trail import USES, TrailFilter
from projections.dialect import SQLITE
from projections.entry_columns import TYPED_COLUMNS
from projections.stores import postings, time_index, trail
from projections.term import Term
from projections.views import Views
from tests.projections.conftest import story
from tests.projections.test_properties import new_world, views_of
from tests.projections.worlds import Step, World, steps

CATALOGUE = load_catalogue()
WORDS = {
    "type": ("AgencyCreated", "PolicyCreated"),
    "account": ("1", "2", "3"),
    "outcome": (None, "refused"),
}
"""Three columns are enough: all are kept alike."""


@contextmanager
def small_blocks(full: int = 32, recent: int = 8) -> Iterator[None]:
    """Blocks so small that a short history crosses their borders. A full one has lists and bits."""
    with (
        patch.object(postings, "FULL", postings.Level("postings", full)),
        patch.object(postings, "RECENT", postings.Level("postings_recent", recent)),
        patch.object(postings, "BLOCKS_MAX", 4),
    ):
        yield


class Tables:
    """The trail's tables alone, in memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        for statement in trail.tables(SQLITE):
            connection.execute(statement)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(columns))
        for row in list(rows):
            self.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", row)

    def add(self, position: int, row: dict[str, str | None]) -> None:
        values = (position, *(row.get(name) for name in TYPED_COLUMNS))
        self.insert("trail", trail.COLUMNS, [values])


def holds(term: Term, row: dict[str, str | None]) -> bool:
    return ((row[term.kind] or "") in term.words) is not term.is_not


rows = st.lists(
    st.fixed_dictionaries({k: st.sampled_from(w) for k, w in WORDS.items()}), min_size=1
)
gaps = st.sampled_from((1, 1, 1, 1, 1, 2, 17, 70))
"""The entries of evidence are not all of a history."""
terms = st.sampled_from(sorted(WORDS)).flatmap(
    lambda kind: st.builds(
        Term,
        st.just(kind),
        st.lists(
            st.sampled_from([word for word in WORDS[kind] if word] + ["elsewhere"]),
            min_size=1,
            max_size=3,
            unique=True,
        ).map(tuple),
        st.booleans(),
    )
)
conditions = st.lists(terms, min_size=1, max_size=3).filter(
    lambda found: any(not term.is_not for term in found)
)


@given(
    st.lists(st.tuples(gaps, rows.map(lambda found: found[0])), min_size=30, max_size=90),
    st.integers(1, 40),
    conditions,
    st.tuples(st.integers(1, 200), st.integers(1, 200)),
    st.booleans(),
)
@example([(1, dict.fromkeys(WORDS, "1"))] * 79, 5, [Term("type", ("1",))], (2, 80), True)
@example(
    [(1, {"type": "AgencyCreated", "account": str(n // 5), "outcome": None}) for n in range(150)],
    13,
    [Term("type", ("AgencyCreated",)), Term("account", ("3", "26"))],
    (10, 144),
    True,
)
def test_posting_lists_give_the_positions_that_a_plain_filter_gives(
    history: list[tuple[int, dict[str, str | None]]],
    every: int,
    asked: list[Term],
    between: tuple[int, int],
    newest_first: bool,
) -> None:
    """Across full and recent blocks, however often they were extended, in both directions."""
    with small_blocks(), closing(sqlite3.connect(":memory:")) as connection:
        tables, position, found = Tables(connection), 0, dict[int, dict[str, str | None]]()
        for number, (gap, row) in enumerate(history, 1):
            position += gap
            found[position] = row
            tables.add(position, row)
            if number % every == 0:
                postings.extend(tables, position)
        postings.extend(tables, position)
        _, posted = postings.posted(tables)
        assert position - posted < postings.RECENT.size
        first, last = between[0], min(between[1], posted)
        expected = [
            at
            for at, row in found.items()
            if first <= at <= last and all(holds(term, row) for term in asked)
        ]
        expected.sort(reverse=newest_first)
        answer = postings.positions(tables, asked, first, last, newest_first=newest_first)
        assert list(answer) == expected
        assert all(stored == made for stored, made in postings.compared(tables, position))
        words = set(postings.words(tables, "account"))
        assert words == {row["account"] for at, row in found.items() if at <= posted}


def test_a_set_of_places_is_kept_in_the_least_space() -> None:
    """A list of few, or a bit for each place. Both are read back as they were."""
    level = postings.FULL
    few, many = [0, 7, 32_767], list(range(0, 32_768, 3))
    assert len(level.stored(few)) == 2 * len(few)
    assert len(level.stored(many)) == level.size // 8
    for places in (few, many):
        assert level.bits_of(level.stored(places)) == sum(1 << place for place in places)
    for size in (32, 64, 128):
        level = postings.Level("postings", size)
        for places in (list(range(number)) for number in range(1, size)):
            assert level.bits_of(level.stored(places)) == (1 << len(places)) - 1


@settings(max_examples=30)
@given(st.lists(steps, min_size=6, max_size=20), st.integers(1, 9), st.integers(0, 2**32))
def test_any_page_of_the_trail_is_the_one_that_a_plain_filter_gives(
    taken: list[Step], catch_up_every: int, seed: int
) -> None:
    """With words, times, `after` and a limit together, across posted and unposted entries."""
    chance = random.Random(seed)
    with (
        small_blocks(16, 8),
        patch.object(time_index, "BLOCK", 4),
        new_world() as made,
        views_of(made) as views,
    ):
        for number, step in enumerate(taken):
            made.take(step)
            if number % catch_up_every == 0:
                views.catch_up()
        every = views.query("SELECT * FROM audit_trail", row_limit=1_000).dicts()
        assume(every)  # The steps before the last catch-up may all append nothing.
        for _ in range(30):
            wanted, after = drawn(chance, every), chance.choice([None, *range(len(every) + 2)])
            limit, newest_first = chance.randint(1, 6), chance.random() < 0.5
            # Late events are listed, or all events outside of a span are read.
            monkey = patch.object(time_index, "OUTSIDE_MAX", chance.choice([-1, 3, 1_000]))
            with monkey:
                found = views.trail(wanted, after=after, limit=limit, newest_first=newest_first)
            expected = [row["position"] for row in every if is_wanted(row, wanted)]
            if after is not None:
                expected = [p for p in expected if (p < after if newest_first else p > after)]
            expected.sort(reverse=newest_first)
            assert [row[0] for row in found.rows] == expected[:limit], (wanted, after)
            assert found.more == (len(expected) > limit)


COLUMNS = {
    "account": "account",
    "region": "region",
    "agency": "agency",
    "policy": "policy",
    "event": "type",
    "outcome": "outcome",
    "origin": "origin",
    "actor": "actor_name",
    "service": "service",
    "established": "actor_established",
    "run_by": "run_by_name",
}


def drawn(chance: random.Random, every: list[dict[str, Any]]) -> TrailFilter:
    """Up to two words of one entry, or one of another, and the times of any."""
    conditions: dict[str, Any] = {}
    for name in chance.sample(sorted(COLUMNS), chance.randrange(3)):
        row = chance.choice(every[-9:])
        is_use = name == "service" and row["type"] in USES
        conditions["uses" if is_use else name] = row[COLUMNS[name]]
    for name in ("since", "until"):
        if chance.random() < 0.3:
            conditions[name] = datetime.fromisoformat(chance.choice(every)["effective_at"])
    return TrailFilter(**conditions)


def is_wanted(row: dict[str, Any], wanted: TrailFilter) -> bool:
    at = datetime.fromisoformat(row["effective_at"])
    return all(
        (
            wanted.account in (None, row["account"]),
            wanted.region is None or row["region"] in (wanted.region, "*"),
            wanted.event in (None, row["type"]),
            wanted.outcome in (None, row["outcome"]),
            wanted.origin in (None, row["origin"]),
            wanted.actor in (None, row["actor_name"]),
            wanted.established in (None, row["actor_established"]),
            wanted.run_by in (None, row["run_by_name"]),
            wanted.agency in (None, row["agency"]),
            wanted.policy in (None, row["policy"]),
            wanted.service is None
            or (row["service"] == wanted.service and row["type"] not in USES),
            wanted.uses is None or (row["service"] == wanted.uses and row["type"] in USES),
            wanted.since is None or wanted.since <= at,
            wanted.until is None or at < wanted.until,
        )
    )


def lists(views: Views) -> list[list[Any]]:
    connection = views._store.connection
    return [
        [(*row[:3], bytes(row[3])) for row in connection.execute(
            f"SELECT kind, word, block, places FROM {table} ORDER BY 1, 2, 3"
        ).fetchall()]
        for table in ("postings", "postings_recent")
    ]  # fmt: skip


def test_two_that_catch_up_in_turns_write_the_lists_of_one_that_does_it_alone(
    world: World,
) -> None:
    with (
        small_blocks(16, 8),
        Views.open(world.place, CATALOGUE) as one,
        Views.open(world.place, CATALOGUE) as other,
    ):
        for number, step in enumerate([*story(), *story()[:7]]):
            (one, other)[number % 2].catch_up()
            world.take(step)
        last = one.catch_up()
        in_turns = lists(other)
        connection = other._store.connection
        with connection.transaction():
            trail.clear(connection)
            trail.extend(connection, last)
        assert lists(one) == in_turns
        assert in_turns[0]
        assert in_turns[1]


@pytest.mark.parametrize(
    "altered",
    [
        "UPDATE postings_recent SET word = 'elsewhere' WHERE kind = 'outcome'",
        "DELETE FROM postings WHERE kind = 'account'",
        "INSERT INTO postings SELECT kind, 'more', block, places FROM postings WHERE word = 'asm'",
        "INSERT INTO postings SELECT kind, word, 7, places FROM postings WHERE block = 0",
        "INSERT INTO postings_recent SELECT kind, word, 0, places FROM postings WHERE block = 0",
        "UPDATE posted SET until = until + 8",
        "DELETE FROM posted",
    ],
)
def test_lists_that_were_altered_by_hand_are_found_and_mended_by_a_full_rebuild(
    world: World, altered: str
) -> None:
    with small_blocks(16, 8), Views.open(world.place, CATALOGUE) as views:
        views.catch_up()
        before, posted = lists(views), postings.posted(views._store.connection)
        views._store.connection.execute(altered)
        certificate = views.rebuild()
        assert [part.name for part in certificate.projections if not part.equal] == ["trail"]
        assert lists(views) == before
        assert postings.posted(views._store.connection) == posted
        assert views.rebuild().equal


def test_the_lists_of_another_history_are_discarded(
    world: World, views: Views, path: Path, tmp_path: Path
) -> None:
    with small_blocks(16, 8):
        postings.extend(views._store.connection, views.reached())
        assert lists(views)[0]
        views.close()
        other = World(tmp_path / "other.db")
        for step in story()[:2]:
            other.take(step)
        other.ledger.close()
        world.ledger.close()
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        (tmp_path / "other.db").rename(path)
        with Views.open(path, CATALOGUE) as anew:
            last = anew.catch_up()
            rows = anew.query("SELECT * FROM audit_trail", row_limit=1_000).dicts()
            assert [row["position"] for row in rows] == list(range(1, last + 1))
            assert all(a == b for a, b in postings.compared(anew._store.connection, last))
            found = anew.trail(TrailFilter(origin="commanded"), limit=1_000)
            assert len(found.rows) == sum(row["origin"] == "commanded" for row in rows)
