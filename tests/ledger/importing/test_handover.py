"""Observations that are handed over are rebuilt exactly, whatever the facts."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.documents import Document
from ledger.importing.handover import Packer, Part, Unpacker
from ledger.messages import DomainEvent, Observation, Provenance
from tests.ledger.examples import AT, EVENTS, any_event
from tests.sources.reading import FIXTURES, read, used


def rebuilt(traces: list[Observation], parts: int = 1) -> list[Observation]:
    packer, unpacker = Packer(), Unpacker()
    found: list[Observation] = []
    for n in range(parts):
        packed = [packer.packed(each) for each in traces[n::parts]]
        part: Part = pickle.loads(pickle.dumps(Part("", 0, 0, packer.new_shapes(), packed)))
        found[len(found) :] = unpacker.observations(part)
    return found


def all_of(event: DomainEvent) -> object:
    return type(event), list(event.__dict__.items()), event.model_fields_set, repr(event)


@pytest.mark.parametrize("kind", ["cloudtrail", "cts"])
def test_the_facts_in_traces_are_the_same(kind: str) -> None:
    path = FIXTURES / f"{kind}.json"
    traces = [*read(kind, path)[0], *used(kind, path)]
    assert rebuilt(traces) == traces
    assert sorted(map(repr, rebuilt(traces, parts=3))) == sorted(map(repr, traces))


@settings(max_examples=20)
@given(st.lists(st.sampled_from(EVENTS).flatmap(any_event), min_size=1, max_size=8))
def test_every_event_has_the_same_fields_in_the_same_order(events: list[DomainEvent]) -> None:
    trace = Observation(
        provider="aws",
        account="a",
        events=tuple(events),
        effective_at=AT,
        source=Provenance(trace_id="t", file="\ud800.json", verified=True),
        actor="zoe",
        address="192.0.2.1",
        correlation_id="c",
        names={"session_name": "s"},
        documents=(Document("d", 2, "{}"), Document("e", 9, None)),
        sums_up=True,
        former_trace_id="f",
    )
    [found] = rebuilt([trace])
    assert found == trace
    assert [*map(all_of, found.events)] == [*map(all_of, events)]
    written = [each.model_dump_json(exclude_unset=True) for each in found.events]
    assert written == [each.model_dump_json(exclude_unset=True) for each in events]
    changed = found.events[0].model_copy(update={})
    assert changed.model_fields_set is not found.events[0].model_fields_set
