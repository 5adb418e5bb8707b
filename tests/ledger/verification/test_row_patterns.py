"""Patterns of good rows: a row that matches one would have passed the full check."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated
from ledger.account.permissions import PermissionGranted
from ledger.messages import Recorded
from ledger.persistence.columns import COLUMNS
from ledger.persistence.entry import encode
from ledger.persistence.raw_rows import Row
from ledger.persistence.sqlite.raw_rows import SQLiteRows
from ledger.streams import stream_of
from ledger.verification.row_check import faults
from ledger.verification.row_patterns import PER_TOPIC_MAX, RowPatterns
from ledger.verification.segment import SegmentReader, SegmentRequest
from tests.ledger.examples import EVENTS, entries, example_entry

LEAST = {"account": "a", "provider": "p", "topic": AgencyCreated.TOPIC}
"""The fields that every form has."""


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    """Tables whose columns take values of any type."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        columns = ", ".join(COLUMNS[1:])
        connection.execute(f"CREATE TABLE events (position INTEGER PRIMARY KEY, {columns})")
        connection.execute("CREATE TABLE tiles (level, tile, data)")
        yield connection


class OneRow:
    """Reads one row as `SegmentReader` does: whether it was checked in full, and its faults."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._seen: list[list[str]] = []
        self._reader = SegmentReader(SQLiteRows(db, Path()), self._check)

    def _check(self, row: Row, entry: bytes, before: int, recorded_at: str) -> list[str]:
        self._seen.append(faults(row, entry, before, recorded_at))
        return self._seen[-1]

    def __call__(self, row: list[Any]) -> tuple[bool, list[str]]:
        self._seen.clear()
        self._db.execute("DELETE FROM events")
        self._db.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(row))})", row)
        found = self._reader.read(SegmentRequest(0, 1, 0, 0, "")).found.kept
        return bool(self._seen), [what for _, what in found]


def row_of(entry: Recorded) -> list[Any]:
    """The row of an entry, which is put into the stream of its event."""
    about_account = entry.event.STREAM not in {"subject", "document", "log"}
    key = (entry.provider or "huaweicloud", entry.account or "a") if about_account else None
    provider, account = key or (None, None)
    stream = stream_of(entry.event, key)
    entry = replace(entry, stream=stream, provider=provider, account=account)
    state = encode(entry).decode()
    fields = json.loads(state)
    own = [fields[name] for name in ("stream", "version", "topic")]
    return [1, *own, state]


def plain(row: list[Any]) -> list[Any]:
    """The row without characters that need an escape."""
    escapes = {34: None, 92: None}

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [*map(without, value)]
        return value.translate(escapes) if isinstance(value, str) else value

    fields = {name: without(value) for name, value in json.loads(row[4]).items()}
    return rewritten([row[0], fields["stream"], *row[2:]], fields)


def rewritten(row: list[Any], fields: dict[str, Any]) -> list[Any]:
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return [*row[:4], text]


def full_check(row: list[Any]) -> list[str]:
    text = row[4]
    entry = text if isinstance(text, bytes) else str(text).encode(errors="surrogateescape")
    return faults(row, entry, 0, "")


@pytest.mark.parametrize("event", EVENTS, ids=[event.__name__ for event in EVENTS])
def test_a_second_row_of_the_same_form_is_not_checked_in_full(
    db: sqlite3.Connection, event: Any
) -> None:
    read = OneRow(db)
    row = plain(row_of(example_entry(event)))
    assert read(row) == (True, [])
    assert read(row) == (False, [])
    escaped = rewritten(row, json.loads(row[4]) | {"reason": 'he said "so"'})
    assert read(escaped) == (True, []), "a text with an escape is checked in full"


def test_patterns_match_text_in_any_script(db: sqlite3.Connection) -> None:
    read = OneRow(db)
    for agency in ("asm", "代理商", "وكالة", "🛡️"):
        row = plain(row_of(example_entry(AgencyCreated)))
        row = rewritten(row, json.loads(row[4]) | {"agency": agency})
        is_first = agency == "asm"
        assert read(row) == (is_first, [])


@pytest.mark.parametrize("agency", ["asm", "代理商"])
@pytest.mark.parametrize("inserted", ['"', "\\", "\x1f", '",', '","a":"', ",", " ", "0", None])
def test_no_character_inserted_or_removed_anywhere_passes(
    db: sqlite3.Connection, inserted: str | None, agency: str
) -> None:
    """At each place of an entry; None removes a character."""
    read = OneRow(db)
    row = plain(row_of(example_entry(AgencyCreated)))
    fields = {
        name: value.encode("ascii", "ignore").decode() if isinstance(value, str) else value
        for name, value in json.loads(row[4]).items()
    }
    row = rewritten(row, fields | {"agency": agency})
    read(row)
    assert read(row) == (False, [])
    text = row[4]
    for at in range(len(text)):
        altered = text[:at] + (inserted or "") + text[at + (inserted is None) :]
        found = read([*row[:4], altered])[1]
        assert found == full_check([*row[:4], altered]), altered


ODD = st.one_of(
    st.none(),
    st.integers(-3, 10),
    st.sampled_from([2**53, 2**63 - 1, 1.0, 9.0, -0.0]),
    st.binary(max_size=4),
    st.text(max_size=6),
    st.sampled_from(['"', "\\", "\x00", "\x1f", "\x7f", "\ud800", "", "null", '"x"']),
)


@given(data=st.data(), entry=entries)
def test_any_alteration_has_the_same_findings_as_in_the_full_check(
    db: sqlite3.Connection, data: st.DataObject, entry: Recorded
) -> None:
    """A column with another value or type; other bytes in the entry."""
    row = plain(row_of(entry)) if data.draw(st.booleans(), "plain") else row_of(entry)
    read = OneRow(db)
    read(row)
    place = data.draw(st.integers(1, len(row) - 1), "column")
    if data.draw(st.booleans(), "in the entry"):
        text = row[4]
        start = data.draw(st.integers(0, len(text)), "start")
        end = start + data.draw(st.integers(0, 3), "length")
        odd = st.text(max_size=3) | st.sampled_from(
            [
                " ",
                "\n",
                "0",
                "1",
                "-",
                ".0",
                "e5",
                "\\u0041",
                "\\/",
                "\x1f",
                ",",
                '",',
                "é",
                '"a":1,',
            ]
        )
        row[4] = text[:start] + data.draw(odd, "put in") + text[end:]
    else:
        value = data.draw(ODD, "value")
        if isinstance(row[place], str) and isinstance(value, str) and data.draw(st.booleans()):
            value = row[place] + value
        if isinstance(row[place], str) and data.draw(st.booleans(), "as bytes"):
            value = row[place].encode(errors="surrogatepass")
        row[place] = value
    try:
        in_full, found = read(row)
    except (UnicodeEncodeError, OverflowError):
        return  # SQLite cannot store it.
    stored = list(db.execute("SELECT * FROM events").fetchone()) if in_full else row
    assert found == full_check(stored)


@pytest.mark.parametrize("column", ["stream", "topic", "entry"])
def test_bytes_in_place_of_a_text_never_pass(db: sqlite3.Connection, column: str) -> None:
    read = OneRow(db)
    row = plain(row_of(example_entry(PermissionGranted)))
    read(row)
    assert read(row) == (False, [])
    at = COLUMNS.index(column)
    row[at] = row[at].encode()
    in_full, found = read(row)
    assert in_full
    assert any("as bytes, not as text" in each for each in found)


@pytest.mark.parametrize("version", [9.0, "9", True, None])
def test_a_version_of_another_type_never_passes(db: sqlite3.Connection, version: object) -> None:
    read = OneRow(db)
    row = plain(row_of(example_entry(PermissionGranted)))
    row = rewritten(row, json.loads(row[4]) | {"version": 9})
    row[2] = 9
    read(row)
    assert read(row) == (False, [])
    row[2] = version
    assert read(row)[1] != []


def test_half_a_character_never_passes() -> None:
    """Bytes that are not UTF-8 are read so; the log has other bytes."""
    patterns = RowPatterns()
    patterns.learn(plain(row_of(example_entry(AgencyCreated)))[4])
    entry = plain(row_of(example_entry(AgencyCreated)))[4].replace('"agency":"', '"agency":"\udcff')
    assert "\udcff" in entry
    assert patterns.any["AgencyCreated.v1"]
    assert not any(match(entry) for match, _ in patterns.any["AgencyCreated.v1"])


def test_a_key_with_special_characters_gets_no_pattern(db: sqlite3.Connection) -> None:
    """As part of a regular expression it could let anything pass."""
    patterns = RowPatterns()
    for key in (".*", "<text>", "a)|(", "A", "é", ""):
        patterns.learn(json.dumps(LEAST | {key: "x"}))
    assert patterns.patterns.get(AgencyCreated.TOPIC, []) == []


def test_a_topic_gets_a_limited_number_of_patterns(db: sqlite3.Connection) -> None:
    patterns = RowPatterns()
    names = ("actor", "catalogue", "correlation_id", "reason", "source_file")
    for some in (set(each) for count in range(6) for each in combinations(names, count)):
        patterns.learn(json.dumps(LEAST | dict.fromkeys(sorted(some), "x")))
    assert len(patterns.patterns[AgencyCreated.TOPIC]) == PER_TOPIC_MAX


@pytest.mark.parametrize("event", EVENTS, ids=[event.__name__ for event in EVENTS])
def test_a_value_that_its_field_cannot_have_never_passes(
    db: sqlite3.Connection, event: Any
) -> None:
    """Each field of each event gets odd values: the findings are those of the full check."""
    read = OneRow(db)
    row = plain(row_of(example_entry(event)))
    read(row)
    assert read(row) == (False, [])
    fields = json.loads(row[4])
    for name in fields:
        for odd in ODD_VALUES:
            altered = rewritten(row, fields | {name: odd})
            assert read(altered)[1] == full_check(altered), (name, odd)


ODD_VALUES: tuple[Any, ...] = (
    *("", "x", "x y", "x:y", "*", "x*", "é", "x\x7f", "x\x80", "x\u2028", "x\u3000y", "x" * 2_100),
    *("2026-02-29T00:00:00.000000Z", "2024-02-29T00:00:00.000000Z", "2026-03-01T24:00:00.000000Z"),
    *("2026-03-01T00:00:60.000000Z", "2026-13-01T00:00:00.000000Z", "2026-03-01T00:00:00Z"),
    *("0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "refused", "unknown"),
    *(0, -1, 1, 2**53, True, False, [], ["x"], ["x", "x\x7f"], ["x", 1]),
)
