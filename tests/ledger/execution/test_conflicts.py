"""A trace that comes again: known, completed, or in conflict with what it said the first time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.conflicting import ConflictingTrace
from ledger.account.later_reading import IdsRecorded
from ledger.account.permissions import PermissionGranted, PermissionsChanged
from ledger.account.unmodelled import NotModelled
from ledger.application import Ledger, Observed
from ledger.messages import DomainEvent, Observation, Provenance
from ledger.subjects import SubjectErased, SubjectRegistered
from tests.ledger.worlds import Place, raw, seen

AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
OF_SUBJECTS = (SubjectRegistered, SubjectErased)


def created(**more: Any) -> Observation:
    """A creation as one trace tells it."""
    event = AgencyCreated(agency="mesh", agency_id=more.pop("agency_id", None))
    return seen("t1", event, at=more.pop("at", AT), **more)


def events(ledger: Ledger) -> list[DomainEvent]:
    found = (entry.event for entry in ledger.history())
    return [event for event in found if not isinstance(event, OF_SUBJECTS)]


def test_a_copy_with_another_envelope_is_known(ledger: Ledger) -> None:
    ledger.observe([created(actor="zoe", address="192.0.2.1")])
    copy = created(actor="zoe", address="192.0.2.1", correlation_id="r9")
    found = ledger.observe([replace(copy, source=Provenance(trace_id="t1", file="other.json"))])
    assert (found.known_traces, found.conflicts, found.entries) == (1, 0, 0)


@pytest.mark.parametrize(
    ("copy", "differs"),
    [
        (created(agency_id="b"), "agency_id"),
        (created(agency_id="a", at=AT + timedelta(seconds=1)), "the time"),
        (seen("t1", AgencyDeleted(agency="mesh"), at=AT), "the kind of facts"),
        (created(agency_id="a", actor="max"), "actor"),
        (
            seen("t1", *created(agency_id="a").events, AgencyDeleted(agency="mesh"), at=AT),
            "the kind of facts",
        ),
    ],
    ids=["id", "time", "kind", "actor", "more facts"],
)
@pytest.mark.parametrize("together", [True, False], ids=["one import", "two imports"])
def test_other_content_is_a_conflict_kept_once_and_not_believed(
    ledger: Ledger, copy: Observation, differs: str, *, together: bool
) -> None:
    first = created(agency_id="a", actor="zoe")
    found = Observed()
    for part in [[first, copy]] if together else [[first], [copy]]:
        found = ledger.observe(part)
    assert (found.conflicts, found.conflicting) == (1, [f"traces.json: t1: {differs}"])
    assert [type(event) for event in events(ledger)] == [AgencyCreated, ConflictingTrace]
    conflict = events(ledger)[-1]
    assert isinstance(conflict, ConflictingTrace)
    assert conflict.differs == (differs,)
    assert conflict.facts[0] == type(copy.events[0]).__name__
    before = ledger.last_position()
    again = ledger.observe([copy, copy, first])
    assert (again.conflicts, ledger.last_position()) == (1, before)


def test_other_conflicting_content_is_another_conflict(ledger: Ledger) -> None:
    ledger.observe([created(agency_id=each) for each in "abcb"])
    assert [type(event) for event in events(ledger)].count(ConflictingTrace) == 2


def test_the_conflicting_facts_change_nothing(ledger: Ledger) -> None:
    grant = PermissionGranted(agency="mesh", region="r-1", policy="wide")
    ledger.observe([seen("t1", grant, at=AT)])
    account = seen("t1", grant, at=AT)
    state = str([*ledger.account(account.provider, account.account).state.cells.everything()])
    ledger.observe([seen("t1", grant.model_copy(update={"policy": "wider"}), at=AT)])
    now = ledger.account(account.provider, account.account).state.cells.everything()
    assert str([*now]) == state


@pytest.mark.parametrize("together", [True, False], ids=["one import", "two imports"])
def test_a_delivery_that_tells_more_completes_its_trace_without_a_wish(
    ledger: Ledger, *, together: bool
) -> None:
    less, more = created(actor="zoe"), created(actor="zoe", agency_id="a1")
    found = Observed()
    for part in [[less, more]] if together else [[less], [more]]:
        found = ledger.observe(part)
    assert (found.completed_traces, found.conflicts) == (1, 0)
    assert events(ledger)[1:] == [IdsRecorded(agency="mesh", agency_id="a1")]
    assert ledger.observe([more, less, more]).entries == 0


def test_a_delivery_that_tells_less_is_known(ledger: Ledger) -> None:
    ledger.observe([created(actor="zoe", agency_id="a1"), created()])
    assert [type(event) for event in events(ledger)] == [AgencyCreated]


VAGUE = (
    PermissionsChanged(agency="mesh", detail="AttachRolePolicy: the record names no policy"),
    NotModelled(call="iam:AttachRolePolicy", agency="mesh"),
)


@pytest.mark.parametrize("vague", VAGUE, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("together", [True, False], ids=["one import", "two imports"])
def test_a_copy_that_names_what_changed_completes_one_that_does_not(
    ledger: Ledger, vague: DomainEvent, *, together: bool
) -> None:
    grant = PermissionGranted(agency="mesh", region="r-1", policy="wide")
    less, more = (seen("t1", event, at=AT, actor="zoe") for event in (vague, grant))
    found = Observed()
    for part in [[less, more]] if together else [[less], [more]]:
        found = ledger.observe(part)
    assert (found.completed_traces, found.conflicts) == (1, 0)
    assert events(ledger) == [vague, grant]
    assert ledger.observe([more, less, more]).entries == 0


@pytest.mark.parametrize("vague", VAGUE, ids=lambda event: type(event).__name__)
def test_a_copy_that_does_not_name_what_changed_is_known(
    ledger: Ledger, vague: DomainEvent
) -> None:
    grant = PermissionGranted(agency="mesh", region="r-1", policy="wide")
    found = ledger.observe([seen("t1", grant, at=AT), seen("t1", vague, at=AT)])
    assert (found.completed_traces, found.conflicts) == (0, 0)
    assert events(ledger) == [grant]


def test_a_refusal_and_a_success_under_one_id_are_a_conflict(ledger: Ledger) -> None:
    refused = NotModelled(call="iam:AttachRolePolicy", agency="mesh", outcome="refused")
    grant = PermissionGranted(agency="mesh", region="r-1", policy="wide")
    ledger.observe([seen("t1", refused, at=AT), seen("t1", grant, at=AT)])
    assert [type(event) for event in events(ledger)] == [NotModelled, ConflictingTrace]


def test_the_trace_of_an_erased_person_is_known_and_registers_nobody(ledger: Ledger) -> None:
    ledger.observe([created(actor="zoe", address="192.0.2.1")])
    [registered, *_] = [
        entry.event for entry in ledger.history() if isinstance(entry.event, SubjectRegistered)
    ]
    ledger.erase(registered.subject)
    before = ledger.last_position()
    found = ledger.observe([created(actor="zoe", address="192.0.2.1")])
    assert (found.known_traces, found.conflicts, ledger.last_position()) == (1, 0, before)


def test_a_trace_that_an_older_version_appended_cannot_be_compared_and_is_known(
    ledger: Ledger, place: Place
) -> None:
    ledger.observe([created(agency_id="a")])
    with raw(place) as db:
        db.execute("UPDATE commands SET digest = NULL")
    found = ledger.observe([created(agency_id="b")])
    assert (found.known_traces, found.conflicts, found.entries) == (1, 0, 0)
