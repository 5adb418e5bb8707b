"""A process that catches up again and again keeps what it knows, but only while that is all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.permissions import PermissionGranted
from ledger.catalogue import load_catalogue
from ledger.folding import Fact, fact_of_entry
from projections.definitions.declared import FOLDED, PROJECTIONS
from projections.definitions.policies import POLICIES
from projections.maintenance import live_facts
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections import oracle
from tests.projections.worlds import See, World

CATALOGUE = load_catalogue()
HISTORY = [
    See(AgencyCreated(agency="a", agency_id="A1"), 1),
    See(PermissionGranted(agency="a", region="*", policy="p"), 2),
    See(PermissionGranted(agency_id="A1", region="*", policy="q"), 3),
    See(AgencyCreated(agency="b"), 3),
    See(AgencyDeleted(agency_id="A1"), 4),
    See(PermissionGranted(agency="a", region="*", policy="p"), 5),
]


@pytest.fixture
def made(place: Place) -> Iterator[World]:
    made = World(place)
    yield made
    made.ledger.close()


@pytest.fixture
def views(made: World) -> Iterator[Views]:
    with Views.open(made.place, CATALOGUE) as views:
        views.catch_up()
        yield views


def agree(made: World, views: Views) -> None:
    """The folded views are the fold of all facts, and what a rebuild gives."""
    history = list(made.ledger.history())
    for name in FOLDED:
        assert views.read(name).rows == oracle.fold(name, history), name
    assert views.rebuild(FOLDED).equal


def test_a_process_reads_no_fact_twice(
    made: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.take(See(AgencyCreated(agency="another"), 0))
    views.catch_up()
    read: list[int] = []

    def noted(entry: str, position: int) -> Fact | None:
        read.append(position)
        return fact_of_entry(entry, position)

    monkeypatch.setattr("projections.maintenance.facts.fact_of_entry", noted)
    for see in HISTORY:
        made.take(see)
        views.catch_up()
    assert len(read) == len(set(read)) == len(HISTORY)
    agree(made, views)


def test_facts_that_another_process_caught_up_are_read_again(made: World, views: Views) -> None:
    with Views.open(made.place, CATALOGUE) as other:
        for number, see in enumerate(HISTORY):
            made.take(see)
            (views if number % 2 else other).catch_up()
    agree(made, views)


def test_a_catch_up_that_failed_leaves_nothing_behind(
    made: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    for see in HISTORY:
        made.take(see)
        with monkeypatch.context() as patch:
            patch.setattr("projections.stores.fact_index.advance", _fail)
            with pytest.raises(RuntimeError):
                views.catch_up()
        views.catch_up()
    agree(made, views)


def _fail(*_: object) -> None:
    raise RuntimeError("the disk is full")


@pytest.mark.parametrize("most", [0, 3])
def test_cells_are_dropped_when_they_have_too_many_facts(
    made: World, views: Views, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(live_facts, "KEPT_MAX", most)
    for see in (*HISTORY, *(replace(see, account="2") for see in HISTORY)):
        made.take(see)
        views.catch_up()
        kept = views._runner._live._kept.values()
        assert len(kept) <= 1 or sum(each.facts for each in kept) <= most
    agree(made, views)


def test_one_folded_view_is_made_again_while_the_others_catch_up(
    made: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them use one index of facts, which has each fact once."""
    for see in HISTORY[:3]:
        made.take(see)
    views.catch_up()
    for see in HISTORY[3:]:
        made.take(see)
    monkeypatch.setitem(PROJECTIONS, "policies", replace(POLICIES, values=POLICIES.values[:-1]))
    with Views.open(made.place, CATALOGUE) as again:
        again.catch_up()
        assert again.rebuild().equal
    monkeypatch.undo()
    with Views.open(made.place, CATALOGUE) as again:
        again.catch_up()
        agree(made, again)
