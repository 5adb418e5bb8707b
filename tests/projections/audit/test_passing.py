"""Two instants compared: changes that cancel each other, calls that do not tell, what ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.account.agency import (
    AgencyChanged,
    AgencyCreated,
    AgencyDeleted,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.boundary import BoundaryRemoved, BoundarySet
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyChanged, PolicyCreated
from ledger.account.unmodelled import NotModelled
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent, Observation
from projections.audit.diff import diff
from projections.audit.difference import Difference, in_words
from projections.views import Views
from tests.ledger.kept import AT, READ, TRUST, WRITE, at_hour, document
from tests.ledger.worlds import Clock, Place, seen

READS, WRITES, ANYONE = document(READ), document(WRITE), document(TRUST)
READS_LINE = '{"Action":["ecs:servers:get"],"Effect":"Allow"}'
WRITES_LINE = '{"Action":["ecs:*:*"],"Effect":"Allow"}'
INNER = PermissionGranted(agency="a", region="*", policy="inner", policy_kind="inline")
BEFORE, LATER = 5, 40
GIVEN = (
    at_hour(0, PolicyCreated(policy="p", policy_id="P1"), READS),
    at_hour(1, AgencyCreated(agency="a", agency_id="A1", trustee="account:1"), ANYONE),
    at_hour(2, PermissionGranted(agency="a", agency_id="A1", region="*", policy="p")),
    at_hour(3, INNER, READS),
    at_hour(4, BoundarySet(agency="a", policy="cap")),
)


Learn = Callable[..., Views]
"""Observes the given history and further traces, one by one, and returns the views."""


@contextmanager
def learning(place: Place) -> Iterator[Learn]:
    with Ledger(place, clock=Clock()) as ledger, Views.open(place, load_catalogue()) as views:

        def observe(*traces: Observation) -> Views:
            for trace in (*GIVEN, *traces):
                ledger.observe([trace])
            views.catch_up()
            return views

        yield observe


@pytest.fixture
def learned(place: Place) -> Iterator[Learn]:
    with learning(place) as observe:
        yield observe


@pytest.fixture
def learned_here(tmp_path: Path) -> Iterator[Learn]:
    """On SQLite alone."""
    with learning(tmp_path / "ledger.db") as observe:
        yield observe


def by(person: str, trace: Observation) -> Observation:
    return replace(trace, actor=person)


def at(views: Views, hour: int) -> AsOf:
    return AsOf(views.last_position(), AT + timedelta(hours=hour))


def compared(views: Views) -> list[Difference]:
    return diff(views, at(views, BEFORE), at(views, LATER))


def people(views: Views, each: Difference) -> list[str | None]:
    known = views.subject_names([one.actor for one in each.between if one.actor])
    return [known.get(one.actor or "") for one in each.between]


def person(views: Views, each: Difference) -> str | None:
    return views.subject_names([each.actor or ""]).get(each.actor or "")


UNDONE: list[tuple[str, tuple[Observation, Observation], list[str]]] = [
    (
        "policies",
        (
            at_hour(10, PolicyChanged(policy="p"), WRITES),
            at_hour(11, PolicyChanged(policy="p"), READS),
        ),
        [f"exists, document {each.digest[:12]}" for each in (WRITES, READS)],
    ),
    (
        "policies",
        (
            at_hour(10, PolicyChanged(policy="q", policy_id="P1"), READS),
            at_hour(11, PolicyChanged(policy="p", policy_id="P1"), READS),
        ),
        [f"{name} exists, document {READS.digest[:12]}" for name in "qp"],
    ),
    (
        "regions",
        (
            at_hour(10, PermissionRevoked(agency="a", region="*", policy="p")),
            at_hour(11, PermissionGranted(agency="a", region="*", policy="p")),
        ),
        ["revoked", "granted"],
    ),
    (
        "regions",
        (at_hour(10, INNER, WRITES), at_hour(11, INNER, READS)),
        [f"granted, document {each.digest[:12]}" for each in (WRITES, READS)],
    ),
    (
        "trustees",
        (
            at_hour(10, AgencyTrustChanged(agency="a", trustee="account:2"), WRITES),
            at_hour(11, AgencyTrustChanged(agency="a", trustee="account:1"), ANYONE),
        ),
        [
            f"account:{number} trusted, document {each.digest[:12]}"
            for number, each in ((2, WRITES), (1, ANYONE))
        ],
    ),
    (
        "boundaries",
        (
            at_hour(10, BoundaryRemoved(agency="a")),
            at_hour(11, BoundarySet(agency="a", policy="cap")),
        ),
        ["removed", "cap set"],
    ),
]


@pytest.mark.parametrize(("view", "changes", "states"), UNDONE)
def test_a_change_that_was_undone_is_named_with_its_people(
    learned_here: Learn,
    view: str,
    changes: tuple[Observation, Observation],
    states: list[str],
) -> None:
    done, undone = changes
    views = learned_here(by("eve", done), by("bob", undone))
    known = views.last_position()
    instants = (
        (at(views, BEFORE), at(views, LATER)),
        (at(views, BEFORE), None),
        (None, at(views, BEFORE)),
        (AsOf(known - 4), AsOf(known)),
    )
    for before, after in instants:
        (each,) = (each for each in diff(views, before, after) if each.view == view)
        assert (each.change, each.before) == ("equal", each.after)
        assert [one.what for one in each.between] == states
        assert people(views, each) == ["eve", "bob"]
        assert each.since == each.between[-1].at
        assert person(views, each) == "bob"


def test_states_in_between_are_read_from_both_databases(learned: Learn) -> None:
    views = learned(
        at_hour(10, BoundaryRemoved(agency="a")),
        at_hour(11, BoundarySet(agency="a", policy="cap")),
        at_hour(12, NotModelled(call="organizations:AttachPolicy")),
    )
    assert [each.change for each in compared(views)] == ["equal", "not modelled"]
    assert [each.change for each in diff(views, at(views, BEFORE))] == ["equal", "not modelled"]


def test_a_call_that_repeats_what_is_so_changed_nothing(
    learned_here: Learn,
) -> None:
    views = learned_here(
        at_hour(10, PermissionGranted(agency="a", region="*", policy="p")),
        at_hour(11, INNER, READS),
        at_hour(12, BoundarySet(agency="a", policy="cap")),
    )
    assert compared(views) == []


def test_changes_outside_the_instants_are_not_between_them(
    learned_here: Learn,
) -> None:
    views = learned_here(
        at_hour(10, PolicyChanged(policy="p"), WRITES),
        at_hour(11, PolicyChanged(policy="p"), READS),
        at_hour(12, NotModelled(call="organizations:AttachPolicy")),
    )
    assert diff(views, at(views, 12), at(views, LATER)) == []
    assert diff(views, at(views, BEFORE), at(views, 9)) == []
    assert diff(views, None, None) == []


def test_an_expiry_that_lies_ahead_has_not_passed(learned_here: Learn) -> None:
    end = AT + timedelta(days=100_000)
    views = learned_here(at_hour(6, AgencyExpiryChanged(agency="a", expires_at=end)))
    assert diff(views, at(views, 7), None) == []


def test_calls_that_are_not_modelled_are_counted_by_name(
    learned_here: Learn,
) -> None:
    attach = NotModelled(call="organizations:AttachPolicy", named=("targetId=r-1",))
    views = learned_here(
        by("eve", at_hour(10, attach)),
        by("bob", at_hour(11, attach)),
        at_hour(12, NotModelled(call="ram:CreateResourceShare", outcome="refused", why="no")),
        at_hour(13, NotModelled(call="iam:PutGroupPolicy")),
    )
    first, second = compared(views)
    assert [each.change for each in (first, second)] == ["not modelled"] * 2
    assert [each.key["call"] for each in (first, second)] == ["iam:PutGroupPolicy", attach.call]
    assert (second.before, in_words(second.after)) == (None, "2 calls")
    assert people(views, second) == ["eve", "bob"]
    assert second.between[0].what == "called organizations:AttachPolicy on targetId=r-1"
    other = {"account": "another"}
    assert diff(views, at(views, BEFORE), at(views, LATER), where=other) == []
    assert len(diff(views, at(views, BEFORE), at(views, LATER), where={"region": "x"})) == 2


def test_an_agency_whose_permissions_changed_in_an_unknown_way_is_named(
    learned_here: Learn,
) -> None:
    views = learned_here(at_hour(10, PermissionsChanged(agency="a", detail="updateAgency")))
    (each,) = compared(views)
    assert (each.change, each.key["agency"]) == ("not told", "a")
    assert "the trace does not say how" in each.between[0].what


def test_a_trust_that_was_set_twice_without_its_text_has_changed(
    learned_here: Learn,
) -> None:
    views = learned_here(
        at_hour(5, AgencyTrustChanged(agency="a")),
        by("eve", at_hour(10, AgencyTrustChanged(agency="a", agency_id="A1"))),
    )
    (each,) = compared(views)
    assert (each.view, each.change) == ("trustees", "equal")
    assert [one.what for one in each.between] == ["the trust was set: content not told"]
    assert people(views, each) == ["eve"]


@pytest.mark.parametrize(
    ("event", "view", "what"),
    [
        (BoundarySet(agency="a"), "boundaries", "the boundary was set: the policy is not named"),
        (AgencyChanged(agency="a", detail="TagRole"), "agencies", "TagRole"),
    ],
)
def test_a_call_that_changes_no_row_is_named(
    learned_here: Learn, event: DomainEvent, view: str, what: str
) -> None:
    views = learned_here(at_hour(5, BoundarySet(agency="a")), by("eve", at_hour(10, event)))
    (each,) = compared(views)
    assert (each.view, each.change) == (view, "equal")
    assert ([one.what for one in each.between], people(views, each)) == ([what], ["eve"])


def test_a_version_that_is_not_in_force_is_named(learned_here: Learn) -> None:
    second = PolicyChanged(policy="p", document_version="v2", in_force=False)
    views = learned_here(by("eve", at_hour(10, second, WRITES)))
    (each,) = compared(views)
    assert (each.view, each.change) == ("policies", "equal")
    assert each.between[0].what == f"document {WRITES.digest[:12]} v2, not in force"


def hour(number: int) -> str:
    return f"{AT + timedelta(hours=number):%Y-%m-%dT%H:%M:%S.%f}Z"


NOT_ITS_STATUS: dict[str, tuple[DomainEvent, bool]] = {
    "renamed and widened": (PolicyChanged(policy="q", policy_id="P1"), True),
    "renamed": (PolicyChanged(policy="q", policy_id="P1", document=READS.digest), False),
    "given an end": (
        AgencyExpiryChanged(agency="a", expires_at=AT + timedelta(days=9)),
        False,
    ),
}


@pytest.mark.parametrize("name", NOT_ITS_STATUS)
def test_a_change_has_the_time_and_the_person_of_the_call_and_not_of_the_creation(
    learned_here: Learn, name: str
) -> None:
    event, has_text = NOT_ITS_STATUS[name]
    views = learned_here(by("eve", at_hour(10, event, WRITES if has_text else None)))
    assert {(each.since, person(views, each)) for each in compared(views)} == {(hour(10), "eve")}


def test_a_trust_that_ended_with_its_agency_shows_what_was_trusted(
    learned_here: Learn,
) -> None:
    views = learned_here(by("eve", at_hour(10, AgencyDeleted(agency="a", agency_id="A1"))))
    (trust,) = (each for each in compared(views) if each.view == "trustees")
    assert (trust.added, trust.not_known) == ((), None)
    assert trust.removed[0].startswith('{"Principal":')
    assert (trust.since, person(views, trust)) == (hour(10), "eve")


def test_an_inline_policy_that_was_deleted_shows_what_it_said(
    learned_here: Learn,
) -> None:
    revoked = PermissionRevoked(agency="a", region="*", policy="inner")
    views = learned_here(at_hour(10, revoked))
    (each,) = compared(views)
    assert READS_LINE in each.removed
    assert (each.added, each.not_known) == ((), None)


def test_an_inline_policy_that_is_put_again_after_its_deletion_shows_what_it_says(
    learned_here: Learn,
) -> None:
    revoked = PermissionRevoked(agency="a", region="*", policy="inner")
    views = learned_here(at_hour(5, revoked), at_hour(10, INNER, WRITES))
    (each,) = compared(views)
    assert WRITES_LINE in each.added
    assert (each.removed, each.not_known) == ((), None)


def test_a_new_permission_shows_what_it_says_and_what_it_was_in_between(
    learned_here: Learn,
) -> None:
    other = INNER.model_copy(update={"policy": "other"})
    short = INNER.model_copy(update={"policy": "short"})
    views = learned_here(
        at_hour(10, other, WRITES),
        by("eve", at_hour(11, short, WRITES)),
        by("bob", at_hour(12, PermissionRevoked(agency="a", region="*", policy="short"))),
    )
    new, ended = compared(views)
    assert (new.change, new.between) == ("new", ())
    assert WRITES_LINE in new.added
    assert (ended.change, in_words(ended.after)) == ("new", "revoked")
    digest = WRITES.digest[:12]
    assert [one.what for one in ended.between] == [f"granted, document {digest}", "revoked"]
    assert people(views, ended) == ["eve", "bob"]


def test_a_row_that_changed_twice_has_the_state_in_between(learned_here: Learn) -> None:
    views = learned_here(
        by("eve", at_hour(10, PolicyChanged(policy="p"), WRITES)),
        by("bob", at_hour(11, PolicyChanged(policy="p"), ANYONE)),
    )
    (each,) = compared(views)
    assert (each.change, person(views, each)) == ("changed", "bob")
    assert people(views, each) == ["eve", "bob"]


def test_a_text_after_an_unknown_one_is_shown_as_known_since(
    learned_here: Learn,
) -> None:
    views = learned_here(
        at_hour(5, PolicyChanged(policy="p")),
        by("eve", at_hour(10, PolicyChanged(policy="p"), WRITES)),
    )
    (each,) = compared(views)
    assert WRITES_LINE in each.says
    assert (each.added, each.removed) == ((), ())
    assert each.not_known == "what was before is not known"


def test_each_account_has_its_own_states_in_between(learned_here: Learn) -> None:
    other = [
        seen(f"other {number}", event, at=AT + timedelta(hours=number), account="another")
        for number, event in (
            (1, AgencyCreated(agency="a")),
            (2, BoundarySet(agency="a", policy="cap")),
            (10, BoundaryRemoved(agency="a")),
            (11, BoundarySet(agency="a", policy="cap")),
        )
    ]
    (each,) = compared(learned_here(*other))
    assert (each.change, each.key["account"]) == ("equal", "another")
