"""The stored bytes of every event are pinned: what is written once can be read for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.messages import DomainEvent
from ledger.persistence.entry import decode, encode
from tests.ledger.examples import EVENTS, example_entry
from tests.ledger.make_golden import GOLDEN, golden_file, golden_files

each_event = pytest.mark.parametrize("event", EVENTS, ids=[event.TOPIC for event in EVENTS])
each_file = pytest.mark.parametrize(
    ("event", "steps", "path"), golden_files(), ids=[path.stem for _, _, path in golden_files()]
)


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


@each_file
def test_an_entry_is_written_with_these_bytes_and_no_others(
    event: type[DomainEvent], steps: int, path: Path
) -> None:
    assert encode(example_entry(event, steps=steps)) == path.read_bytes()


@each_file
def test_the_bytes_are_read_as_that_entry_and_no_other(
    event: type[DomainEvent], steps: int, path: Path
) -> None:
    assert decode(stored(path.read_bytes())) == example_entry(event, steps=steps)


@each_event
def test_the_golden_entries_of_an_event_fill_every_field(event: type[DomainEvent]) -> None:
    paths = [path for one, _, path in golden_files() if one is event]
    filled = {name for path in paths for name in json.loads(path.read_bytes())}
    assert set(event.model_fields) <= filled


def test_no_golden_entry_has_lost_its_event() -> None:
    kept = {path.name for path in GOLDEN.iterdir()}
    assert kept == {path.name for _, _, path in golden_files()}
