"""The entry: what was altered, or names an unknown topic, is found out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import rfc8785
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.agency import AgencyTrustChanged
from ledger.account.usage import TemporaryCredentialIssued
from ledger.errors import CorruptEntry, UnknownTopic, VerificationFailed
from ledger.persistence.entry import decode, encode
from tests.ledger.examples import example_entry
from tests.ledger.persistence.entry_bytes import ENTRY, PLACE, rewritten, stored
from tests.ledger.third_party import JSON, needs_json

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
        {"run_by": "r-0123456789012345678901234567890123456789"},
        {"format": 2, "run_by": 7},
        {"format": 2, "run_by": "r-1", "database_user": 7},
        {"database_user": "ledger_writer"},
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
