"""The entry: what is written can be read, byte for byte; its limits; its recorded time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import rfc8785
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from ledger.account.agency import AgencyCreated
from ledger.account.permissions import PermissionsChanged
from ledger.errors import InvalidInput
from ledger.messages import ENVELOPE_FIELDS, DomainEvent, Recorded
from ledger.persistence.entry import (
    ENTRY_BYTES_MAX,
    EntryMapper,
    decode,
    encode,
    in_order,
    recorded_at_of,
    stamped,
)
from ledger.values import instant_text
from tests.ledger.examples import EVENTS, entries, example_entry
from tests.ledger.persistence.entry_bytes import ENTRY, stored, written
from tests.ledger.third_party import JSON, needs_json

# -- there and back ------------------------------------------------------------------------------


@settings(max_examples=400)
@given(entry=entries)
def test_every_written_entry_is_read_as_the_same(entry: Recorded) -> None:
    assert decode(stored(written(entry), entry)) == entry


@pytest.mark.parametrize("event", EVENTS, ids=[event.__name__ for event in EVENTS])
def test_every_event_is_read_as_itself(event: type[DomainEvent]) -> None:
    entry = example_entry(event)
    got = decode(stored(encode(entry), entry), position=9)
    assert got == replace(entry, position=9)
    assert type(got.event) is event


@settings(max_examples=400)
@given(entry=entries)
def test_the_bytes_are_canonical_as_another_implementation_has_it(entry: Recorded) -> None:
    state = written(entry)
    assert state == rfc8785.dumps(json.loads(state))


@given(entry=entries, reason=st.text(), correlation_id=st.text())
def test_two_writers_of_json_agree_on_any_text(
    entry: Recorded, reason: str, correlation_id: str
) -> None:
    entry = replace(entry, reason=reason, correlation_id=correlation_id)
    state = written(entry)
    fields = json.loads(state)
    assert state == to_json({name: fields[name] for name in in_order(fields)})
    assert state == rfc8785.dumps(fields)
    assert (fields["reason"], fields["correlation_id"]) == (reason, correlation_id)


@given(
    before=st.text(),
    half=st.sampled_from([chr(code) for code in range(0xD800, 0xE000)]),
    after=st.text(st.characters(codec="utf-8")),
)
def test_half_a_surrogate_pair_is_not_written_wherever_it_stands(
    before: str, half: str, after: str
) -> None:
    with pytest.raises(InvalidInput, match=r"not valid Unicode\. Nothing was appended"):
        encode(replace(ENTRY, reason=before + half + after))


@given(entry=entries)
def test_an_entry_is_one_flat_line_with_every_key_once(entry: Recorded) -> None:
    state = written(entry)
    keys: list[str] = []
    json.loads(state, object_pairs_hook=lambda pairs: keys.extend(key for key, _ in pairs))
    assert len(keys) == len(set(keys))
    assert b"\n" not in state
    for value in json.loads(state).values():
        assert isinstance(value, str | int | list)
        if isinstance(value, list):
            assert all(isinstance(item, str) for item in value)


def test_absent_values_are_left_out() -> None:
    entry = replace(ENTRY, event=AgencyCreated(agency="x"), actor=None, source=None, reason=None)
    fields = json.loads(encode(entry))
    assert fields.keys() & {"actor", "source_trace_id", "reason", "agency_id"} == set()
    assert None not in fields.values()


def test_no_event_has_a_field_that_the_envelope_has() -> None:
    for event in EVENTS:
        assert not ENVELOPE_FIELDS & set(event.model_fields)
    with pytest.raises(TypeError, match="shadows the envelope's"):
        type("Shadow", (DomainEvent,), {"__annotations__": {"actor": str}, "TOPIC": "Shadow.v1"})


def test_no_two_events_share_a_topic() -> None:
    with pytest.raises(TypeError, match=r"belongs to AgencyCreated already"):
        type("Usurper", (DomainEvent,), {"TOPIC": AgencyCreated.TOPIC})


def test_the_librarys_mapper_writes_the_same_bytes_and_reads_the_position() -> None:
    mapper = EntryMapper(transcoder=None)  # type: ignore[arg-type]  # It has nothing to transcode.
    event = mapper.to_stored_event(ENTRY)
    assert event.state == encode(ENTRY)
    assert mapper.to_domain_event(event) == ENTRY


# -- limits --------------------------------------------------------------------------------------


def entry_of(size: int) -> Recorded:
    bare = replace(ENTRY, reason="")
    return replace(bare, reason="x" * (size - len(encode(bare))))


def test_an_entry_of_the_greatest_size_is_stored_and_a_longer_one_is_not() -> None:
    assert len(encode(entry_of(ENTRY_BYTES_MAX))) == ENTRY_BYTES_MAX == 65_535
    with pytest.raises(InvalidInput, match="has 65536 bytes; an entry may have 65535"):
        encode(entry_of(ENTRY_BYTES_MAX + 1))


def test_a_text_that_is_not_unicode_is_not_written() -> None:
    with pytest.raises(InvalidInput, match="not valid Unicode"):
        encode(replace(ENTRY, reason="half a pair: \ud83d"))


@needs_json
def test_unusual_texts_are_stored_unchanged() -> None:
    texts = [text for text in json.loads((JSON / "blns.json").read_text("utf-8")) if text]
    assert len(texts) > 400
    for text in texts:
        entry = replace(ENTRY, reason=text, command_id=text)
        state = encode(entry)
        assert decode(stored(state)) == entry
        assert state == rfc8785.dumps(json.loads(state))


# -- the recorded time in the bytes --------------------------------------------------------------

TRICKY = '","recorded_at":"1999-01-01T00:00:00.000000Z'


@settings(max_examples=200)
@given(
    at=st.datetimes(timezones=st.just(UTC)),
    before=st.text(max_size=20),
    entry=entries,
)
def test_stamping_changes_the_recorded_time_and_nothing_else(
    at: datetime, before: str, entry: Recorded
) -> None:
    assume(before.isprintable())
    entry = replace(entry, actor=before + TRICKY, account=TRICKY)
    state = written(entry)
    assert recorded_at_of(state) == instant_text(entry.recorded_at).encode()
    again = stamped(state, instant_text(at).encode())
    assert decode(stored(again, entry)) == replace(entry, recorded_at=at)


def test_a_payload_that_looks_like_a_recorded_time_is_left_alone() -> None:
    event = PermissionsChanged(agency=TRICKY, policy=TRICKY, detail=TRICKY)
    entry = replace(ENTRY, event=event)
    later = entry.recorded_at + timedelta(days=1)
    again = stamped(encode(entry), instant_text(later).encode())
    assert decode(stored(again, entry)) == replace(entry, recorded_at=later)


def test_bytes_without_a_recorded_time_are_not_an_entry() -> None:
    assert recorded_at_of(b"state1") is None
