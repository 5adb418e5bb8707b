"""Conditions reach down into the relations that a derived view reads, and change no answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.activity import AgencyActed
from ledger.account.agency import AgencyCreated, AgencyTrustChanged
from ledger.account.permissions import PermissionGranted
from ledger.account.policy import PolicyDeletionAttempted
from ledger.account.usage import FeatureUsed
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import Observation, Provenance
from projections.definitions.declared import PROJECTIONS, VIEWS
from projections.maintenance import runner
from projections.views import Result, Views
from tests.postgres import Server
from tests.projections.test_properties import new_world, views_of
from tests.projections.worlds import (
    ACCOUNTS,
    AGENCIES,
    BEGINNING,
    POLICIES,
    REGIONS,
    SYSTEM_POLICIES,
    See,
    Step,
    World,
    minutes,
    steps,
)

DERIVED = tuple(name for name in Views.names() if name in VIEWS)
IDS = ("a-1", "a-2")
SERVICES = ("asm", "cce", "elb")
ASKED: Mapping[str, tuple[str, ...]] = {
    "provider": ("huaweicloud", "aws"),
    "account": ACCOUNTS,
    "region": (*REGIONS, "*", "not known", ""),
    "agency": (*AGENCIES, "CCENodeAgency", *IDS, ""),
    "agency_id": (*IDS, ""),
    "service": (*SERVICES, ""),
    "policy": (*POLICIES, *SYSTEM_POLICIES, ""),
}
"""The columns that a view may keep of what it reads, and words for them."""

named: dict[str, Any] = {
    "agency": st.sampled_from((*AGENCIES, None)),
    "agency_id": st.sampled_from(IDS),
    "region": st.sampled_from(REGIONS),
    "service": st.sampled_from(SERVICES),
}
_without_id = {name: values for name, values in named.items() if name != "agency_id"}
further: st.SearchStrategy[Step] = st.builds(
    See,
    st.one_of(
        st.builds(
            AgencyActed,
            **named | {"region": st.sampled_from((*REGIONS, None))},
            action=st.just("CreateCluster"),
            calls=st.integers(1, 3),
            first_at=st.just(BEGINNING),
            last_at=st.just(BEGINNING + timedelta(minutes=1)),
            file_digest=st.sampled_from(("0" * 64, "1" * 64)),
        ),
        st.builds(
            FeatureUsed, **_without_id, feature=st.just("mesh"), services=st.just(("cce", "elb"))
        ),
        st.builds(PermissionGranted, **named, policy=st.sampled_from((*SYSTEM_POLICIES, None))),
        st.builds(AgencyCreated, agency=st.sampled_from(AGENCIES), agency_id=named["agency_id"]),
        st.builds(
            PolicyDeletionAttempted, policy=st.sampled_from(POLICIES), outcome=st.just("refused")
        ),
    ),
    minutes,
    account=st.sampled_from(ACCOUNTS),
    provider=st.sampled_from(("huaweicloud", "huaweicloud", "aws")),
)
histories = st.lists(st.one_of(steps, further), min_size=5, max_size=25)
conditions = st.fixed_dictionaries(
    {}, optional={column: st.sampled_from(words) for column, words in ASKED.items()}
)


def fits(row: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Whether a row of an unrestricted answer fits the conditions."""
    return all(
        value == row[column]
        or (value and value == row.get(f"{column}_id"))
        or (column == "region" and row[column] == "*")
        for column, value in wanted.items()
    )


def filtered(views: Views, name: str, when: AsOf | None, wanted: Mapping[str, str]) -> Result:
    """The answer from all that the view reads, filtered afterwards."""
    answer = views.read(name, as_of=when)
    keep = [fits(row, wanted) for row in answer.dicts()]
    rows = [row for row, kept in zip(answer.rows, keep, strict=True) if kept]
    return Result(answer.columns, rows, answer.position)


@dataclass(frozen=True)
class Question:
    """Conditions and a limit, asked now, as of a position, and as of a time."""

    wanted: dict[str, str]
    limit: int
    position: int
    minute: int

    def check(self, views: Views, last: int) -> None:
        """Compare the restricted answers of all derived views with the whole ones."""
        known = 1 + self.position % last
        for when in (None, AsOf(known), AsOf(known, BEGINNING + timedelta(minutes=self.minute))):
            for name in DERIVED:
                self._check(views, name, when)

    def _check(self, views: Views, name: str, when: AsOf | None) -> None:
        columns = {column.name for column in Views.columns(name)}
        wanted = {column: value for column, value in self.wanted.items() if column in columns}
        expected = filtered(views, name, when, wanted)
        assert views.read(name, as_of=when, where=wanted) == expected, (name, when, wanted)
        some = views.read(name, as_of=when, where=wanted, limit=self.limit)
        assert some.rows == expected.rows[: self.limit]
        assert some.more == (len(expected.rows) > self.limit)


questions = st.builds(Question, conditions, st.integers(1, 3), st.integers(0, 50), minutes)


@settings(max_examples=15)
@given(histories, questions)
def test_a_restricted_answer_is_the_whole_one_filtered(
    taken: list[Step], question: Question
) -> None:
    answered(new_world(), taken, question)


@settings(max_examples=4)
@given(taken=histories, question=questions)
def test_postgresql_restricts_answers_in_the_same_way(
    server: Server, taken: list[Step], question: Question
) -> None:
    answered(new_world(server), taken, question)


