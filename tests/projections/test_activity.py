"""The views of what agencies did: `activity`, `usage` and `unused`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.account.activity import AgencyActed, AgencyActionFailed
from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.permissions import PermissionGranted
from ledger.account.usage import FeatureUsed, TemporaryCredentialIssued
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent, Observation, Provenance
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.worlds import ACCOUNTS, BEGINNING, World

ACCOUNT = ACCOUNTS[0]
HERE = "cn-north-4"
ROLE: dict[str, Any] = {"agency": "ci", "agency_id": "A-1"}


def at(minute: int) -> datetime:
    return BEGINNING + timedelta(minutes=minute)


def text(minute: int) -> str:
    return f"{at(minute):%Y-%m-%dT%H:%M:%S.%fZ}"


def ids(*names: str) -> str:
    return "".join(sorted(hashlib.sha256(name.encode()).hexdigest()[:12] for name in names))


def acted(
    first: int, last: int, calls: int, traces: str | None = None, **more: Any
) -> AgencyActed | AgencyActionFailed:
    """Calls of the role `ci` in one file, between two minutes."""
    fields = {
        **ROLE,
        "region": HERE,
        "service": "ec2",
        "action": "RunInstances",
        "calls": calls,
        "first_at": at(first),
        "last_at": at(last),
        "file_digest": hashlib.sha256(f"{first} {last} {calls} {more}".encode()).hexdigest(),
        "traces": traces,
        **more,
    }
    return AgencyActionFailed(**fields) if "outcome" in more else AgencyActed(**fields)


def see(world: World, *events: DomainEvent, minute: int = 0, **more: Any) -> None:
    """Observe events; the sums of calls happened at the last of them."""
    world.ledger.observe(
        Observation(
            provider="huaweicloud",
            account=ACCOUNT,
            events=(event,),
            effective_at=getattr(event, "last_at", at(minute)),
            source=Provenance(trace_id=f"t-{minute}-{number}-{event.model_dump_json()}"),
            **more,
        )
        for number, event in enumerate(events)
    )


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    made = World(place)
    yield made
    made.ledger.close()


def read(world: World, view: str, as_of: AsOf | None = None, **where: str) -> list[dict[str, Any]]:
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        return views.read(view, as_of=as_of, where=where).dicts()


def numbers(world: World, view: str = "activity") -> list[tuple[int, int, int, str]]:
    return [
        (row["succeeded"], row["refused"], row["failed"], row["at_least"])
        for row in read(world, view)
    ]


def test_calls_are_shown_by_action_and_day(world: World) -> None:
    see(
        world,
        acted(10, 50, 3),
        acted(20, 30, 2, outcome="refused"),
        acted(25, 25, 1, outcome="failed"),
        acted(1_500, 1_501, 2),
        acted(5, 6, 1, action="StopInstances"),
    )
    found = [
        (row["action"], row["day"], row["succeeded"], row["refused"], row["failed"])
        for row in read(world, "activity")
    ]
    assert found == [
        ("RunInstances", "2026-01-01", 3, 2, 1),
        ("RunInstances", "2026-01-02", 2, 0, 0),
        ("StopInstances", "2026-01-01", 1, 0, 0),
    ]
    [first] = read(world, "activity", action="StopInstances")
    assert (first["first_at"], first["last_at"]) == (text(5), text(6))


def test_files_that_do_not_overlap_are_added(world: World) -> None:
    see(world, acted(10, 20, 40), acted(21, 30, 2))
    assert numbers(world) == [(42, 0, 0, "no")]


def test_of_files_that_overlap_the_greater_number_is_a_lower_bound(world: World) -> None:
    see(world, acted(10, 30, 40), acted(20, 40, 35), acted(41, 50, 2))
    assert numbers(world) == [(42, 0, 0, "yes")]


def test_files_that_meet_in_one_instant_overlap(world: World) -> None:
    see(world, acted(10, 20, 40), acted(20, 30, 2))
    assert numbers(world) == [(40, 0, 0, "yes")]


def test_traces_that_two_files_have_in_common_count_once(world: World) -> None:
    see(world, acted(10, 30, 2, ids("a", "b")), acted(20, 40, 2, ids("b", "c")))
    assert numbers(world) == [(3, 0, 0, "no")]


def test_the_same_traces_in_another_file_add_nothing(world: World) -> None:
    see(
        world,
        acted(10, 30, 2, ids("a", "b")),
        acted(10, 30, 2, ids("a", "b"), file_digest="0" * 64),
    )
    assert numbers(world) == [(2, 0, 0, "no")]


def test_a_file_that_does_not_tell_its_traces_leaves_a_lower_bound(world: World) -> None:
    see(world, acted(10, 30, 1, ids("a")), acted(20, 40, 1, ids("b")), acted(15, 35, 1))
    assert numbers(world) == [(2, 0, 0, "yes")]


def test_refused_and_succeeded_calls_do_not_overlap(world: World) -> None:
    see(world, acted(10, 30, 40), acted(10, 30, 35, outcome="refused"))
    assert numbers(world) == [(40, 35, 0, "no")]


@given(
    st.lists(
        st.builds(
            lambda first, span, calls, known: acted(
                first, first + span, calls, ids(*map(str, range(first, first + calls))) if known else None
            ),
            st.integers(0, 30), st.integers(0, 8), st.integers(1, 6), st.booleans(),
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_the_number_is_the_sum_of_the_segments_that_files_make(
    tmp_path_factory: pytest.TempPathFactory, files: list[AgencyActed]
) -> None:
    made = World(tmp_path_factory.mktemp("world") / "ledger.db")
    for number, each in enumerate(files):
        see(made, each.model_copy(update={"file_digest": f"{number:064x}"}), minute=number)
    expected = [_of_segment(segment) for segment in _segments(files)]
    total, unsure = sum(calls for calls, _ in expected), any(doubt for _, doubt in expected)
    assert numbers(made) == [(total, 0, 0, "yes" if unsure else "no")]
    made.ledger.close()


def _segments(files: Sequence[AgencyActed]) -> list[list[AgencyActed]]:
    """Groups of files, each with all that overlap one of it."""
    groups: list[list[AgencyActed]] = []
    for each in files:
        near = [group for group in groups if any(_overlap(each, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([each, *(other for group in near for other in group)])
    return groups


def _overlap(one: AgencyActed, other: AgencyActed) -> bool:
    return one.first_at <= other.last_at and other.first_at <= one.last_at


def _of_segment(files: Iterable[AgencyActed]) -> tuple[int, bool]:
    all_files = list(files)
    named = [each.traces or "" for each in all_files]
    different = {each[n : n + 12] for each in named for n in range(0, len(each), 12)}
    unsure = len(all_files) > 1 and "" in named
    return max(len(different), *(each.calls for each in all_files)), unsure


def test_usage_has_the_calls_beside_the_credentials_of_an_agency(world: World) -> None:
    see(
        world,
        acted(10, 20, 3),
        acted(12, 13, 1, service="s3", action="GetObject"),
        acted(30, 40, 2, service="kms", action="Decrypt", outcome="refused"),
    )
    see(world, TemporaryCredentialIssued(**ROLE, region=HERE), minute=5, actor="ann")
    [row] = read(world, "usage")
    assert row["credentials_issued"] == 1
    assert (row["succeeded"], row["refused"], row["failed"]) == (4, 2, 0)
    assert row["services"] == "ec2,s3", "kms refused"
    assert (row["first_used_at"], row["last_used_at"]) == (text(5), text(20))
    assert row["since"] == text(40), "the refused calls are the latest"


def test_usage_names_who_switched_under_which_session(world: World) -> None:
    issued = TemporaryCredentialIssued(**ROLE, region=HERE)
    named = {"session_name": "night shift", "source_identity": "ann@example.com"}
    see(world, issued, minute=5, actor="ann", names=named)
    see(world, issued, minute=6, actor="ben")
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        [row] = views.read("usage").dicts()
        shown = {
            column: sorted(views.subject_names(row[column].split(",")).values())
            for column in ("switched_by", "session_names", "source_identities")
        }
    assert shown == {
        "switched_by": ["ann", "ben"],
        "session_names": ["night shift"],
        "source_identities": ["ann@example.com"],
    }


def by_session(session: str, *traces: str, **more: Any) -> Observation:
    """Calls of one session, of one file, between minutes 10 and 20."""
    event = acted(10, 20, len(traces), ids(*traces), file_digest="5" * 64, **more)
    return Observation(
        provider="huaweicloud",
        account=ACCOUNT,
        events=(event,),
        effective_at=event.last_at,
        source=Provenance(trace_id=f"use/5/{session}", file="a.json"),
        names={"session_name": session, "source_identity": f"{session}@example.com"},
    )


def named(world: World, view: str) -> dict[str, list[str]]:
    """The names behind the surrogate ids in the one row of a view."""
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        [row] = views.read(view).dicts()
        return {
            column: sorted(views.subject_names(row[column].split(",")).values())
            for column in ("session_names", "source_identities", "switched_by")
        }


@pytest.mark.parametrize("view", ["activity", "usage"])
def test_the_sessions_behind_the_calls_of_one_file_are_named_and_counted_once(
    world: World, view: str
) -> None:
    world.ledger.observe([by_session("night", "a", "b"), by_session("day", "c")])
    assert numbers(world, view) == [(3, 0, 0, "no")], "sessions of one file do not overlap"
    assert named(world, view) == {
        "session_names": ["day", "night"],
        "source_identities": ["day@example.com", "night@example.com"],
        "switched_by": [],
    }
    assert [row["more_sessions"] for row in read(world, view)] == ["no"]


def test_sessions_of_two_files_are_compared_by_their_traces(world: World) -> None:
    world.ledger.observe([by_session("night", "a", "b"), by_session("day", "c")])
    see(world, acted(15, 25, 2, ids("c", "d")))
    assert numbers(world) == [(4, 0, 0, "no")]


@pytest.mark.parametrize("view", ["activity", "usage"])
def test_a_row_says_that_there_were_more_sessions_than_it_names(world: World, view: str) -> None:
    world.ledger.observe(by_session(f"s-{n:02}", f"t-{n}") for n in range(11))
    assert len(named(world, view)["session_names"]) == 10
    assert [row["more_sessions"] for row in read(world, view)] == ["yes"]


def test_sessions_that_a_file_did_not_name_are_more_sessions(world: World) -> None:
    see(world, acted(10, 20, 3, more_sessions=True))
    assert [row["more_sessions"] for row in read(world, "usage")] == ["yes"]


def test_usage_of_an_agency_known_by_id_has_its_name_as_soon_as_a_trace_names_it(
    world: World,
) -> None:
    see(world, acted(10, 20, 3, agency=None))
    assert [row["agency"] for row in read(world, "usage")] == ["A-1"]
    see(world, AgencyCreated(**ROLE), minute=1)
    assert [row["agency"] for row in read(world, "usage")] == ["ci"]


def test_usage_is_answered_as_of_a_time_and_as_known_at_a_position(world: World) -> None:
    see(world, acted(10, 20, 3))
    known = world.ledger.last_position()
    see(world, acted(1_500, 1_510, 2))
    rows = read(world, "usage", AsOf(world.ledger.last_position(), at(100)))
    assert [(row["succeeded"], row["last_used_at"]) for row in rows] == [(3, text(20))]
    rows = read(world, "usage", AsOf(known))
    assert [row["succeeded"] for row in rows] == [3]
    assert read(world, "activity", AsOf(known, at(15))) == [], "the last call was later"


def granted(**more: Any) -> PermissionGranted:
    return PermissionGranted(**{**ROLE, "region": HERE, "policy": "p", **more})


def test_a_permission_that_is_not_used_shows_since_when_uses_are_known(world: World) -> None:
    see(world, granted(service="s3"), granted(service="ec2"), minute=1)
    see(world, acted(10, 20, 3))
    found = {row["service"]: row for row in read(world, "unused")}
    assert found["ec2"]["last_used_at"] == text(20)
    assert found["s3"]["last_used_at"] is None
    assert found["s3"]["granted_at"] == text(1)
    assert {row["uses_known_since"] for row in found.values()} == {text(10)}


def test_whether_a_permission_is_used_is_not_known_without_any_use(world: World) -> None:
    see(world, granted(service="s3"), minute=1)
    [row] = read(world, "unused")
    assert (row["last_used_at"], row["uses_known_since"]) == (None, None)


def test_a_use_in_another_region_is_not_a_use_of_the_permission_here(world: World) -> None:
    see(world, granted(service="ec2"), granted(service="ec2", region="ap-1"), minute=1)
    see(
        world,
        acted(10, 20, 3),
        FeatureUsed(agency="ci", region="ap-1", service="x", feature="y", services=("s3",)),
    )
    found = {row["region"]: row["last_used_at"] for row in read(world, "unused")}
    assert found == {HERE: text(20), "ap-1": None}


def test_a_permission_without_a_service_is_used_by_any_call(world: World) -> None:
    see(world, granted(region="*"), minute=1)
    see(world, acted(10, 20, 3))
    [row] = read(world, "unused")
    assert row["last_used_at"] == text(20)


def test_a_call_that_succeeded_proves_since_when_an_agency_exists(world: World) -> None:
    see(world, acted(10, 20, 3))
    [row] = read(world, "agencies")
    assert (row["status"], row["since"], row["note"]) == ("exists", text(10), "creation not seen")


def test_a_call_that_was_refused_proves_nothing(world: World) -> None:
    see(world, acted(10, 20, 3, outcome="refused"))
    assert read(world, "agencies") == []


@pytest.mark.parametrize("handles", [{}, {"agency_id": None}], ids=["with id", "by name alone"])
def test_a_session_that_outlives_its_agency_proves_nothing(
    world: World, handles: dict[str, None]
) -> None:
    see(world, AgencyCreated(**ROLE), minute=1)
    see(world, AgencyDeleted(**ROLE), minute=15)
    see(world, acted(16, 20, 3, **handles))
    assert [row["status"] for row in read(world, "agencies")] == ["deleted"]
