"""Canonical JSON as RFC 8785 prints it: those examples of it that an entry can hold."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
import rfc8785
from pydantic_core import to_json

from ledger.errors import CorruptEntry
from ledger.messages import ENVELOPE_FIELDS
from ledger.persistence.entry import in_order, line
from tests.ledger.examples import EVENTS

STRING = r'"\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/"'
"""Section 3.2.2: a text as it was written,"""
STRING_CANONICAL = r'''"€$\u000f\nA'B\"\\\\\"/"'''
"""and as it must be written."""

PROPERTIES = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}
"""Section 3.2.3: the keys in the order of the input,"""
PROPERTIES_IN_ORDER = [
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
]
"""and their values in the order in which the keys must come."""

WHOLE_NUMBERS = ["0", "9007199254740991", "-9007199254740991"]
"""Appendix B: whole numbers that are exact. 9007199254740992 and 295147905179352830000 stand there
as well, each for several integers, and are none that an entry may hold."""


def test_a_text_is_escaped_as_the_specification_prints_it() -> None:
    value = json.loads(STRING)
    assert to_json(value).decode() == STRING_CANONICAL
    state = f'{{"string":{STRING_CANONICAL}}}'.encode()
    assert line(state, "here") == {"string": value}
    with pytest.raises(CorruptEntry, match="not written as canonical JSON"):
        line(f'{{"string":{STRING}}}'.encode(), "here")


def test_control_characters_have_their_short_escapes_or_four_lower_case_digits() -> None:
    """Section 3.2.2.2."""
    short = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r"}
    for code in range(0x20):
        text = chr(code)
        escaped = short.get(text, f"\\u{code:04x}")
        assert line(f'{{"a":"{escaped}"}}'.encode(), "here") == {"a": text}
        with pytest.raises(CorruptEntry):
            line(f'{{"a":"\\u{code:04X}"}}'.encode(), "here") if escaped[1] != "u" else line(
                f'{{"a":"\\u{code:04x} "  }}'.encode(), "here"
            )
    assert line('{"a":"\x7f\u0080\u2028"}'.encode(), "here") == {"a": "\x7f\u0080\u2028"}


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    assert [PROPERTIES[name] for name in in_order(PROPERTIES)] == PROPERTIES_IN_ORDER
    ordered = {name: PROPERTIES[name] for name in in_order(PROPERTIES)}
    state = json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()
    assert state == rfc8785.dumps(PROPERTIES)
    assert [*line(state, "here").values()] == PROPERTIES_IN_ORDER
    by_code_points = dict(sorted(PROPERTIES.items()))
    assert [*by_code_points] != [*ordered], "the emoji is beyond the Hebrew letter"
    with pytest.raises(CorruptEntry, match="canonical"):
        line(json.dumps(by_code_points, ensure_ascii=False, separators=(",", ":")).encode(), "here")


def test_the_keys_of_all_entries_are_ascii() -> None:
    """So sorting them by code points, bytes or UTF-16 gives the same entry."""
    names = {name for event in EVENTS for name in event.model_fields} | ENVELOPE_FIELDS
    assert all(name.isascii() and name.isidentifier() for name in names)


@pytest.mark.parametrize("number", WHOLE_NUMBERS)
def test_whole_numbers_are_written_as_they_are(number: str) -> None:
    assert line(f'{{"a":{number}}}'.encode(), "here") == {"a": int(number)}
    assert rfc8785.dumps(int(number)).decode() == number


@pytest.mark.parametrize(
    "value",
    [
        "-0",
        "9007199254740992",
        "-9007199254740992",
        "9007199254740993",
        "295147905179352830000",
        "1E30",
        "1e+30",
        "4.50",
        "4.5",
        "2e-3",
        "[1]",
        "[[]]",
        "[null]",
        "null",
        '{"b":1,"a":1}',
        "{}",
    ],
)
def test_a_value_that_an_entry_cannot_hold_is_refused(value: str) -> None:
    """Numbers that are several numbers to a reader that has doubles; what is not flat."""
    with pytest.raises(CorruptEntry):
        line(f'{{"a":{value}}}'.encode(), "here")


def _annotations(value: Any) -> set[Any]:
    return {value}.union(*map(_annotations, get_args(value)))


def test_no_event_has_a_number_that_is_not_whole() -> None:
    for event in EVENTS:
        for each in event.model_fields.values():
            assert float not in _annotations(each.annotation)
