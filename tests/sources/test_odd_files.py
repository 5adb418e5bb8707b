"""Odd trace files: an import goes on, places are exact, and no file costs more than its size."""

from __future__ import annotations

import gzip
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from ledger.sources import files
from ledger.sources.report import PLACES_MAX
from tests.sources.reading import read
from tests.sources.test_reading import ONE, THREE, TWO, ids, record

LINEAR_S = 5.0
"""A limit for work that takes well under a second; when its cost was quadratic, it took 20 s."""

ASSUMED: dict[str, Any] = {
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRole",
    "requestParameters": {"roleArn": "arn:aws:iam::444455556666:role/worker"},
}


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"])
def test_an_expiry_outside_the_calendar_is_unknown_and_the_import_continues(
    tmp_path: Path, until: str
) -> None:
    answer = {"credentials": {"expiration": until}}
    odd = json.dumps(record(2, **ASSUMED, responseElements=answer))
    path = tmp_path / "a.json"
    path.write_text(f"[{ONE},{odd},{THREE}]")
    found, report = read("cloudtrail", path)
    assert [item.source.trace_id for item in found] == ["e-1", "e-2", "e-3"]
    assert getattr(found[1].events[0], "expires_at", "absent") is None
    assert report.complete


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00"]
)
def test_a_record_at_the_edge_of_the_calendar_is_reported_and_the_import_continues(
    tmp_path: Path, at: str
) -> None:
    lasting = ASSUMED["requestParameters"] | {"durationSeconds": 3_600}
    odd = record(2, **ASSUMED, eventTime=at) | {"requestParameters": lasting}
    path = tmp_path / "a.json"
    path.write_text(f"[{ONE},{json.dumps(odd)},{THREE}]")
    found, report = ids(path)
    assert (found, report.malformed_records) == (["e-1", "e-3"], 1)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_utf_16_file_that_ends_within_a_character_is_read_up_to_its_end(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "cut.json"
    path.write_bytes(f"\ufeff[{ONE},{TWO},{THREE}".encode(encoding)[:-1])
    (tmp_path / "whole.json").write_text(f"[{THREE}]")
    found, report = ids(tmp_path)
    assert found == ["e-1", "e-2", "e-3"]
    [place] = report.places
    assert str(place) == "cut.json: at its end: the UTF-16 text ends within a character"


def test_half_a_character_in_utf_16_makes_only_its_own_record_malformed(
    tmp_path: Path,
) -> None:
    odd = json.dumps(record(2, requestParameters={"roleName": "wor#er", "policyArn": "p"}))
    text = f"\ufeff[{ONE},\n{odd.replace('#', chr(0xD800))},\n{THREE}]"
    (tmp_path / "a.json").write_bytes(text.encode("utf-16-le", "surrogatepass"))
    found, report = ids(tmp_path)
    assert found == ["e-1", "e-3"]
    assert report.places[0].place == "line 2, column 1"


def test_a_gzip_whose_first_member_is_short_is_read_as_any_other(tmp_path: Path) -> None:
    """The kind of text is recognised by its beginning, however short the first member is."""
    lines = f"{ONE}\n{{]\n{THREE}\n"
    for number, encoding in enumerate(["utf-8", "utf-16-le"]):
        content = f"\ufeff{lines}".encode(encoding)
        path = tmp_path / f"{number}.json.gz"
        for first in (1, 2, 3, 20):
            path.write_bytes(gzip.compress(content[:first]) + gzip.compress(content[first:]))
            found, report = ids(path)
            assert (found, report.breaks) == (["e-1", "e-3"], 1), f"{encoding}, {first}"


def test_the_place_of_a_bad_line_is_its_line_and_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the lines fall into the pieces that are read at a time."""
    path = tmp_path / "lines.jsonl"
    for seed in range(40):
        chance = random.Random(seed)
        monkeypatch.setattr(files, "PIECE_BYTES", chance.choice([512, 600, 1 << 18]))
        lines, places = [ONE], []
        for number in range(2, 30):
            lines.append(chance.choice([TWO, '{"a":1,}', "{", "  {]", "", "7", "é [1,"]))
            if (column := _column_of_the_fault(lines[-1])) is not None:
                places.append(f"line {number}, column {column}")
        path.write_text("\n".join([*lines, THREE]))
        assert [place.place for place in ids(path)[1].places] == places, f"seed {seed}"


def _column_of_the_fault(line: str) -> int | None:
    try:
        value = json.loads(line) if line else {}
    except json.JSONDecodeError as error:
        return error.colno
    return None if isinstance(value, dict) else 1


def test_the_time_for_bad_lines_grows_with_their_number_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text(ONE + "\n{" * 200_000)
    begun = time.perf_counter()
    found, report = ids(path)
    assert time.perf_counter() - begun < LINEAR_S
    assert (found, report.breaks) == (["e-1"], 200_000)
    assert (len(report.places), report.unlisted) == (PLACES_MAX, 200_000 - PLACES_MAX)
    assert report.places[-1].place == f"line {PLACES_MAX + 1}, column 2"


def test_the_time_for_records_that_are_not_valid_grows_with_their_number_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "array.json"
    path.write_text(f"[{ONE}{',7' * 200_000}]")
    begun = time.perf_counter()
    _, report = read("cloudtrail", path)
    assert time.perf_counter() - begun < LINEAR_S
    assert report.malformed_records == 200_000
    assert report.places[0].place == f"line 1, column {len(ONE) + 3}"


def test_the_time_for_a_long_text_grows_with_its_length_alone(tmp_path: Path) -> None:
    """Each beginning of an ARN in it was followed to the end of the text."""
    arns = "arn:aws:iam::123456789012:role/" * 13_000 + "!"
    path = tmp_path / "long.json"
    request = {"roleArn": arns}
    odd = record(2, **ASSUMED) | {"requestParameters": request, "userIdentity": {"userName": arns}}
    refused = odd | {"errorCode": "AccessDenied", "errorMessage": arns, "requestParameters": {}}
    path.write_text(f"[{ONE},{json.dumps(odd)},{json.dumps(refused)},{THREE}]")
    begun = time.perf_counter()
    found, report = ids(path)
    assert time.perf_counter() - begun < LINEAR_S
    assert (found, report.malformed_records) == (["e-1", "e-3"], 2)  # Such an actor is too long.


def test_a_record_that_is_nested_too_deeply_is_reported_and_the_import_continues(
    tmp_path: Path,
) -> None:
    """Of two readers of one record, the second may give up a few levels before the first."""
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(_nested(depth) for depth in range(800, 1_000)))
    found, report = read("cts", path)
    assert len(found) + report.malformed_records + report.breaks == 200
    assert {place.message.split(";")[0] for place in report.places} <= {"nested too deeply"}


def _nested(depth: int) -> str:
    """A trace without an id, so that its whole content is written again to make one."""
    said = {"trace_name": "createAgency", "service_type": "IAM", "trace_rating": "normal"}
    fields = {"time": 1772357400000, "domain_id": "a1", "request": {"agency_name": "mesh"}}
    return f'{json.dumps(said | fields)[:-1]}, "x": {"[" * depth}{"]" * depth}}}'


CUT = '{"eventVersion": "1.08", "eventSource": "s", "eventName": "n", "userIdentity": '


@pytest.mark.parametrize(
    "text",
    [
        f"[{CUT}[,{ONE},{TWO},{THREE}]",
        f"[{ONE},{CUT}[null,{TWO},{THREE}]",
        f"[{ONE},{CUT}[{{}}, {TWO},\n{THREE}]",
        f"[{ONE},{CUT}[[],{TWO},{THREE}]",
        f"[{ONE},{TWO},{CUT}[[],{THREE}]}}",
        f'{{"Records":[{ONE},{CUT}[[],{TWO}, {THREE}]}}',
        f'{{"Records":[{ONE},{CUT}[1, {TWO},{THREE}]}}',
        f'{{"Records":[{ONE},]{TWO},{THREE}]}}',
        f'{{"other":1,"Records":[{ONE},{{"eventVersion": }},{TWO},{THREE}]}}',
        f'{{"events":1,"Records":[{ONE},{{"eventVersion": }},{TWO},{THREE}]}}',
        f'{{"a":1,"Records":[{{"x":"\n{{"a":1,"Records":[{ONE},{TWO}]}}\n{{"a":1,"Records":[{THREE}]}}',
        f'{{"Records":[{ONE}],"Events":[{TWO},{THREE}]}}',
        f'{{"Events":7,"Records":[{ONE},{TWO}],"records":[{THREE}]}}',
    ],
)
def test_no_neighbour_is_lost_to_a_list_that_is_cut_or_a_bracket_too_many(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    found, report = ids(path)
    assert found == ["e-1", "e-2", "e-3"]
    assert report.records + report.breaks >= 3


def test_a_notification_that_is_cut_in_its_first_key_loses_no_other_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    each = [json.dumps({"Type": "Notification", "Message": text}) for text in (ONE, TWO, THREE)]
    path.write_text(f'{{"Records":[{{"Type, {", ".join(each)}]}}')
    assert ids(path)[0] == ["e-1", "e-2", "e-3"]


def test_objects_in_a_list_of_a_broken_record_are_not_records(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    within = '[{"eventVersion": "1"}, {"eventVersion": "2"}, {"eventVersion": "3"}]'
    path.write_text(f'[{ONE},{{"eventVersion": , "of": {within}}},{TWO},{THREE}]')
    found, report = ids(path)
    assert found == ["e-1", "e-2", "e-3"]
    assert (report.records, report.breaks) == (3, 1)
