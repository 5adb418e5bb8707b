"""Real events as facts: the fold of recorded traces, and what each entry says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from ledger.account.agency import AgencyCreated, AgencyExpiryChanged
from ledger.account.facts import FACT_TYPES, fact_of, fact_of_entry, facts_of
from ledger.account.project import ProjectChanged, ProjectCreated, ProjectDeleted
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import FOREVER
from ledger.account.truth.rules import AWS
from ledger.account.truth.spans import Span
from ledger.account.usage import FeatureUsed
from ledger.messages import DomainEvent, Observation, Recorded
from ledger.persistence.entry import encode
from ledger.sources import SOURCES, ImportReport, read_traces
from tests.ledger.examples import ADDED, EVENTS, example_entry
from tests.ledger.scenario import NOON

INVICTUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "cloudtrail-invictus"


def _observed(observations: Iterable[Observation]) -> list[Recorded]:
    found = [(one, event) for one in observations for event in one.events]
    return [
        Recorded(
            stream="account",
            version=position,
            event=event,
            recorded_at=one.effective_at,
            effective_at=one.effective_at,
            origin="observed",
            actor=one.actor,
            source=one.source,
            position=position,
        )
        for position, (one, event) in enumerate(found, start=1)
    ]


@pytest.mark.skipif(not INVICTUS.is_dir(), reason="needs ../shared (third-party data)")
def test_recorded_traces_fold_to_the_same_spans_in_any_order_of_their_files() -> None:
    paths = sorted(INVICTUS.glob("*.json"))
    now = datetime(2027, 1, 1, tzinfo=UTC)
    by_name = list(read_traces(SOURCES["cloudtrail"], paths, ImportReport(), now=now))
    shuffled = Random(14).sample(by_name, len(by_name))
    spans = derive(facts_of(_observed(by_name)), AWS)
    assert _unplaced(spans) == _unplaced(derive(facts_of(_observed(shuffled)), AWS))
    revoked = [span for span in spans if span.subject == "permission" and span.status == "revoked"]
    assert Counter(span.note for span in revoked) == {None: 9, "end not seen": 2}
    assert all((span.actor is None) == (span.note is not None) for span in revoked)


def _unplaced(spans: Iterable[Span]) -> set[Span]:
    return {
        span._replace(position=None, content=span.content and span.content._replace(position=None))
        for span in spans
    }


@pytest.mark.parametrize(
    ("event", "expires_at"),
    [
        (AgencyCreated(agency="x", duration="FOREVER"), FOREVER),
        (AgencyCreated(agency="x"), None),
        (AgencyExpiryChanged(agency="x"), FOREVER),
        (AgencyExpiryChanged(agency="x", expires_at=NOON), NOON),
    ],
)
def test_an_agency_whose_trace_names_a_duration_without_an_end_does_not_expire(
    event: DomainEvent, expires_at: datetime | None
) -> None:
    entry = replace(example_entry(type(event)), event=event)
    for fact in (fact_of(entry, 7), fact_of_entry(encode(entry), 7)):
        assert fact is not None
        assert fact.expires_at == expires_at


@pytest.mark.parametrize(
    ("event", "call"),
    [
        (ProjectCreated(region="cn-north-4_mesh", project_id="0605"), "created"),
        (ProjectChanged(region="cn-north-4_mesh", project_id="0605"), "renamed"),
        (ProjectDeleted(region="cn-north-4_mesh", project_id="0605"), "deleted"),
    ],
)
def test_an_event_of_a_project_says_its_name_and_its_id(event: DomainEvent, call: str) -> None:
    fact = fact_of(replace(example_entry(type(event)), event=event), 7)
    assert fact is not None
    assert fact[:2] == (call, "project")
    assert (fact.name, fact.id) == ("cn-north-4_mesh", "0605")


def test_a_use_of_an_agency_that_is_not_known_says_nothing_of_any_agency() -> None:
    entry = example_entry(FeatureUsed)
    assert fact_of(entry, 7) is not None
    unknown = replace(entry, event=entry.event.model_copy(update={"agency": None}))
    assert fact_of(unknown, 7) is None
    assert fact_of_entry(encode(unknown), 7) is None


def test_an_entry_says_the_same_fact_as_its_event() -> None:
    said = 0
    for event in EVENTS:
        for steps in range(len(ADDED) + 1):
            entry = example_entry(event, steps=steps)
            text = encode(entry)
            fact = fact_of(entry, 7)
            assert fact_of_entry(text, 7) == fact
            said += fact is not None
    assert said == (len(ADDED) + 1) * len(FACT_TYPES)
