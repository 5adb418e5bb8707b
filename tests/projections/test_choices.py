"""The closed columns of the views: their choices are those that their SQL and the events have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import get_args

import pytest

from ledger.account.agency import AgencyDeletionAttempted
from ledger.account.console import ConsoleLoginRequested
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Call, Fact, Kind
from ledger.account.truth.rules import AWS
from ledger.errors import InvalidInput
from ledger.events import BY_NAME
from ledger.messages import DomainEvent, topics
from projections.definitions.audit_trail import AUDIT_TRAIL, USES, TrailFilter
from projections.definitions.declared import FOLDED, PROJECTIONS, VIEWS
from projections.definitions.recorded_authorizations import RECORDED_AUTHORIZATIONS
from projections.dialect import SQLITE
from projections.maintenance.facts import Account
from projections.maintenance.spans import cells_of
from projections.projection import DerivedView, FoldedProjection, Projection, Stored
from projections.views import Views
from tests.projections.worlds import BEGINNING

DECLARED: list[Stored | DerivedView] = [*PROJECTIONS.values(), *VIEWS.values()]
CLOSED = [
    pytest.param(declared, column, id=f"{declared.name}.{column.name}")
    for declared in DECLARED
    for column in declared.columns
    if column.choices
]


@pytest.mark.parametrize(("declared", "column"), CLOSED)
def test_the_choices_of_a_column_are_those_that_its_documentation_lists(
    declared: Projection, column: object
) -> None:
    listed = re.findall("`([a-z -]+)`", getattr(column, "doc", ""))
    assert tuple(listed) == getattr(column, "choices", ())


def test_the_choices_of_a_status_are_those_that_the_select_yields() -> None:
    [status] = [column for column in RECORDED_AUTHORIZATIONS.columns if column.name == "status"]
    yielded = re.findall(r"(?:THEN|ELSE) '([a-z]+)'", RECORDED_AUTHORIZATIONS.select)
    assert sorted(yielded) == sorted(status.choices)


@pytest.mark.parametrize("projection", FOLDED.values(), ids=list(FOLDED))
def test_the_choices_of_a_folded_status_are_those_that_the_fold_has(
    projection: FoldedProjection,
) -> None:
    """Of any facts of an agency and a policy, in any order."""
    [status] = [column for column in projection.columns if column.name == "status"]
    found = {
        cells_of(Account("aws", "1"), span)["status"]
        for facts in _histories()
        for span in derive(facts, AWS)
        if span.subject == projection.subject
    }
    assert found == set(status.choices)


def _histories() -> Iterator[list[Fact]]:
    """All histories of three calls, each on an agency and, where there is such a call, a policy."""
    for calls in product(_CALLS, repeat=3):
        yield [
            Fact(
                call, kind, BEGINNING + timedelta(minutes=n), 2 * n, id=identity,
                name="after" if call == "renamed" else "before", region="*",
                trustee="service:s", expires_at=BEGINNING + timedelta(minutes=n, seconds=30),
            )
            for n, call in enumerate(calls)
            for kind, identity in _THINGS
            if (kind, call) not in _ABSENT
        ]  # fmt: skip


_CALLS: tuple[Call, ...] = (
    "created", "deleted", "deletion asked for", "renamed", "granted", "revoked", "trust set",
    "expiry set", "boundary set", "boundary removed", "evidence",
)  # fmt: skip
_THINGS: tuple[tuple[Kind, str], ...] = (("agency", "A1"), ("policy", "P1"))
_ABSENT = {("policy", call) for call in _CALLS[4:-1]} | {("policy", "deletion asked for")}


def test_the_choices_of_a_derived_status_are_those_that_the_select_yields() -> None:
    [status] = [column for column in VIEWS["capabilities"].columns if column.name == "status"]
    text = VIEWS["capabilities"].select(SQLITE)
    assert all(f"'{choice}'" in text for choice in status.choices)


def test_the_outcomes_are_those_of_the_events() -> None:
    found: set[str] = set()
    for event in topics().values():
        field = event.model_fields.get("outcome")
        found |= set(get_args(field.annotation)) if field else set()
    [outcome] = [column for column in AUDIT_TRAIL.columns if column.name == "outcome"]
    assert found == set(outcome.choices)
    assert {AgencyDeletionAttempted, ConsoleLoginRequested} <= set(topics().values())


def test_events_that_have_a_permission_or_credential_name_the_service_that_is_used() -> None:
    def names(event: type[DomainEvent]) -> bool:
        return "service" in event.model_fields and "agency" in event.model_fields

    either = {event.__name__ for event in topics().values() if names(event)}
    assert either - set(USES) == {"FeatureUsed", "FeatureRefused", "FeatureUseUndecided"}
    assert set(USES) <= set(BY_NAME)


@pytest.mark.parametrize(
    "wanted",
    [
        TrailFilter(event="Foo"),
        TrailFilter(outcome="denied"),
        TrailFilter(origin="foo"),
        TrailFilter(service="asm", uses="elb"),
    ],
)
def test_the_trail_refuses_a_word_that_no_entry_can_have(views: Views, wanted: TrailFilter) -> None:
    with pytest.raises(InvalidInput):
        views.trail(wanted)
