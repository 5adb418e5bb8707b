"""The limits of a fact, from whichever source; and how a record that has none is counted."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter, ValidationError

import ledger.events  # noqa: F401  Its import makes all topics known.
from ledger.account.authorization import AuthorizationGranted
from ledger.clock import AHEAD_MAX
from ledger.messages import topics
from ledger.sources import SOURCES, ImportReport, read_traces
from ledger.sources.reader import TEXT_CHARS_MAX
from ledger.subjects import SubjectRegistered
from ledger.values import instant_text
from tests.sources.cloudtrail.making import Record, assume_role, call, record, refused
from tests.sources.reading import NOW, read

FILES = ("a.json", "b.json")


def one(folder: Path, said: object) -> ImportReport:
    """The report on a file that has one record."""
    (folder / "a.json").write_text(f"[{json.dumps(said)}]")
    return read("cloudtrail", folder)[1]


@pytest.mark.parametrize(
    ("later_us", "is_read"), [(-1, True), (0, True), (1, False)], ids=["before", "at", "after"]
)
def test_a_traces_time_may_be_a_day_later_than_now(
    tmp_path: Path, later_us: int, is_read: bool
) -> None:
    assert timedelta(minutes=5) == AHEAD_MAX
    at = instant_text(NOW + AHEAD_MAX + timedelta(microseconds=later_us))
    report = one(tmp_path, call("DeleteRole", roleName="worker") | {"eventTime": at})
    assert report.complete is is_read
    if not is_read:
        assert report.places[0].message == f"the trace's time is in the future: {at}"


LONGEST = "x" * TEXT_CHARS_MAX


@pytest.mark.parametrize("length", [TEXT_CHARS_MAX, TEXT_CHARS_MAX + 1])
@pytest.mark.parametrize("field", ["eventID", "requestID", "arn"])
def test_the_longest_text_is_taken_and_one_character_more_is_not(
    tmp_path: Path, field: str, length: int
) -> None:
    said = call("DeleteRole", roleName="worker")
    (said["userIdentity"] if field == "arn" else said)[field] = "x" * length
    report = one(tmp_path, said)
    assert report.complete is (length == TEXT_CHARS_MAX)
    if not report.complete:
        assert report.places[0].message == (
            f"'{'x' * 59}…' is not valid: a text of a fact is printable, and has at most "
            "2048 characters"
        )


def test_several_long_texts_are_taken(tmp_path: Path) -> None:
    said = call("DeleteRole", roleName="worker") | {"eventID": LONGEST, "requestID": LONGEST}
    assert one(tmp_path, said).complete


@pytest.mark.parametrize("odd", ["a\x1bb", "a\nb", "a\u2028b", "a\ud800b"])
@pytest.mark.parametrize("field", ["eventID", "requestID", "arn"])
def test_a_text_that_cannot_be_printed_on_one_line_is_malformed(
    tmp_path: Path, field: str, odd: str
) -> None:
    said = call("DeleteRole", roleName="worker")
    (said["userIdentity"] if field == "arn" else said)[field] = odd
    (message,) = (place.message for place in one(tmp_path, said).places)
    assert "is not valid: a text of a fact is printable" in message


@pytest.mark.parametrize("odd", ["a\u200bb", "a\xa0b", "a\ufeffb"])
def test_a_text_with_an_invisible_character_on_one_line_is_taken(tmp_path: Path, odd: str) -> None:
    said = call("DeleteRole", roleName="worker") | {"requestID": odd}
    assert one(tmp_path, said).complete


EVENTS = [event for event in topics().values() if event is not SubjectRegistered]


@pytest.mark.parametrize("odd", ["a\x1bb", "a\nb", "a\x85b", "a\u2028b", "a\ud800b", f"x{LONGEST}"])
def test_no_event_has_a_text_that_a_trace_could_misuse(odd: str) -> None:
    for event in EVENTS:
        for name, word in get_type_hints(event, include_extras=True).items():
            for value in (odd, (odd,)) if name in event.model_fields else ():
                with pytest.raises(ValidationError):
                    TypeAdapter(word).validate_python(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([], "an array"),
        ("text", "a text"),
        (1, "a number"),
        (1.5, "a number"),
        (True, "true or false"),
        (None, "null"),
    ],
)
def test_a_record_that_is_not_an_object_is_called_by_its_type(
    tmp_path: Path, value: object, kind: str
) -> None:
    report = one(tmp_path, value)
    assert report.places[0].message == f"a record is a JSON object, not {kind}"
    assert report.malformed_records == report.records == 1


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (call("DeleteRole", roleName="r" * 129), "agency: String should have at most 128"),
        (
            call("DeleteRole", roleName="w") | {"recipientAccountId": "a:b"},
            "account: String should",
        ),
        (
            call("DeleteRole", roleName="w") | {"eventTime": "now"},
            "eventTime: 'now' is not written in",
        ),
    ],
)
def test_a_value_that_no_fact_can_have_is_called_by_its_field(
    tmp_path: Path, said: Record, message: str
) -> None:
    assert one(tmp_path, said).places[0].message.startswith(message)


def test_a_value_in_a_list_is_called_by_its_field_and_its_index(tmp_path: Path) -> None:
    def parse(record: Mapping[str, Any]) -> str:
        services = ("obs", "\x1b")
        return str(AuthorizationGranted(service="a", region="b", services=services, agencies=()))

    assert message_of(parse, tmp_path).startswith("services.1: ")


def test_a_record_that_a_translator_finds_nested_too_deeply_is_malformed(tmp_path: Path) -> None:
    def parse(record: Mapping[str, Any]) -> str:
        return parse(record)

    assert message_of(parse, tmp_path) == "nested too deeply"


def message_of(parse: Callable[[Mapping[str, Any]], str], folder: Path) -> str:
    """The message on a record whose translation fails."""
    source, report = dataclasses.replace(SOURCES["cloudtrail"], parse=parse), ImportReport()
    (folder / "a.json").write_text(json.dumps(call("DeleteRole", roleName="worker")))
    assert list(read_traces(source, [folder], report, now=NOW)) == []
    assert report.malformed_records == report.records == 1
    return report.places[0].message


def test_a_record_is_counted_once_under_its_name_and_its_reason(tmp_path: Path) -> None:
    records: list[Any] = [
        call("DeleteRole", roleName="worker"),
        refused("DeleteRole", "No.", roleName="worker"),
        assume_role("worker"),
        assume_role("worker", readOnly=True),
        record("GetRole", readOnly=True),
        record("DeleteUser"),
        record("RunInstances", "ec2"),
        7,
    ]
    (tmp_path / "a.json").write_text(json.dumps(records))
    found, report = read("cloudtrail", tmp_path)
    assert len(found) == 4
    assert report.understood == {"iam:DeleteRole": 2, "sts:AssumeRole": 1, "iam:DeleteUser": 1}
    assert report.read_only == {"iam:GetRole": 1}
    assert report.not_understood == {"sts:AssumeRole (role not named)": 1, "ec2:RunInstances": 1}
    assert (report.records, report.malformed_records) == (8, 1)


def test_the_files_name_is_kept_with_each_fact_and_each_fault(tmp_path: Path) -> None:
    name = "odd\x1bname.json"
    (tmp_path / name).write_text(json.dumps([call("DeleteRole", roleName="worker"), 7]))
    found, report = read("cloudtrail", tmp_path)
    assert found[0].source.file == report.places[0].file == r"odd\x1bname.json"


@pytest.mark.parametrize("first", ["x", "\x1b"])
def test_a_files_name_is_kept_up_to_255_characters(tmp_path: Path, first: str) -> None:
    name = first + "x" * 249 + ".json"
    (tmp_path / name).write_text(json.dumps(call("DeleteRole", roleName="worker")))
    kept = read("cloudtrail", tmp_path)[0][0].source.file
    assert kept == (name if first == "x" else r"\x1b" + "x" * 249 + ".…")
    assert len(kept) == 255


def test_a_missing_file_is_reported_with_the_systems_reason(
    tmp_path: Path,
) -> None:
    absent = tmp_path / "absent.json"
    _, report = read("cloudtrail", absent)
    (place,) = report.places
    assert (place.place, place.message) == ("", "No such file or directory")
    assert report.breaks == 1


def test_facts_are_yielded_while_the_files_are_read(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text(json.dumps(call("DeleteRole", roleName="worker")))
    report = ImportReport()
    source = SOURCES["cloudtrail"]
    reading = read_traces(source, [tmp_path / name for name in FILES], report, now=NOW)
    assert next(reading).source.file == "a.json"
    assert (report.files, report.records) == (1, 1)
    assert next(reading).source.file == "b.json"
