"""The entry: what is written can be read, byte for byte; what was altered is found out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import rfc8785
from eventsourcing.persistence import StoredEvent
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from ledger.account.agency import AgencyCreated, AgencyTrustChanged
from ledger.account.permissions import PermissionsChanged
from ledger.account.usage import TemporaryCredentialIssued
from ledger.errors import CorruptEntry, InvalidInput, UnknownTopic, VerificationFailed
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
from tests.ledger.third_party import JSON, needs_json

ENTRY = example_entry(AgencyCreated)
PLACE = f"{ENTRY.stream} version {ENTRY.version}"


def written(entry: Recorded) -> bytes:
    """The entry's bytes; the example is skipped if it is too long to be stored."""
    try:
        return encode(entry)
    except InvalidInput:
        assume(False)
        raise


def stored(state: bytes, entry: Recorded = ENTRY, topic: str | None = None) -> StoredEvent:
    return StoredEvent(
        originator_id=entry.stream,
        originator_version=entry.version,
        topic=topic or entry.event.TOPIC,
        state=state,
    )


def rewritten(**changes: object) -> bytes:
    """The example's bytes with other values; None leaves a key out."""
    fields = {**json.loads(encode(ENTRY)), **changes}
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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


# -- what was altered ----------------------------------------------------------------------------

ALTERED: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "white space": lambda _: b" ",
    "an array": lambda state: b"[" + state + b"]",
    "a text": lambda _: b'"text"',
    "a number": lambda _: b"1",
    "null": lambda _: b"null",
    "true": lambda _: b"true",
    "half of it": lambda state: state[: len(state) // 2],
    "twice": lambda state: state + state,
    "a line end": lambda state: state + b"\n",
    "white space before": lambda state: b" " + state,
    "white space between": lambda state: state.replace(b'":"', b'": "', 1),
    "a byte order mark": lambda state: b"\xef\xbb\xbf" + state,
    "UTF-16": lambda state: state.decode().encode("utf-16"),
    "UTF-32": lambda state: state.decode().encode("utf-32-le"),
    "a NUL behind": lambda state: state + b"\0",
    "a NUL within": lambda state: state.replace(b"asm_admin", b"asm\0admin"),
    "invalid UTF-8": lambda state: state.replace(b"asm_admin", b"asm\xff\xfeadmin"),
    "a lone surrogate in UTF-8": lambda state: state.replace(b"review", b"\xed\xa0\xbd"),
    "a lone surrogate escaped": lambda state: state.replace(b"review", rb"\ud83d"),
    "overlong UTF-8": lambda state: state.replace(b"review", b"\xc0\xaf"),
    "a key twice": lambda state: state[:-1] + b',"version":3}',
    "a key twice, escaped": lambda state: state[:-1] + rb',"versio\u006e":3}',
    "a letter escaped": lambda state: state.replace(b"review", rb"revi\u0065w"),
    "other order": lambda state: b'{"version":3,' + state[1:].replace(b',"version":3}', b"}"),
    "a float": lambda state: state.replace(b'"version":3', b'"version":3.0'),
    "a power": lambda state: state.replace(b'"version":3', b'"version":3e0'),
    "minus nought": lambda state: state.replace(b'"version":3', b'"version":-0'),
    "NaN": lambda state: state.replace(b'"version":3', b'"version":NaN'),
    "infinity": lambda state: state.replace(b'"version":3', b'"version":-Infinity'),
    "a number of many digits": lambda state: state.replace(b":3}", b":" + b"9" * 5000 + b"}"),
    "a text for a number": lambda state: state.replace(b'"version":3', b'"version":"3"'),
    "true for a number": lambda state: state.replace(b'"version":3', b'"version":true'),
    "deep arrays": lambda state: state[:-1] + b',"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": lambda state: (
        state[:-1] + b',"z":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
    ),
    "an unknown key": lambda state: state[:-1] + b',"zzz":1}',
}


@pytest.mark.parametrize("how", ALTERED)
def test_altered_bytes_are_a_corrupt_entry_that_names_the_place(how: str) -> None:
    altered = ALTERED[how](encode(ENTRY))
    assert altered != encode(ENTRY)
    with pytest.raises(CorruptEntry, match=f"position 7 \\({PLACE}\\)"):
        decode(stored(altered), position=7)


