"""The report of an import: every record is counted once, and every place can be printed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.sources.files import Broken
from ledger.sources.report import (
    NAME_CHARS_MAX,
    NAMES_MAX,
    OTHER_NAMES,
    PLACES_MAX,
    ImportReport,
    Malformed,
    shown,
)


def test_an_empty_report_is_complete_and_has_counted_nothing() -> None:
    report = ImportReport()
    assert (report.complete, report.accounted(), report.unlisted) == (True, 0, 0)
    assert (report.files, report.records, report.breaks, report.malformed_records) == (0, 0, 0, 0)


def test_every_counter_of_records_is_accounted_for() -> None:
    report = ImportReport()
    report.count(report.understood, "iam:CreateRole")
    for _ in range(2):
        report.count(report.read_only, "iam:GetRole")
    for _ in range(4):
        report.count(report.not_understood, "iam:PassRole")
    for _ in range(8):
        report.malformed("a.json", "line 1", "bad")
    report.broke("a.json", Broken("line 2", "cut"))
    assert report.accounted() == 15  # A break is not a record.
    assert (report.understood, report.read_only, report.not_understood) == (
        {"iam:CreateRole": 1},
        {"iam:GetRole": 2},
        {"iam:PassRole": 4},
    )


@pytest.mark.parametrize("is_record", [True, False])
def test_a_fault_makes_a_report_incomplete_and_is_listed_with_its_place(*, is_record: bool) -> None:
    report = ImportReport()
    if is_record:
        report.malformed("a.json", "line 1", "bad\x1b")
    else:
        report.broke("a.json", Broken("line 1", "bad\x1b"))
    assert not report.complete
    assert report.places == [Malformed("a.json", "line 1", r"bad\x1b")]


def test_faults_beyond_the_listed_ones_are_counted() -> None:
    report = ImportReport()
    for number in range(PLACES_MAX):
        report.malformed("a.json", f"line {number}", "bad")
    assert (len(report.places), report.unlisted) == (PLACES_MAX, 0)
    report.broke("a.json", Broken("line 0", "cut"))
    assert (len(report.places), report.unlisted) == (PLACES_MAX, 1)
    assert report.places[-1].place == f"line {PLACES_MAX - 1}"


def test_names_beyond_the_limit_are_counted_together_and_known_ones_by_themselves() -> None:
    report = ImportReport()
    for number in range(NAMES_MAX):
        report.count(report.not_understood, f"s:{number}")
    assert OTHER_NAMES not in report.not_understood
    for name in ("s:0", "s:new", "s:newer", "s:\x1bnewest"):
        report.count(report.not_understood, name)
    assert report.not_understood["s:0"] == 2
    assert report.not_understood[OTHER_NAMES] == 3
    assert len(report.not_understood) == NAMES_MAX + 1


def test_a_known_name_is_known_also_if_it_is_printed_differently() -> None:
    report = ImportReport()
    report.count(report.understood, "s:\x1b")
    for number in range(NAMES_MAX):
        report.count(report.understood, f"s:{number}")
    report.count(report.understood, "s:\x1b")
    assert report.understood[r"s:\x1b"] == 2


@pytest.mark.parametrize(
    ("place", "expected"), [("line 3", "a.json: line 3: bad"), ("", "a.json: bad")]
)
def test_a_fault_is_printed_with_its_file_and_its_place(place: str, expected: str) -> None:
    assert str(Malformed("a.json", place, "bad")) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("plain é 名", "plain é 名"),
        ("a\x00b\x1fc\x7fd\x9fe", r"a\x00b\x1fc\x7fd\x9fe"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("half \ud800\udfff", r"half \ud800\udfff"),
        ("a\nb\t", r"a\nb\t"),
        ("x" * NAME_CHARS_MAX, "x" * NAME_CHARS_MAX),
        ("x" * (NAME_CHARS_MAX + 1), "x" * (NAME_CHARS_MAX - 1) + "…"),
        ("x" * 9_999, "x" * (NAME_CHARS_MAX - 1) + "…"),
        ("\n" * NAME_CHARS_MAX, r"\n" * (NAME_CHARS_MAX // 2 - 1) + "\\" + "…"),
    ],
)
def test_a_text_of_a_trace_is_shown_on_one_line_that_utf_8_can_have(
    said: str, expected: str
) -> None:
    assert shown(said) == expected
    assert len(shown(said)) <= NAME_CHARS_MAX
    shown(said).encode()


def test_a_message_is_shown_up_to_500_characters() -> None:
    report: Any = ImportReport()
    report.malformed("a.json", "line 1", "x" * 500)
    report.malformed("a.json", "line 1", "x" * 501)
    assert [len(each.message) for each in report.places] == [500, 500]
    assert [each.message[-1] for each in report.places] == ["x", "…"]


@pytest.mark.parametrize(
    ("skipped", "to_end", "message"),
    [
        (None, True, "cut"),
        (0, False, "cut"),
        (1, False, "cut; 1 byte is not read: from line 1, column 2 on"),
        (7, True, "cut; 7 bytes are not read: from line 1, column 2 on, to the end"),
    ],
)
def test_a_break_says_which_bytes_are_not_read(
    skipped: int | None, to_end: bool, message: str
) -> None:
    report = ImportReport()
    begins = "line 1, column 2"
    broken = Broken("line 1, column 9", "cut", begins=begins, skipped=skipped, to_end=to_end)
    report.broke("a.json", broken)
    assert report.places[0].message == message
    assert report.bytes_not_read == (skipped or 0)
    assert report.files_cut == to_end
