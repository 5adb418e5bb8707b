"""Behind a broken record the reader goes on at the array's next one, and says what it skipped."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from ledger.sources import json_window
from ledger.sources.files import Broken
from ledger.sources.json_stream import Values

ONE, TWO, THREE = (json.dumps({"id": number, "of": [{"id": "x"}]}) for number in (1, 2, 3))
SIZES = (1, 2, 7, 64, 1 << 18)


def is_record(value: Any) -> bool:
    return isinstance(value, dict) and "of" in value


def read(text: str, size: int = 1 << 18) -> tuple[list[Any], list[Broken]]:
    """The values of a text that is cut into pieces, and its breaks."""
    pieces = iter([text[start : start + size] for start in range(0, len(text), size)])
    found = list(Values(pieces, ("Records",), is_record=is_record))
    breaks = [each for each in found if isinstance(each, Broken)]
    return [each.get("id") for each in found if isinstance(each, dict)], breaks


BROKEN = {
    "a value is missing": '{"id": , "of": [{"id": "x"}, {"id": "y"}]}',
    "a bracket is missing": '{"id": 2, "of": [{"id": "x"}, {"id": "y"}}',
    "a brace is missing": '{"id": 2, "of": [{"id": "x"}]',
    "all brackets are missing": '{"id": 2, "of": [{"id": "x"',
    "a brace is too many": '{"id": 9, "of": {"id": 1}}}',
    "a closing quote is missing": '{"id": 2, "name": "odd, "of": [{"k": "x"}, {"k": "y"}]}',
    "an opening quote is missing": '{"id": 2, name": "odd", "of": [{"k": "x"}, {"k": "y"}]}',
    "it is cut within a text": '{"id": 2, "name": "od',
    "it is cut behind a key": '{"id": 2, "name":',
    "a text has a line's end": '{"id": 2, "name": "a\nb", "of": [{"k": "x"}, {"k": "y"}]}',
    "an escape is not known": r'{"id": 2, "name": "a\qb", "of": [{"k": "x"}, {"k": "y"}]}',
    "a text has an escaped record": r'{"id": , "name": "x},{\"id\":9},{\"id\":8}"}',
    "a text has brackets": '{"id": , "name": "]}]}[[{{"}',
    "it is a word": "nonsense",
    "it is empty": "",
    "it is a brace": "{",
    "a key has no quotes": "{id: 2}",
}


@pytest.mark.parametrize("separator", [",", " ,\n "])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_records_around_a_broken_one_are_read_and_nothing_within_it_is(
    broken: str, separator: str
) -> None:
    text = f'{{"Records":[{separator.join((ONE, broken, TWO, THREE))}]}}'
    for size in SIZES:
        ids, breaks = read(text, size)
        assert len(breaks) == 1
        if broken in ("nonsense", "", "{"):
            assert ids[0] == 1
        else:
            assert [each for each in ids if each != 9] == [1, 2, 3]
        assert breaks[0].skipped is not None
        begins, skipped = text.index(broken, len(ONE)), breaks[0].skipped
        if broken and 9 not in ids and not breaks[0].to_end:
            assert text[begins + skipped :].startswith(TWO)


def test_the_skipped_text_is_counted_in_bytes() -> None:
    (_, (broken,)) = read(f'[{ONE},{{"é": "名" x}},{TWO}]')
    assert broken.begins == f"line 1, column {len(ONE) + 3}"
    assert broken.skipped == len('{"é": "名" x},'.encode())
    assert broken.in_full().endswith(
        f"; {broken.skipped} bytes are not read: from {broken.begins} on"
    )


def test_two_broken_records_are_two_breaks() -> None:
    ids, breaks = read(f'[{ONE},{{"id":}},{{"id" 2}},{THREE}]')
    assert ids == [1, 3]
    begins = [len(f"[{ONE},") + 1, len(f'[{ONE},{{"id":}},') + 1]
    assert [each.begins for each in breaks] == [f"line 1, column {each}" for each in begins]


def test_a_missing_comma_skips_nothing() -> None:
    ids, (broken,) = read(f"[{ONE} {TWO},{THREE}]")
    assert ids == [1, 2, 3]
    assert (broken.skipped, broken.to_end) == (0, False)


def test_a_comma_too_many_skips_nothing_but_itself() -> None:
    ids, (broken,) = read(f"[{ONE},,{TWO},]")[0], read(f"[{ONE},,{TWO}]")[1]
    assert ids == [1, 2]
    assert broken.skipped == 1


def test_without_a_next_record_the_rest_is_not_read_and_its_bytes_are_counted() -> None:
    rest = '{"id": "x, "of": [}' + " " * 100_000
    for size in (7, 1 << 18):
        ids, (broken,) = read(f"[{ONE},{rest}", size)
        assert ids == [1]
        assert (broken.skipped, broken.to_end) == (len(rest), True)


def test_a_break_outside_of_arrays_says_what_is_not_read() -> None:
    ids, (broken,) = read(f'{{"Records":[{ONE}],"x" {THREE}}}' + "é" * 10)
    assert ids == [1]
    assert broken.to_end
    assert broken.skipped == len(f"{THREE}}}") + 20


@pytest.mark.parametrize("seed", range(40))
def test_damage_of_one_record_loses_no_other_one(seed: int) -> None:
    """A character is deleted, doubled or replaced, anywhere in the middle record."""
    chance = random.Random(seed)
    names = ['a "quoted" word', "{[", "]}", r"\ ", "é,名", '},{"id":7}']
    records = [
        {"id": n, "name": chance.choice(names), "of": [{"k": n}, {"k": []}]} for n in range(9)
    ]
    whole = [json.dumps(each) for each in records]
    at = chance.randrange(len(whole[4]))
    odd = chance.choice(["", whole[4][at] * 2, chance.choice('"{}[],:x\\\n')])
    whole[4] = whole[4][:at] + odd + whole[4][at + 1 :]
    for size in (3, 1 << 18):
        ids, breaks = read(f"[{','.join(whole)}]", size)
        others = [each for each in ids if each not in (None, 4, 44)]
        assert others == [0, 1, 2, 3, 5, 6, 7, 8], whole[4]
        assert len(breaks) <= 1


@pytest.mark.parametrize("size", [7, 64, 999, 1 << 18])
def test_a_long_broken_record_is_skipped_piece_by_piece_and_nothing_within_it_is_read(
    size: int,
) -> None:
    within = ", ".join(f'{{"id": "{"x" * (number % 50)}"}}' for number in range(300))
    broken = f'{{"id": , "of": [{within}], "name": "é"}}'
    ids, (skipped,) = read(f"[{ONE},{broken},{TWO}]", size)
    assert ids == [1, 2]
    assert skipped.skipped == len(f"{broken},".encode())


CLOSED = {
    "a bracket stands before a record that begins differently": "]{}",
    "a bracket stands before a value": ']"x"',
    "a bracket and a brace stand before a record": ']}{"other": 1}',
    "a list is not opened": '{"of": ,{"id": 9}]}',
    "a list and what is around it are not opened": '{"of": ,{"id": 9}]}]}',
}


@pytest.mark.parametrize("end", ["]", "]}", "]}\n"])
@pytest.mark.parametrize("closing", CLOSED.values(), ids=CLOSED)
def test_a_bracket_of_a_broken_record_ends_the_array_for_no_other_record(
    closing: str, end: str
) -> None:
    start = '{"Records":[' if "}" in end else "["
    for size in SIZES:
        for records in ((ONE, closing, TWO, THREE), (ONE, TWO, closing, THREE)):
            ids, breaks = read(f"{start}{', '.join(records)}{end}", size)
            assert [each for each in ids if each not in (None, 9)] == [1, 2, 3]
            assert 1 <= len(breaks) <= 2
            assert not breaks[-1].to_end


def test_documents_with_commas_between_them_are_read() -> None:
    for size in SIZES:
        ids, breaks = read(f"[{ONE}],{TWO},{THREE}", size)
        assert ids == [1, 2, 3]
        assert [each.skipped for each in breaks] == [1, 0]


@pytest.mark.parametrize("next_one", [f"[{THREE}]", f'{{"Records":[{THREE}]}}', THREE])
@pytest.mark.parametrize("broken", ["]{}", '{"id": 9, "of": ['])
def test_behind_an_array_whose_depth_is_lost_the_next_document_is_read(
    broken: str, next_one: str
) -> None:
    for size in SIZES:
        for start, end in (("[", "]"), ('{"Records":[', "]}")):
            ids, _ = read(f"{start}{ONE}, {broken}, {TWO}{end}\n{next_one}\n", size)
            assert [each for each in ids if each not in (None, 9)] == [1, 2, 3]


FIRST = {
    "an array that is closed at once": "]{}",
    "an array that is closed at once, and a brace less": ']"id": 9}',
    "a key without a value": '{"other"',
    "a bracket before the first key": '{]"other": 1}',
    "a quote": '"',
    "a quote before a brace": '"{}',
}


@pytest.mark.parametrize("broken", FIRST.values(), ids=FIRST)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_the_records_behind_one_that_breaks_at_its_beginning_are_read(
    broken: str, place: int
) -> None:
    """The first record's keys are not known yet: the others are known by what they are."""
    records = [ONE, TWO, THREE]
    records.insert(place, broken)
    for size in SIZES:
        for start, end in (("[", "]"), ('{"Records":[', "]}")):
            ids, breaks = read(f"{start}{', '.join(records)}{end}", size)
            assert [each for each in ids if each not in (None, 9)] == [1, 2, 3]
            assert breaks