@pytest.mark.parametrize("blob", [None, 5, 1.5], ids=["null", "integer", "float"])
def test_a_stored_value_that_is_not_text_is_a_corrupt_entry(blob: object) -> None:
    with pytest.raises(CorruptEntry, match=PLACE):
        decode(stored(blob))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"format": "1"},
        {"format": None},
        {"stream": "account:huaweicloud:another"},
        {"stream": None},
        {"version": 4},
        {"topic": "AgencyDeleted.v1"},
        {"recorded_at": None},
        {"recorded_at": "2026-03-01"},
        {"recorded_at": "2026-03-01T09:30:00Z"},
        {"recorded_at": "2026-03-01T09:30:00.123456+00:00"},
        {"recorded_at": "2026-02-30T09:30:00.123456Z"},
        {"recorded_at": 1772357400},
        {"effective_at": None},
        {"effective_at": "yesterday"},
        {"effective_at": "2026-03-01T17:30:00.123456+08:00"},
        {"origin": "rumoured"},
        {"origin": None},
        {"origin": 1},
        {"actor": 7},
        {"actor": ["p-0123456789abcdef0123"]},
        {"actor_established": "guessed"},
        {"actor_established": None},
        {"reason": True},
        {"command_id": 1},
        {"account": 1},
        {"source_trace_id": 5},
        {"source_trace_id": None},
        {"source_file": 5},
        {"source_verified": "yes"},
        {"source_verified": None},
        {"agency": None},
        {"agency": ""},
        {"agency": "two\nlines"},
        {"agency": 7},
        {"agency_id": 7},
        {"position": 1},
        {"region": "cn-north-4"},
    ],
    ids=str,
)
def test_a_well_formed_line_that_is_not_an_entry_is_detected(changes: dict[str, object]) -> None:
    with pytest.raises(CorruptEntry, match=PLACE):
        decode(stored(rewritten(**changes)))


@pytest.mark.parametrize("name", ["version", "format"])
def test_true_is_not_the_number_one(name: str) -> None:
    entry = replace(ENTRY, version=1)
    state = encode(entry).replace(f'"{name}":1'.encode(), f'"{name}":true'.encode())
    with pytest.raises(CorruptEntry, match="True"):
        decode(stored(state, entry))


@pytest.mark.parametrize(
    "changes", [{"account_version": "7"}, {"expires_at": "2026-03-01T09:30:00Z"}], ids=str
)
def test_a_value_of_another_form_is_not_coerced(changes: dict[str, str]) -> None:
    entry = example_entry(TemporaryCredentialIssued)
    state = rfc8785.dumps({**json.loads(encode(entry)), **changes})
    with pytest.raises(CorruptEntry, match="TemporaryCredentialIssued"):
        decode(stored(state, entry))


def test_an_entry_under_the_columns_of_another_is_detected() -> None:
    state = encode(ENTRY)
    for column in (
        StoredEvent("account:huaweicloud:other", ENTRY.version, ENTRY.event.TOPIC, state),
        StoredEvent(ENTRY.stream, ENTRY.version + 1, ENTRY.event.TOPIC, state),
        StoredEvent(ENTRY.stream, ENTRY.version, AgencyTrustChanged.TOPIC, state),
    ):
        with pytest.raises(CorruptEntry, match="the column's"):
            decode(column)


@settings(max_examples=400)
@given(data=st.data())
def test_any_altered_byte_is_detected_or_gives_another_entry(data: st.DataObject) -> None:
    state = bytearray(encode(ENTRY))
    at = data.draw(st.integers(0, len(state) - 1))
    state[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != state[at]))
    with suppress(VerificationFailed):
        got = decode(stored(bytes(state)))
        assert encode(got) == bytes(state)
        assert got != ENTRY


@given(state=st.binary(max_size=200))
def test_no_bytes_raise_another_error(state: bytes) -> None:
    with pytest.raises(VerificationFailed):
        decode(stored(state))


@needs_json
def test_no_text_of_the_parsing_suite_passes_for_an_entry() -> None:
    suite = sorted((JSON / "parsing").iterdir())
    assert len(suite) > 200
    for path in suite:
        with pytest.raises(CorruptEntry):
            decode(stored(path.read_bytes()))


@needs_json
def test_no_text_of_the_parsing_suite_passes_within_an_entry() -> None:
    for path in sorted((JSON / "parsing").glob("[ni]_*.json")):
        state = encode(ENTRY)[:-1] + b',"zzz":' + path.read_bytes() + b"}"
        with pytest.raises(CorruptEntry):
            decode(stored(state))


@needs_json
def test_unusual_texts_are_stored_unchanged() -> None:
    texts = [text for text in json.loads((JSON / "blns.json").read_text("utf-8")) if text]
    assert len(texts) > 400
    for text in texts:
        entry = replace(ENTRY, reason=text, command_id=text)
        state = encode(entry)
        assert decode(stored(state)) == entry
        assert state == rfc8785.dumps(json.loads(state))


# -- topics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic",
    [
        "xml.dom.minidom:parse",
        "os:system",
        "ledger.account.agency:AgencyCreated",
        "AgencyCreated",
        "AgencyCreated.v2",
        "agencycreated.v1",
        "AgencyCreated.v1 ",
        "",
        "antigravity",
    ],
)
def test_an_unknown_topic_is_named_and_never_imported(topic: str) -> None:
    before = set(sys.modules)
    state = rewritten(topic=topic)
    event = StoredEvent(ENTRY.stream, ENTRY.version, topic, state)
    with pytest.raises(UnknownTopic) as raised:
        decode(event, position=7)
    assert repr(topic) in str(raised.value)
    assert "position 7" in str(raised.value)
    assert set(sys.modules) == before


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