def answered(world: AbstractContextManager[World], taken: list[Step], question: Question) -> None:
    with world as made, views_of(made) as views:
        for step in taken:
            made.take(step)
        if last := views.catch_up():
            question.check(views, last)


def test_an_accounts_name_finds_what_its_id_finds_in_every_derived_view(
    world: World, views: Views
) -> None:
    trust = AgencyTrustChanged(
        agency="asm_admin_trust",
        trustee="account:acme",
        trusted_account_id=ACCOUNTS[0],
        trusted_account_name="acme",
    )
    world.take(See(trust, 1, ACCOUNTS[1]))
    world.take(See(PermissionGranted(agency="ci", region=REGIONS[0], service="elb"), 2))
    views.catch_up()
    for name in DERIVED:
        by_id = views.read(name, where={"account": ACCOUNTS[0]})
        assert views.read(name, where={"account": "acme"}) == by_id, name
        exactly = views.read(name, where={"account": "acme"}, exactly=True)
        assert exactly.rows == [], name


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Views]:
    """The views of many accounts, some of which have agencies of the same names."""
    path = tmp_path_factory.mktemp("crowded") / "ledger.db"
    events = [
        PermissionGranted(agency=f"agency {number % 40}", region=region, service="elb")
        for number in range(400)
        for region in REGIONS
    ]
    seen = [
        Observation(
            provider="huaweicloud",
            account=f"{number // 4:012d}",
            events=(event,),
            effective_at=BEGINNING + timedelta(minutes=number),
            source=Provenance(trace_id=f"trace-{number}"),
        )
        for number, event in enumerate(events)
    ]
    with Ledger(path) as ledger:
        ledger.observe(seen)
    with Views.open(path, load_catalogue()) as views:
        views.catch_up()
        yield views


WHENS = (None, AsOf(900), AsOf(900, BEGINNING + timedelta(days=1)))


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("name", DERIVED)
def test_of_one_account_no_others_rows_or_events_are_read(
    crowded: Views, name: str, when: AsOf | None
) -> None:
    plan = plan_of(crowded, name, {"account": "000000000001"}, when)
    assert [line for line in plan if "trail_by_account (account=?" in line], plan
    assert not [line for line in plan if re.match(r"SCAN (shown|\w+_\d+)\b", line)], plan


@pytest.mark.parametrize("when", WHENS)
def test_of_any_account_an_agency_in_a_region_is_found_by_an_index(
    crowded: Views, when: AsOf | None
) -> None:
    """By its name, or by its id."""
    wanted = {"region": REGIONS[0], "agency": "agency 7"}
    assert crowded.read("regions", where=wanted).rows
    plan = " ".join(plan_of(crowded, "regions", wanted, when))
    assert "_by_agency (agency=? AND region=?)" in plan
    assert "_by_agency_id (agency_id=?)" in plan
    assert "SCAN" not in plan


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
def test_one_accounts_rows_are_found_by_an_index(crowded: Views, name: str) -> None:
    for when in WHENS:
        plan = " ".join(plan_of(crowded, name, {"account": "000000000001"}, when))
        assert re.search("_by_account .account=.|ANY.provider. AND account=", plan), (name, plan)


def test_a_rebuild_makes_the_indexes_too(crowded: Views) -> None:
    def indexes() -> set[str]:
        found = crowded._store.connection.execute("SELECT name FROM main.sqlite_schema "
            "WHERE type = 'index' AND sql IS NOT NULL")  # fmt: skip
        return {name for (name,) in found}

    before = indexes()
    crowded.rebuild()
    assert indexes() == {re.sub("_1_by_", "_2_by_", name) for name in before}
    test_of_any_account_an_agency_in_a_region_is_found_by_an_index(crowded, None)


def test_the_statistics_are_taken_when_the_history_has_doubled(world: World) -> None:
    """Each time costs some milliseconds, so not with every command."""
    with Views.open(world.place, load_catalogue()) as views:
        upkeep = views._store.upkeep
        with (
            patch.object(runner, "ANALYZED_FROM", 4),
            patch.object(upkeep, "analyze", wraps=upkeep.analyze) as analyzed,
        ):
            times = []
            for minute in range(60):
                world.take(See(AgencyCreated(agency="other"), minute))
                views.catch_up()
                times.append(analyzed.call_count)
        assert times[0] == 1
        assert 1 < times[-1] <= 4


def plan_of(views: Views, name: str, wanted: Mapping[str, str], when: AsOf | None) -> list[str]:
    """How SQLite reads an answer, a line a step."""
    connection = views._store.connection
    with patch.object(connection, "execute", wraps=connection.execute) as executed:
        views.read(name, where=wanted, as_of=when)
    [asked] = [call.args for call in executed.call_args_list if "answer AS" in call.args[0]]
    found = connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1]).fetchall()
    return [row[-1] for row in found]


def test_postgresql_has_the_same_indexes_before_and_after_a_rebuild(server: Server) -> None:
    with new_world(server) as made, views_of(made) as views:
        made.take(See(AgencyCreated(agency="other"), 1))
        views.catch_up()
        for generation in (1, 2):
            found = views._store.connection.execute(
                "SELECT indexname FROM pg_indexes WHERE schemaname = 'views'"
            )
            names = {name for (name,) in found.fetchall()}
            table = f"regions_{generation}"
            assert {f"{table}_by_{by}" for by in ("account", "agency", "agency_id")} <= names
            assert f"policies_{generation}_by_policy_id" in names
            assert not {name for name in names if name.startswith(f"regions_{3 - generation}")}
            views.rebuild()
