"""The stored bytes of every event are pinned: what is written once can be read for ever."""

from __future__ import annotations

import json

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.messages import DomainEvent
from ledger.persistence.entry import decode, encode
from tests.ledger.examples import EVENTS, example_entry
from tests.ledger.make_golden import GOLDEN, golden_file

each_event = pytest.mark.parametrize("event", EVENTS, ids=[event.TOPIC for event in EVENTS])


def stored(text: bytes) -> StoredEvent:
    fields = json.loads(text)
    return StoredEvent(
        originator_id=fields["stream"],
        originator_version=fields["version"],
        topic=fields["topic"],
        state=text,
    )


@each_event
def test_every_event_has_a_golden_entry(event: type[DomainEvent]) -> None:
    assert golden_file(event.TOPIC).exists(), "python -m tests.ledger.make_golden"


@each_event
def test_an_entry_is_written_with_these_bytes_and_no_others(event: type[DomainEvent]) -> None:
    assert encode(example_entry(event)) == golden_file(event.TOPIC).read_bytes()


@each_event
def test_the_bytes_are_read_as_that_entry_and_no_other(event: type[DomainEvent]) -> None:
    text = golden_file(event.TOPIC).read_bytes()
    assert decode(stored(text)) == example_entry(event)


@each_event
def test_a_golden_entry_fills_every_field(event: type[DomainEvent]) -> None:
    fields = json.loads(golden_file(event.TOPIC).read_bytes())
    assert set(event.model_fields) <= set(fields)


def test_no_golden_entry_has_lost_its_event() -> None:
    kept = {path.name for path in GOLDEN.iterdir()}
    assert kept == {golden_file(event.TOPIC).name for event in EVENTS}