@pytest.mark.parametrize("end", ['"x""]}', '"x""}', '"x"]}', '"x"}]}]}', '"x"}"'])
def test_a_quote_or_a_bracket_too_many_at_a_records_end_loses_no_other_record(end: str) -> None:
    for size in SIZES:
        for start, close in (("[", "]"), ('{"Records":[', "]}")):
            ids, breaks = read(f'{start}{ONE},{{"id": 9, "name": {end},{TWO},{THREE}{close}', size)
            assert [each for each in ids if each not in (None, 9)] == [1, 2, 3]
            assert breaks


def test_an_object_that_is_not_a_record_is_not_taken_for_one_behind_a_broken_key() -> None:
    ids, (broken,) = read('[{"k" 1, "within": [0, {"id": 7}, {"id": 8}]}, ' + f"{ONE}]")
    assert ids == [1]
    assert broken.skipped == len('{"k" 1, "within": [0, {"id": 7}, {"id": 8}]},') + 1


def test_a_list_that_seems_to_hold_the_rest_of_a_long_text_hides_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_window, "VALUE_CHARS_MAX", 1 << 19)
    many = ",".join([TWO] * 40_000)
    ids, breaks = read(f'[{ONE},{{"k" 1, "of": [0,{{"other": [0, {many}]', 1 << 16)
    assert len(ids) == 40_001
    assert not breaks[0].to_end


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize(
    "broken", ['{"other"', '{"other', "]{}", '"other": 1}', '{"other": 1}}', '{"of": 1}]}', "[]}"]
)
def test_the_lines_behind_a_first_one_that_is_broken_are_read(broken: str, separator: str) -> None:
    for size in SIZES:
        ids, breaks = read(separator.join((broken, ONE, TWO, THREE)), size)
        assert [each for each in ids if each is not None] == [1, 2, 3]
        assert len(breaks) == 1
