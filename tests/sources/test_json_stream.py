"""The values of a text are the same, at the same places, into whichever pieces it is cut."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.sources import json_stream, json_window
from ledger.sources.fields import Unreadable
from ledger.sources.files import Broken
from ledger.sources.json_stream import Values

A, B, C = '{"a": 1}', '{"a": "x}],"}', '{"a": {"b": [2]}}'
VALUES = [{"a": 1}, {"a": "x}],"}, {"a": {"b": [2]}}]


def found(
    text: str, size: int = 1 << 18, *, expects_no_fact: bool = True
) -> list[tuple[str, object]]:
    """Each value with its place; of a break, its message."""
    pieces = iter([text[start : start + size] for start in range(0, len(text), size)])
    return list(_found(Values(pieces, ("Records", "cts"), ("meta",)), expects_no_fact))


def _found(values: Values, expects_no_fact: bool) -> Iterator[tuple[str, object]]:
    for value in values:
        values.expects_no_fact = expects_no_fact
        if isinstance(value, Broken):
            yield value.place, value.message
        else:
            assert values.exactly(value) == value
            yield values.place, value


def at(*places: str) -> list[tuple[str, object]]:
    return list(zip([f"line {place}" for place in places], VALUES, strict=False))


TEXTS: dict[str, list[tuple[str, object]]] = {
    # An array, an envelope, lines, values behind each other: the records of each.
    f"[{A},{B},{C}]": at("1, column 2", "1, column 11", "1, column 25"),
    f" [ {A} ,\n{B}\n,\t{C} ] ": at("1, column 4", "2, column 1", "3, column 3"),
    f'{{"Records":[{A},{B}]}}': at("1, column 13", "1, column 22"),
    f'{{ "Records" : [ {A} , {B} ] }}\n': at("1, column 17", "1, column 28"),
    f'{{"meta":{C},"x":7,"Records":[{A},{B}],"y":[{C}]}}': at("1, column 44", "1, column 53"),
    f'{{"cts":{A}}}': at("1, column 8"),
    f'{{"Records":[{A}]}}{{"Records":[{B}]}}': at("1, column 13", "1, column 35"),
    f'{{"Records":[{A}]}}\n{{"cts":{B}}}': at("1, column 13", "2, column 8"),
    f"{A}\n{B}\n{C}": at("1, column 1", "2, column 1", "3, column 1"),
    f"{A}\r\n\n \n{B}\r\n": at("1, column 1", "4, column 1"),
    f"{A}{B} {C}": at("1, column 1", "1, column 9", "1, column 23"),
    f"{A}\n\t\n": at("1, column 1"),
    f"[{A}]\n[{B}]": at("1, column 2", "2, column 2"),
    "[]": [],
    '{"Records":[]}': [],
    '{"Records": [] }{"Records":[ ]}\n': [],
    # An envelope that is not the first key is read as one value, at one place.
    f'{{"z":0,"Records":[{A},{B}]}}': at("1, column 1", "1, column 1"),
    f'{{"z":0,"cts":{A}}}': at("1, column 1"),
    '{"z":0,"Records":7}': [("line 1, column 1", {"z": 0, "Records": 7})],
    # An object whose value has a line of its own is not a file of lines.
    f'{{"a":\n{A}\n}}': [("line 1, column 1", {"a": {"a": 1}})],
    # Values of other types than an object are the reader's to refuse.
    "[1,22,-3.5e1]": [
        ("line 1, column 2", 1),
        ("line 1, column 4", 22),
        ("line 1, column 7", -35.0),
    ],
    '[null,"x\\u00e9",true]': [
        ("line 1, column 2", None),
        ("line 1, column 7", "xé"),
        ("line 1, column 17", True),
    ],
    "12345": [("line 1, column 1", 12345)],
    # Breaks.
    "": [("", "the file is empty")],
    " \n ": [("", "the file is empty")],
    f"[{A},{B}": [*at("1, column 2", "1, column 11"), ("line 1, column 24", "expecting ']'")],
    f"[{A} {B}]": [
        *at("1, column 2"),
        ("line 1, column 11", "expecting ']'"),
        ("line 1, column 11", VALUES[1]),
    ],
    f"[{A},": [*at("1, column 2"), ("line 1, column 11", "Expecting value")],
    f"[{A}}}": [*at("1, column 2"), ("line 1, column 10", "expecting ']'")],
    f'{{"Records" {A}}}': [("line 1, column 12", "Expecting ':' delimiter")],
    f'{{"Records":[{A}] {A}}}': [*at("1, column 13"), ("line 1, column 23", "expecting ','")],
    f'{{"Records":[{A}],7}}': [*at("1, column 13"), ("line 1, column 23", "expecting ':'")],
    # A record that is cut is reported at the place in it from which it cannot be read.
    f'[{A},\n{B},\n{{"a": ': [
        *at("1, column 2", "2, column 1"),
        ("line 3, column 7", "Expecting value"),
    ],
    f'{{"Records":[{A},{{"a"': [
        *at("1, column 13"),
        ("line 1, column 26", "Expecting ':' delimiter"),
    ],
    f"[{A},\n{{bad}},{B}]": [
        *at("1, column 2"),
        ("line 2, column 2", "Expecting property name enclosed in double quotes"),
        ("line 2, column 7", VALUES[1]),
    ],
    f"{A}\n{{bad\n{B}": [
        *at("1, column 1"),
        ("line 2, column 2", "Expecting property name enclosed in double quotes"),
        ("line 3, column 1", VALUES[1]),
    ],
    f'{{"a" 1, "more": 2}}\n{A}\n': [
        ("line 1, column 6", "Expecting ':' delimiter"),
        ("line 2, column 1", VALUES[0]),
    ],
    # Neither of the first two lines is a value: it is one object over several lines.
    f'{{"a": nil, "a longer key":\n1}}\n{A}': [
        ("line 1, column 7", "Expecting value"),
        ("line 3, column 1", VALUES[0]),
    ],
    f"{A}\n\n{{": [
        *at("1, column 1"),
        ("line 3, column 2", "Expecting property name enclosed in double quotes"),
    ],
}


@pytest.mark.parametrize("expects_no_fact", [True, False])
@pytest.mark.parametrize("text", TEXTS)
def test_the_values_of_a_text_are_the_same_however_it_is_cut(
    text: str,
    expects_no_fact: bool,
) -> None:
    for size in range(1, len(text) + 2):
        assert found(text, size, expects_no_fact=expects_no_fact) == TEXTS[text], f"size {size}"


def test_a_first_line_that_is_nested_too_deeply_leaves_the_other_lines() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert found(f'{{"a":{deep}}}\n{A}\n{B}\n') == [
        ("line 1, column 1", "nested too deeply"),
        *at("2, column 1", "3, column 1"),
    ]


@pytest.mark.parametrize("text", [text for text in TEXTS if not text.startswith('{"a"')])
def test_an_envelope_is_recognised_behind_what_is_read_at_first(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "_LINES_CHARS_MAX", 1)
    for size in range(1, len(text) + 2):
        assert found(text, size) == TEXTS[text], f"size {size}"


@pytest.mark.parametrize("size", [1, 4, 99])
def test_a_line_in_which_the_file_ends_early_is_one_break(size: int) -> None:
    def pieces() -> Iterator[str]:
        text = f'{A}\n{{"b'
        yield from (text[start : start + size] for start in range(0, len(text), size))
        raise Broken("byte 99", "the gzip data ends early")

    values = list(_found(Values(pieces(), ()), expects_no_fact=False))
    assert values == [*at("1, column 1"), ("byte 99", "the gzip data ends early")]


FRAGMENTS = (
    '{"a":1}', '{"a":1},{"a":2}', '{"Records":[', '{"meta":{},"Records":[', "[", "]", "{]", "}",
    ",", "\n", "\r\n", " ", '{"a":', '"x"', '{"a":"\\u00e', "7", "-3.", "e+1", "null", "é",
)  # fmt: skip


def test_a_text_of_any_fragments_is_the_same_however_it_is_cut() -> None:
    for seed in range(1_500):
        chance = random.Random(seed)
        text = "".join(chance.choices(FRAGMENTS, k=chance.randrange(1, 14)))
        whole = found(text)
        for size in (1, 2, 3, 5):
            assert found(text, size) == whole, f"seed {seed}, size {size}: {text!r}"
        assert found(text, expects_no_fact=False) == whole, f"seed {seed}: {text!r}"


# -- records that are read twice -----------------------------------------------------------------

ALIKE = [{"eventVersion": number, "size": 2**70 + number} for number in range(3)]


def alike() -> Values:
    return Values(iter([json.dumps(ALIKE, separators=(",", ":"))]), ("Records",))


def test_a_record_that_may_have_a_fact_is_exact() -> None:
    values = alike()
    exact = []
    for value in values:
        values.expects_no_fact = True
        exact.append(values.exactly(value))
    assert exact == ALIKE


@pytest.mark.parametrize("error", [RecursionError("deep"), ValueError("long")])
def test_a_value_that_only_the_first_reader_accepts_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Refusing:
        def raw_decode(self, text: str, start: int) -> Any:
            raise error

    values = alike()
    value = next(iter(values))
    monkeypatch.setattr(json_window, "DECODER", Refusing())
    with pytest.raises(Unreadable, match=str(error)):
        values.exactly(value)


@pytest.mark.parametrize("odd", [float("nan"), "half \ud800"])
def test_a_value_that_only_the_second_reader_accepts_is_read(odd: object) -> None:
    records = [{"eventVersion": number, "odd": odd} for number in range(3)]
    text = json.dumps(records, separators=(",", ":"))
    assert [str(value) for _, value in found(text)] == [str(each) for each in records]


@pytest.mark.parametrize(
    ("value", "message"),
    [("9" * 5_000, "5000 digits"), ("[" * 100_000, "nested too deeply")],
    ids=["long", "deep"],
)
@pytest.mark.parametrize("size", [999, 1 << 18])
def test_a_value_that_no_reader_accepts_breaks_the_text_at_its_beginning(
    value: str, message: str, size: int
) -> None:
    (_, (place, broken)) = found(f"[1,\n {value}]", size)
    assert place == "line 2, column 2"
    assert message in str(broken)


def test_without_envelopes_every_object_is_a_record() -> None:
    assert list(Values(iter(['{"":[1]}']), ())) == [{"": [1]}]


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 99, 100, 101])
def test_the_longest_value_is_taken_and_a_longer_one_breaks_the_text(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(json_window, "VALUE_CHARS_MAX", 100)
    monkeypatch.setattr(json_stream, "_LINES_CHARS_MAX", 2)
    longest = json.dumps("x" * 98)
    assert found(f"[1,{longest},2]", size)[1:] == [
        ("line 1, column 4", json.loads(longest)),
        ("line 1, column 105", 2),
    ]
    longer = "[1,\n" + json.dumps("x" * 1_000) + ",2]"
    assert found(longer, size)[1:] == [
        ("line 2, column 1", "a value is longer than 100 characters")
    ]


def test_the_first_two_lines_are_searched_for_within_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise one long line would be read whole before its first record."""
    monkeypatch.setattr(json_stream, "_LINES_CHARS_MAX", 50)
    read: list[int] = []

    def pieces() -> Iterator[str]:
        for number, piece in enumerate(["[", *[f"{A}," for _ in range(99)], f"{A}]"]):
            read.append(number)
            yield piece

    next(iter(Values(pieces(), ())))
    assert len(read) < 20


def test_text_behind_a_value_is_kept_and_text_before_it_is_dropped() -> None:
    values = Values(iter([f"[{A},\n", f"{B},\n", f"{C}]"]), ())
    assert [(values.place, value) for value in values] == at(
        "1, column 2", "2, column 1", "3, column 1"
    )
