"""A snapshot saves the reading of an account, and never changes an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.account.account import replay
from ledger.account.agency import AgencyCreated
from ledger.account.answers import PermissionKey
from ledger.account.authorization import AuthorizationGranted
from ledger.account.facts import SAYS
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import PolicyCreated
from ledger.account.snapshot import codec_of, from_text, to_text, version_of
from ledger.account.state import State, Timeline
from ledger.account.topics import EVENTS
from ledger.account.truth.fact import Fact
from ledger.application import Ledger
from ledger.execution.state_cache import SNAPSHOT_AFTER
from ledger.messages import DomainEvent
from tests.ledger.execution.test_order import START, arrive, entries, facts
from tests.ledger.execution.test_order import Fact as Happened
from tests.ledger.scenario import ACCOUNT, AGENCY, BEIJING, PROVIDER, SHANGHAI, grant, login
from tests.ledger.worlds import Clock, Place, consent, raw, seen

STREAM = f"account:{PROVIDER}:{ACCOUNT}"


def changes(count: int, first: int = 0) -> Iterator[DomainEvent]:
    for number in range(first, first + count):
        yield PermissionGranted(agency=AGENCY, region=f"region-{number}", service="cce")


def grow(ledger: Ledger, count: int, first: int = 0) -> None:
    """Let the account have so many more events."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for number, event in enumerate(changes(count, first), start=first):
        ledger.observe([seen(f"change-{number}", event, at=at + timedelta(minutes=number))])


@pytest.fixture
def grown(place: Place, clock: Clock) -> Place:
    """A ledger whose account has a snapshot, at version 40, and is at 44."""
    with Ledger(place, clock=clock) as ledger:
        grow(ledger, 40)
    with Ledger(place, clock=clock) as ledger:
        ledger.account(PROVIDER, ACCOUNT)  # An import alone need not read it.
        grow(ledger, 4, first=40)
    return place


def kept(place: Place) -> list[tuple[str, int]]:
    """Streams with a snapshot, and its version."""
    with raw(place) as db:
        return list(db.execute("SELECT stream, version FROM snapshots"))


def alter(place: Place, assignment: str) -> None:
    with raw(place) as db:
        changed = db.execute(f"UPDATE snapshots SET {assignment}").rowcount
    assert changed == 1


