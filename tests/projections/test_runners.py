"""The trail by how an actor is known, and by who ran the process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.application import Actor, Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput
from projections.definitions.audit_trail import TrailFilter
from projections.stores import postings
from projections.views import Views
from tests.ledger.former_tables import former_entries
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import Place, traces

CATALOGUE = load_catalogue()


@pytest.fixture(params=["few", "posted"])
def views(
    place: Place, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Views]:
    """Entries of an older version, of two users on two hosts, and of traces."""
    if request.param == "posted":
        monkeypatch.setattr(postings, "RECENT", postings.Level("postings_recent", 8))
        monkeypatch.setattr(postings, "FULL", postings.Level("postings", 16))
    with former_entries(), Ledger(place) as ledger:
        ledger.execute(login("region-old"), actor=Actor("alice"))
    for user, host in (("alice", "one"), ("alice", "two"), ("alicia", "one"), ("bob", "one")):
        with monkeypatch.context() as patch, Ledger(place) as ledger:
            patch.setattr("ledger.runner.system_user", lambda user=user: user)
            patch.setattr("os.uname", lambda host=host: type("Uname", (), {"nodename": host}))
            ledger._transactions.cache.runner = ledger._runner()
            ledger.execute(login(BEIJING), actor=Actor(user, "os-user"))
            ledger.execute(login(f"region-{user}"), actor=Actor("ceo"))
    with Ledger(place) as ledger:
        ledger.observe(traces(3))
    with Views.open(place, CATALOGUE) as opened:
        opened.catch_up()
        yield opened


def run_by(views: Views, name: str, **more: Any) -> set[str]:
    rows = views.trail(TrailFilter(run_by=name, **more), limit=100).dicts()
    return {row["run_by_name"] for row in rows}


def test_a_user_is_found_on_every_host_and_nobody_with_a_longer_name(views: Views) -> None:
    assert run_by(views, "alice") == {"alice@one", "alice@two"}
    assert run_by(views, "alice@two") == {"alice@two"}
    assert run_by(views, "ali") == set()


def test_a_runner_is_found_by_id(views: Views) -> None:
    ids = {row["name"]: row["subject"] for row in views.subjects().dicts()}
    assert run_by(views, ids["bob@one"]) == {"bob@one"}


@pytest.mark.parametrize("word", ["claimed", "os-user", "trace", "ledger", "ssh-key", "session"])
def test_the_trail_is_filtered_by_how_the_actor_is_known(views: Views, word: str) -> None:
    every = views.trail(TrailFilter(), limit=100).dicts()
    expected = [row["position"] for row in every if row["actor_established"] == word]
    found = views.trail(TrailFilter(established=word), limit=100).dicts()
    assert [row["position"] for row in found] == expected
    assert bool(expected) is (word in ("claimed", "os-user", "trace"))


def test_a_claimed_actor_is_shown_with_the_user_that_ran_the_command(views: Views) -> None:
    assert run_by(views, "bob", actor="ceo", established="claimed") == {"bob@one"}


def test_a_word_that_is_not_a_way_to_know_an_actor_is_refused(views: Views) -> None:
    with pytest.raises(InvalidInput, match="established"):
        views.trail(TrailFilter(established="guessed"))


def test_an_entry_of_an_older_version_has_no_runner(views: Views) -> None:
    rows = views.trail(TrailFilter(region="region-old"), limit=100).dicts()
    assert rows
    assert {(row["run_by"], row["run_by_name"]) for row in rows} == {(None, None)}


def test_sql_sees_the_runner_of_every_event(views: Views) -> None:
    found = views.query(
        "SELECT DISTINCT s.name FROM events e JOIN subjects s ON s.subject = e.run_by "
        "WHERE e.actor_established = 'os-user'"
    )
    assert {row[0] for row in found.rows} == {"alice@one", "alice@two", "alicia@one", "bob@one"}


def test_subjects_are_listed_with_the_runners_also_after_an_erasure(
    views: Views, place: Place
) -> None:
    before = {row["subject"]: row for row in views.subjects().dicts()}
    (bob,) = [each for each, row in before.items() if row["name"] == "bob@one"]
    assert before[bob]["kind"] == "runner"
    with Ledger(place) as ledger:
        ledger.erase(bob)
    views.catch_up()
    after = {row["subject"]: row for row in views.subjects().dicts()}
    assert after.keys() >= before.keys()
    assert after[bob] == {**before[bob], "name": None}


@pytest.mark.parametrize(("name", "near"), [("bobb@one", ("bob@one",)), ("zzz", ())])
def test_an_unknown_runner_is_named_with_near_ones(
    views: Views, name: str, near: tuple[str, ...]
) -> None:
    (found,) = views.unknown_words({"run_by": name})
    assert found.near[: len(near)] == near
    assert views.unknown_words({"run_by": "alice"}) == []
