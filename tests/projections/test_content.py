"""Documents in the views: now, as of, as known at, after a rebuild and after a later reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyTrustChanged
from ledger.account.boundary import BoundaryRemoved, BoundarySet
from ledger.account.permissions import PermissionGranted
from ledger.account.policy import PolicyChanged, PolicyCreated
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import Observation
from projections.audit.diff import diff
from projections.audit.difference import Difference, in_words
from projections.audit.why import why
from projections.definitions.declared import FOLDED
from projections.views import Views
from tests.ledger.kept import AT, READ, TRUST, WRITE, as_before, at_hour, document
from tests.ledger.worlds import Clock, Place

WIDE = {"Version": "1.1", "Statement": [*READ["Statement"], *WRITE["Statement"]]}
READ_ONLY, ALL, ANY_TRUST = document(READ), document(WIDE), document(TRUST)


INNER = PermissionGranted(agency="a", region="*", policy="inner", policy_kind="inline")
HISTORY = (
    at_hour(0, PolicyCreated(policy="p", policy_id="P1"), READ_ONLY),
    at_hour(1, AgencyCreated(agency="a", agency_id="A1", trustee="account:1"), READ_ONLY),
    at_hour(2, PermissionGranted(agency="a", agency_id="A1", region="*", policy="p")),
    at_hour(3, INNER, READ_ONLY),
    at_hour(4, BoundarySet(agency="a", policy="cap")),
    at_hour(10, PolicyChanged(policy="p"), ALL),
    at_hour(11, INNER, ALL),
    at_hour(12, AgencyTrustChanged(agency="a", trustee="account:1"), ANY_TRUST),
    at_hour(13, BoundaryRemoved(agency="a")),
)
BEFORE = AT + timedelta(hours=5)


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger(place, clock=Clock()) as opened:
        yield opened


@pytest.fixture
def opened(ledger: Ledger, place: Place) -> Iterator[Callable[..., Views]]:
    """Observes traces, and returns the views, caught up after each of them."""
    found: list[Views] = []

    def caught_up(*traces: Observation, complete: bool = False) -> Views:
        views = Views.open(place, load_catalogue())
        found.append(views)
        for trace in traces:
            ledger.observe([trace], complete=complete)
            views.catch_up()
        return views

    yield caught_up
    for views in found:
        views.close()


def answers(views: Views, when: AsOf | None = None) -> dict[str, list[dict[str, Any]]]:
    """The rows of the folded views, without positions and people, which differ by ledger."""
    left_out = {"position", "document_position", "actor"}
    return {
        name: [
            {column: cell for column, cell in row.items() if column not in left_out}
            for row in views.read(name, as_of=when).dicts()
        ]
        for name in FOLDED
    }


def documents(views: Views, when: AsOf | None = None) -> dict[str, str]:
    """The digests by view and policy."""
    return {
        f"{name} {row.get('policy', '')}".strip(): row["document"]
        for name in ("policies", "regions", "trustees")
        for row in views.read(name, as_of=when).dicts()
        if row["document"]
    }


def test_each_view_has_the_document_of_each_time(opened: Callable[..., Views]) -> None:
    views = opened(*HISTORY)
    now, first = views.last_position(), READ_ONLY.digest
    assert documents(views) == {
        "policies p": ALL.digest,
        "regions inner": ALL.digest,
        "trustees": ANY_TRUST.digest,
    }
    assert documents(views, AsOf(now, BEFORE)) == {
        "policies p": first,
        "regions inner": first,
        "trustees": first,
    }
    assert [row["status"] for row in views.read("boundaries").dicts()] == ["removed"]
    assert views.rebuild(FOLDED).equal


def compared(views: Views) -> dict[str, Difference]:
    now = views.last_position()
    found = diff(views, AsOf(now, BEFORE), names=FOLDED)
    return {f"{each.view} {each.key.get('policy', '')}".strip(): each for each in found}


def test_the_difference_has_the_statements_and_the_event_that_brought_them(
    opened: Callable[..., Views],
) -> None:
    views = opened(*HISTORY)
    found = compared(views)
    assert found.keys() == {"policies p", "regions inner", "trustees", "boundaries"}
    added = '{"Action":["ecs:*:*"],"Effect":"Allow"}'
    for name, event in (("policies p", "PolicyChanged"), ("regions inner", "PermissionGranted")):
        each = found[name]
        assert (each.change, each.added, each.removed, each.not_known) == (
            "changed", (added,), (), None,
        )  # fmt: skip
        assert each.position is not None
        (row,) = views.trail_at([each.position]).dicts()
        assert (row["type"], row["effective_at"]) == (event, each.since)
    assert found["trustees"].removed[1] == 'Version "1.1"', "other members are compared, too"
    assert found["trustees"].added[0].startswith('{"Principal":')
    assert found["policies p"].before is not None
    assert in_words(found["policies p"].before) == f"exists, document {READ_ONLY.digest[:12]}"
    assert in_words(found["boundaries"].after) == "removed"


def test_an_erased_text_leaves_only_the_digests(
    ledger: Ledger, opened: Callable[..., Views]
) -> None:
    views = opened(*HISTORY)
    ledger.erase_document(ALL.digest)
    each = compared(views)["policies p"]
    assert (each.change, each.added, each.not_known) == ("changed", (), "only the digest is known")


def test_a_change_without_its_text_is_a_difference(opened: Callable[..., Views]) -> None:
    views = opened(*HISTORY[:5], at_hour(9, PolicyChanged(policy="p")))
    (each,) = compared(views).values()
    assert (each.change, each.not_known) == ("changed", "content not told")
    assert in_words(each.after) == "exists, document: content not told"


def test_a_document_that_was_changed_and_set_back_is_equal_after_a_change(
    opened: Callable[..., Views],
) -> None:
    back = at_hour(11, PolicyChanged(policy="p"), READ_ONLY)
    views = opened(*HISTORY[:5], HISTORY[5], back)
    (each,) = compared(views).values()
    assert (each.change, each.before) == ("equal", each.after)
    assert [passing.what for passing in each.between] == [
        f"exists, document {ALL.digest[:12]}", f"exists, document {READ_ONLY.digest[:12]}",
    ]  # fmt: skip


def test_the_answer_for_an_agency_names_the_change_of_its_policy(
    opened: Callable[..., Views],
) -> None:
    views = opened(*HISTORY)
    for word in ("a", "A1"):
        events = [link.event for link in why(views, agency=word).links]
        assert events.count("PolicyChanged") == 1
        assert {"BoundarySet", "BoundaryRemoved", "AgencyTrustChanged"} <= {*events}
    assert [link.event for link in why(views, policy="p").links][-1] == "PolicyChanged"


def test_the_change_of_a_boundary_is_named_for_the_agency_that_it_limits(
    opened: Callable[..., Views],
) -> None:
    change = at_hour(20, PolicyChanged(policy="cap"), ALL)
    views = opened(*HISTORY[1:5], change)
    assert "PolicyChanged" in [link.event for link in why(views, agency="a").links]


def test_a_completed_ledger_answers_as_one_that_had_all_at_once(
    opened: Callable[..., Views],
) -> None:
    """Rebuilt, and caught up entry by entry; as known before, it answers as it did."""
    old = [as_before(trace) for trace in HISTORY]
    views = opened(*old)
    last, known = views.last_position(), answers(views)
    assert documents(views) == {}
    opened(*HISTORY, complete=True)
    views.catch_up()
    completed = answers(views)
    assert answers(views, AsOf(last)) == known
    assert documents(views)["policies p"] == ALL.digest
    assert views.rebuild(FOLDED).equal
    assert completed == answers(views)


def test_a_completed_ledger_has_the_rows_of_another_one(
    opened: Callable[..., Views], tmp_path: Any
) -> None:
    old = [as_before(trace) for trace in HISTORY]
    opened(*old)
    views = opened(*HISTORY, complete=True)
    with Ledger(tmp_path / "at-once.db") as other:
        other.observe(HISTORY)
        with Views.open(tmp_path / "at-once.db", load_catalogue()) as at_once:
            at_once.catch_up()
            assert answers(views) == answers(at_once)


def test_ids_that_a_later_reading_adds_make_one_agency_of_two_names_for_it(
    opened: Callable[..., Views],
) -> None:
    made = at_hour(0, AgencyCreated(agency="a", agency_id="A1", trustee="account:1"))
    nameless = replace(made, events=(AgencyCreated(agency="a", trustee="account:1"),))
    by_id = at_hour(1, PermissionGranted(agency_id="A1", region="*", policy="p"))
    views = opened(nameless, by_id)
    opened(made, complete=True)
    views.catch_up()
    (agency,) = views.read("agencies").dicts()
    assert (agency["agency"], agency["agency_id"], agency["note"]) == ("a", "A1", "")
    assert views.rebuild(FOLDED).equal