def decoded(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that are read from here on."""
    versions: list[int] = []
    to_domain_event = ledger.mapper.to_domain_event

    def counted(stored: object) -> object:
        versions.append(stored.originator_version)  # type: ignore[attr-defined]
        return to_domain_event(stored)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger.mapper, "to_domain_event", counted)
    return versions


# -- the text ------------------------------------------------------------------------------------


@given(facts, facts)
def test_a_state_that_was_written_and_read_evolves_as_before(
    before: list[Happened], after: list[Happened]
) -> None:
    state = arrive(enumerate(before))
    read = from_text(to_text(state), State)
    assert to_text(read) == to_text(state)
    assert read.facts == state.facts
    later = list(enumerate(after, start=100))
    assert to_text(replay(read, entries(later, read))) == to_text(
        replay(state, entries(later, state))
    )


def test_the_text_of_a_state_is_exactly_this() -> None:
    """If it differs for the same shape, `RULES` must grow, or old snapshots would be believed."""
    history: list[DomainEvent] = [
        AgencyCreated(agency=AGENCY, agency_id="id-1", trustee="service:asm"),
        PolicyCreated(policy="p", policy_id="id-2"),
        AuthorizationGranted(service="asm", region=BEIJING, services=("cce",), agencies=(AGENCY,)),
        PermissionGranted(agency=AGENCY, region=BEIJING, service="cce"),
        PermissionRevoked(agency=AGENCY, region=BEIJING, service="cce"),
    ]
    state = arrive(enumerate(enumerate(history)))
    minute = [f"2026-03-01T00:0{number}:00.000000Z" for number in range(5)]
    who, traces = "p-00000000000000000001", [f"trace-{number}" for number in (0, 1, 3, 4)]
    content = json.loads(to_text(state))
    columns = dict(zip(Fact._fields, content.pop("facts"), strict=True))
    assert content == {
        "state": version_of(State),
        "provider": PROVIDER,
        "account": ACCOUNT,
        "version": 5,
        "earliest": minute[4].replace("00.000000", "00.000001"),
        "authorizations": [[["asm", BEIJING], [[minute[2], ["granted", [AGENCY]]]]]],
        "agreed": [None] * 5,
    }
    assert {name: column for name, column in columns.items() if column is not None} == {
        "call": [["created", "granted", "revoked"], [0, 0, 1, 2]],
        "kind": [["agency", "policy"], [0, 1, 0, 0]],
        "at": [[minute[0], minute[1], minute[3], minute[4]], [0, 1, 2, 3]],
        "position": [[1, 2, 4, 5], [0, 1, 2, 3]],
        "id": [["id-1", "id-2", None], [0, 1, 2, 2]],
        "name": [[AGENCY, "p"], [0, 1, 0, 0]],
        "region": [[None, BEIJING], [0, 0, 1, 1]],
        "service": [[None, "cce"], [0, 0, 1, 1]],
        "trustee": [["service:asm", None], [0, 1, 1, 1]],
        "document": [["", None], [0, 0, 1, 1]],
        "actor": [[who], [0, 0, 0, 0]],
        "origin": [["observed"], [0, 0, 0, 0]],
        "trace": [traces, [0, 1, 2, 3]],
        "others": [[[]], [0, 0, 0, 0]],
    }


def test_an_account_of_no_facts_is_written_and_read() -> None:
    state = State(PROVIDER, ACCOUNT)
    assert from_text(to_text(state), State) == state


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_anything_but_a_snapshot_is_a_value_error(content: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_text(json.dumps(content), State)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"state":' * 100_000, '{"state":"' + "[" * 100_000, "", "null", "[]"]
)
def test_no_text_that_is_not_a_snapshot_ends_the_program(text: str) -> None:
    """A program that cannot read a snapshot replays the entries."""
    with pytest.raises(ValueError, match=r"."):
        from_text(text, State)


# -- the shape -----------------------------------------------------------------------------------


class Quota(NamedTuple):
    name: str
    most: int | None
    raised: tuple[datetime, ...]


@dataclass(slots=True)
class Grown(State):
    """The state of a later program: it knows more."""

    quotas: dict[str, Timeline[Quota | None]] = field(default_factory=dict)
    kind: Literal["root", "member"] = "root"
    parents: tuple[str, int] = ("", 0)


def grown_account() -> Grown:
    account = Grown(PROVIDER, ACCOUNT, kind="member", parents=("org", 2))
    granted = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce")
    replay(account, entries([(0, (0, granted))], account))
    account.quotas["agencies"] = Timeline()
    account.quotas["agencies"].learn(Quota("agencies", 50, (START,)), START)
    account.quotas["agencies"].learn(None, START)
    return account


def test_every_field_of_a_state_is_in_its_snapshot() -> None:
    content = json.loads(to_text(grown_account()))
    assert content.keys() == {"state", *(each.name for each in fields(Grown) if each.init)}
    at = "2026-03-01T00:00:00.000000Z"
    assert content["quotas"] == [["agencies", [[at, ["agencies", 50, [at]]], [at, None]]]]
    assert (content["kind"], content["parents"]) == ("member", ["org", 2])


def test_a_field_that_is_new_is_read_back() -> None:
    account = grown_account()
    read = from_text(to_text(account), Grown)
    assert read.quotas["agencies"].at(START) == (START, None)
    assert list(read.quotas["agencies"]) == list(account.quotas["agencies"])
    assert isinstance(next(iter(read.quotas["agencies"]))[1], Quota)
    assert (read.kind, read.parents) == ("member", ("org", 2))
    assert to_text(read) == to_text(account)


def test_a_state_of_another_shape_has_another_version_and_is_passed_over() -> None:
    assert version_of(Grown) != version_of(State)
    with pytest.raises(ValueError, match="the snapshot has the state"):
        from_text(to_text(grown_account()), State)
    with pytest.raises(ValueError, match="the snapshot has the state"):
        from_text(to_text(State(PROVIDER, ACCOUNT)), Grown)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (dict[str, Timeline[bool]], dict[str, Timeline[str]]),
        (str, str | None),
        (Literal["a"], Literal["a", "b"]),
        (tuple[str, str], tuple[str, ...]),
        (PermissionKey, Quota),
    ],
)
def test_another_type_is_another_shape(one: object, other: object) -> None:
    assert codec_of(one).shape != codec_of(other).shape


def test_a_version_follows_from_the_events_that_change_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event that begins to change the state makes other states of the same entries."""
    before = version_of(State)
    events: Any = EVENTS
    with monkeypatch.context() as patch:
        patch.setitem(events, PolicyCreated, events[AuthorizationGranted])
        assert version_of.__wrapped__(State) != before
    says: Any = SAYS
    patched = says[PolicyCreated][0]._replace(fields={"name": "policy"})
    monkeypatch.setitem(says, PolicyCreated, (patched,))
    assert version_of.__wrapped__(State) != before


def test_a_type_that_no_codec_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="a snapshot cannot hold the type"):
        codec_of(dict[str, set[str]])


