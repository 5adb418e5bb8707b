"""Folded views say the same for every order of arrival, and at every commit what was known then.

Each order of a small history has an account of its own in one ledger. Each of its facts is a commit
of its own, and the views catch up after each.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionRequested,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.project import ProjectCreated, ProjectDeleted
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import Observation, Provenance, Recorded
from projections.definitions.declared import FOLDED
from projections.maintenance import live_facts, runner
from projections.maintenance.runner import Certificate
from projections.views import Views
from tests.ledger.worlds import Place
from tests.postgres import Server
from tests.projections import oracle
from tests.projections.arrivals import HISTORIES, Told, granted, revoked
from tests.projections.test_properties import new_world
from tests.projections.worlds import BEGINNING, See, World

CATALOGUE = load_catalogue()
PROVIDERS = ("aws", "huaweicloud")


def observe(ledger: Ledger, provider: str, facts: Sequence[tuple[str, int, Told]]) -> None:
    """Record facts, each by an account and a number: one trace each."""
    ledger.observe(
        Observation(
            provider=provider,
            account=account,
            events=(stated.event,),
            effective_at=BEGINNING + timedelta(minutes=stated.minute),
            source=Provenance(trace_id=f"{account}-{number}"),
            actor=stated.actor,
        )
        for account, number, stated in facts
    )


def in_all_orders(ledger: Ledger, provider: str, history: Sequence[Told]) -> Iterator[int]:
    """Record a history in all orders, each in an account. Yields the position after each fact."""
    orders = list(permutations(range(len(history))))
    for step in range(len(history)):
        facts = [
            (f"{number:04}", order[step], history[order[step]])
            for number, order in enumerate(orders)
        ]
        observe(ledger, provider, facts)
        yield ledger.last_position()


def check(views: Views, history: list[Recorded], known_at: int, minutes: Sequence[int]) -> None:
    """The views answer as the fold of all that was known then: now, and of each minute."""
    known = history[:known_at]
    spans, clock = oracle.spans_of(known), known[-1].recorded_at if known else None
    for name in FOLDED:
        for at in (None, *(BEGINNING + timedelta(minutes=minute) for minute in minutes)):
            answer = views.read(name, as_of=AsOf(known_at, at)).rows
            assert answer == oracle.shown(name, spans, at, clock), (name, known_at, at)


def facts_of_accounts(views: Views) -> dict[str, set[tuple[Any, ...]]]:
    """All that is known of each account, of every time, without positions and people."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    for name, projection in FOLDED.items():
        left_out = {"account", "position", "document_position"}
        columns = [c.name for c in projection.columns if c.name not in left_out]
        names = ", ".join(("account", *columns, "valid_from", "until_at"))
        rows = views.query(
            f"SELECT {names} FROM {name}_history WHERE gone_position IS NULL", row_limit=100_000
        ).rows
        for account, *row in rows:
            found.setdefault(account, set()).add((name, *row))
    return found