# -- when it is kept -----------------------------------------------------------------------------


def test_a_snapshot_is_kept_with_the_first_append_after_a_long_read(
    place: Place, clock: Clock
) -> None:
    with Ledger(place, clock=clock) as ledger:
        grow(ledger, SNAPSHOT_AFTER)
        assert kept(place) == [], "who knows the account already need not read it"
    with Ledger(place, clock=clock) as ledger:
        ledger.account(PROVIDER, ACCOUNT)
        assert kept(place) == [], "reading writes nothing"
        ledger.execute(login(BEIJING), dry_run=True)
        assert kept(place) == [], "nor does a dry run"
        ledger.execute(login(BEIJING))
        assert kept(place) == [(STREAM, SNAPSHOT_AFTER)]


def test_an_account_with_few_entries_has_none(place: Place, clock: Clock) -> None:
    with Ledger(place, clock=clock) as ledger:
        grow(ledger, SNAPSHOT_AFTER - 1)
    with Ledger(place, clock=clock) as ledger:
        ledger.execute(login(BEIJING))
    assert kept(place) == []


def test_a_newer_snapshot_takes_the_place_of_the_older(grown: Place, clock: Clock) -> None:
    with Ledger(grown, clock=clock) as ledger:
        grow(ledger, 30, first=44)
    with Ledger(grown, clock=clock) as ledger:
        ledger.execute(login(BEIJING))
    assert kept(grown) == [(STREAM, 74)]


# -- what it is good for -------------------------------------------------------------------------


def test_only_entries_after_the_snapshot_are_read(
    grown: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept(grown) == [(STREAM, 40)]
    with Ledger(grown, clock=clock) as ledger:
        versions = decoded(ledger, monkeypatch)
        account = ledger.account(PROVIDER, ACCOUNT)
        assert versions == [41, 42, 43, 44]
        replayed = replay(State(PROVIDER, ACCOUNT), ledger.stream(STREAM))
    assert account.state == replayed


def test_decisions_are_the_same_with_a_snapshot_and_without(grown: Place, clock: Clock) -> None:
    with Ledger(grown, clock=clock) as ledger:
        consent(ledger, BEIJING)
    with Ledger(grown, clock=clock) as ledger:
        again = ledger.execute(grant(BEIJING))
    assert again.entries == (), "the region's consent stands already"
    with Ledger(grown, clock=clock) as ledger:
        ledger.execute(login(SHANGHAI))
        other = ledger.execute(grant(SHANGHAI))
    assert "AgencyCreated" not in {entry.type for entry in other.entries}


@pytest.mark.parametrize(
    "assignment",
    [
        "state = 'half a li'",
        "state = '[]'",
        """state = replace(state, '"state":"', '"state":"0')""",
        """state = replace(state, '"state"', '"stage"')""",
        """state = replace(state, '"facts"', '"fact"')""",
        """state = replace(state, '"version":40', '"version":39')""",
        f"state = replace(state, '{ACCOUNT}', 'another')",
        "state = replace(state, 'T00:05:00.000000Z', '')",
        """state = replace(state, ',39]', ',40]')""",
        """state = replace(state, ',39]', ']')""",
        "anchor = '0123456789abcdef'",
        "version = 39",
        "version = 1000",
    ],
)
def test_a_snapshot_that_is_damaged_or_of_another_history_is_passed_over(
    grown: Place, clock: Clock, assignment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(grown, assignment)
    with Ledger(grown, clock=clock) as ledger:
        versions = decoded(ledger, monkeypatch)
        account = ledger.account(PROVIDER, ACCOUNT)
        assert versions == list(range(1, 45)), "all is read"
        assert len(account.regions_of(AGENCY)) == 44
        ledger.execute(login(BEIJING))
    assert kept(grown) == [(STREAM, 44)], "and a sound one is kept in its place"