def copied(file: Path | str, to: Path) -> None:
    """Copy a database with what is in its write-ahead log."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def tables(views: Views) -> list[Any]:
    return [
        sorted(views.query(f"SELECT * FROM {name}_history", row_limit=100_000).rows, key=repr)
        for name in FOLDED
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", HISTORIES)
def test_every_order_of_arrival_gives_the_same_rows_and_knew_at_each_commit_what_was_known(
    tmp_path: Path, name: str, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caught up fact by fact, in chunks that are smaller than the history, and rebuilt."""
    place, copy, begun = (tmp_path / name for name in ("ledger.db", "copy.db", "begun"))
    ledger = Ledger(place)
    with Views.open(place, CATALOGUE) as views:
        boundaries = []
        for position in in_all_orders(ledger, provider, HISTORIES[name]):
            boundaries.append(position)
            views.catch_up()
            if len(boundaries) == 1:
                copied(f"{place}.views", begun)
        history = list(ledger.history())
        ledger.close()
        for position in boundaries:
            check(views, history, position, [stated.minute for stated in HISTORIES[name]])
        stated = facts_of_accounts(views)
        [of_each] = {frozenset(rows) for rows in stated.values()}
        assert of_each
        by_catching_up = tables(views)
        assert views.rebuild().equal
        assert tables(views) == by_catching_up
    copied(place, copy)
    monkeypatch.setattr(runner, "CHUNK", len(history) // 3)
    for recalled in (0, 1_000):
        monkeypatch.setattr(live_facts, "RECALLED_MAX", recalled)
        shutil.copy(begun, f"{copy}.views")
        with Views.open(copy, CATALOGUE) as views:
            assert views.reached() == boundaries[0]
            views.catch_up()
            assert tables(views) == by_catching_up


AGENCIES: tuple[dict[str, Any], ...] = (
    {"agency": "a"}, {"agency_id": "A1"}, {"agency": "a", "agency_id": "A1"},
    {"agency": "a", "agency_id": "A2"}, {"agency": "b"},
)  # fmt: skip
POLICIES: tuple[dict[str, Any], ...] = (
    {"policy": "p"}, {"policy_id": "P1"}, {"policy": "p", "policy_id": "P1"},
    {"policy": "q", "policy_id": "P1"},
)  # fmt: skip
EVENTS = [
    *(AgencyCreated(**{"trustee": "service:s"} | named) for named in AGENCIES if "agency" in named),
    *(kind(**named) for kind in (AgencyDeleted, AgencyDeletionRequested) for named in AGENCIES),
    *(AgencyTrustChanged(trustee=t, **AGENCIES[0]) for t in ("service:t", None)),
    *(AgencyExpiryChanged(expires_at=at, **AGENCIES[1])
      for at in (BEGINNING + timedelta(minutes=3), None)),
    *(kind(region=region, **agency, **policy)
      for kind in (PermissionGranted, PermissionRevoked)
      for region in ("*", "r-1")
      for agency in AGENCIES
      for policy in POLICIES[:3]),
    *(PolicyCreated(**named) for named in POLICIES if "policy" in named),
    *(kind(**named) for kind in (PolicyChanged, PolicyDeleted) for named in POLICIES),
]  # fmt: skip
"""Few things, often named in another way, so that their facts meet."""

few_minutes = st.integers(0, 5)
facts = st.lists(
    st.builds(See, st.sampled_from(EVENTS), few_minutes, provider=st.sampled_from(PROVIDERS)),
    min_size=1,
    max_size=10,
)


def check_any(made: World, taken: Sequence[See]) -> None:
    with Views.open(made.place, CATALOGUE) as views:
        for see in taken:
            made.take(see)
            views.catch_up()
        history = list(made.ledger.history())
        for position in oracle.boundaries(history):
            check(views, history, position, range(6))
        for name in FOLDED:
            assert views.read(name).rows == oracle.fold(name, history), name
        by_catching_up = tables(views)
        assert views.rebuild().equal
        assert tables(views) == by_catching_up


@settings(max_examples=25)
@given(facts)
def test_any_history_is_known_at_each_commit_as_the_fold_knows_it(taken: list[See]) -> None:
    """Of few things and few minutes, so that many facts are of one thing at one time."""
    with new_world() as made:
        check_any(made, taken)


@settings(max_examples=6)
@given(facts)
def test_postgresql_knows_at_each_commit_what_the_fold_knows(
    server: Server, taken: list[See]
) -> None:
    with new_world(server) as made:
        check_any(made, taken)


@settings(max_examples=20)
@given(facts, st.randoms())
def test_two_ledgers_of_the_same_facts_have_the_same_facts_digests(
    taken: list[See], chance: random.Random
) -> None:
    """Whichever of them each one learned first, also of several at one time."""
    shuffled = list(taken)
    chance.shuffle(shuffled)
    mine, theirs = (_certificate(seen) for seen in (taken, shuffled))
    for here, there in zip(mine.projections, theirs.projections, strict=True):
        assert (here.rows, here.facts_digest) == (there.rows, there.facts_digest), here.name


def _certificate(seen: list[See]) -> Certificate:
    with new_world() as made, Views.open(made.place, CATALOGUE) as views:
        for see in seen:
            made.take(see)
        return views.rebuild(FOLDED)


# -- the commits ----------------------------------------------------------------------------------


def test_facts_of_one_trace_are_known_together(place: Place) -> None:
    """No answer knows half of a trace, wherever a chunk of a catch-up would end."""
    ledger = Ledger(place)
    events = (AgencyCreated(agency="a"), granted(agency="a"), revoked(agency="a"))
    ledger.observe(
        [
            Observation(
                provider="aws",
                account="1",
                events=events,
                effective_at=BEGINNING,
                source=Provenance(trace_id="t"),
            )
        ]
    )
    first = ledger.last_position() - len(events)
    with Views.open(place, CATALOGUE) as views:
        views.catch_up()
        for row in views.query("SELECT from_position FROM regions_history").rows:
            assert row == (ledger.last_position(),)
        for position in range(first, ledger.last_position()):
            when = views.resolve(f"@{position}", None, datetime.now(UTC))
            assert when is not None
            assert views.read("agencies", as_of=when).rows == []
    ledger.close()


@pytest.mark.parametrize("chunk", [1, 2, 4])
def test_a_chunk_ends_where_a_command_ends(
    place: Place, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    from tests.projections.conftest import story

    monkeypatch.setattr(runner, "CHUNK", chunk)
    made = World(place)
    made.take(story()[0])
    with Views.open(place, CATALOGUE) as views:
        views.catch_up()
        for step in story()[1:]:
            made.take(step)
        reached: list[int] = []
        views.catch_up(lambda _, position, __: reached.append(position))
        history = list(made.ledger.history())
        assert set(reached) <= set(oracle.boundaries(history))
        assert len(reached) > 3
        assert all(a < b for a, b in pairwise(reached))
        by_chunks = tables(views)
        assert views.rebuild().equal
        assert tables(views) == by_chunks
    made.ledger.close()


# -- things of one name ---------------------------------------------------------------------------


def _policy(begin: int) -> list[Told]:
    return [
        Told(begin + 2, granted(agency="a")),
        Told(begin + 1, PolicyCreated(policy="p")),
        Told(begin + 3, revoked(agency="a")),
        Told(begin + 4, PolicyDeleted(policy="p")),
    ]


def _project(begin: int) -> list[Told]:
    project = f"R{begin}"
    return [
        Told(begin + 2, granted(agency="a", project_id=project)),
        Told(begin + 1, ProjectCreated(region="r-1", project_id=project)),
        Told(begin + 3, revoked(agency="a", project_id=project)),
        Told(begin + 4, ProjectDeleted(project_id=project)),
    ]


@pytest.mark.parametrize("of", [_policy, _project])
def test_permissions_under_two_things_of_one_name_are_kept_apart(
    place: Place, of: Callable[[int], list[Told]]
) -> None:
    """Policies have no ids here, and the ids of projects are in no column. Until the first grant
    arrives, last of all, both permissions are not known from the same time on.
    """
    ledger = Ledger(place)
    late, *first = of(0)
    facts = [Told(0, AgencyCreated(agency="a")), *first, *of(10)[1:], late]
    with Views.open(place, CATALOGUE) as views:
        for number, stated in enumerate(facts):
            observe(ledger, "huaweicloud", [("1", number, stated)])
            views.catch_up()
        history = list(ledger.history())
        for known_at in oracle.boundaries(history):
            check(views, history, known_at, range(16))
        assert views.rebuild(FOLDED).equal
    ledger.close()
