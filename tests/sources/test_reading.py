"""Files of every shape, whole and broken: what can be read is read, and the rest has a place."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.sources import SOURCES, ImportReport, files_of, read_traces, stored_bytes
from tests.sources.reading import NOW, ledger, present, read, types


def record(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventSource": "iam.amazonaws.com",
        "eventName": "AttachRolePolicy",
        "eventTime": "2026-02-01T10:00:00Z",
        "eventID": f"e-{number}",
        "awsRegion": "us-east-1",
        "recipientAccountId": "444455556666",
        "requestParameters": {
            "roleName": "worker",
            "policyArn": f"arn:aws:iam::aws:policy/{number}",
        },
    } | fields


ONE, TWO, THREE = (json.dumps(record(number)) for number in (1, 2, 3))

BAD_ID = {"roleName": "r", "roleId": "A\ud800"}
SIGN_IN = {"eventSource": "signin.amazonaws.com"}


def ids(path: Path) -> tuple[list[str], ImportReport]:
    found, report = read("cloudtrail", path)
    return [item.source.trace_id for item in found], report


@pytest.mark.parametrize(
    "content",
    [
        f'{{"Records":[{ONE},{TWO},{THREE}]}}',
        f'{{"Records" : [\n  {ONE} ,\n  {TWO},\n\n{THREE} ] }}\n',
        f"[{ONE},{TWO},{THREE}]",
        f"{ONE}\n{TWO}\n{THREE}\n",
        f"{ONE}\r\n\r\n{TWO}\r\n{THREE}",
        f"{ONE}{TWO} {THREE}",
        f'{{"Records":[{ONE}]}}\n{{"Records":[{TWO},{THREE}]}}\n',
        json.dumps({"other": 1, "Records": [record(n) for n in (1, 2, 3)]}),
        "\n".join(json.dumps(record(n), indent=2) for n in (1, 2, 3)),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_shape_of_file_is_read(
    tmp_path: Path, content: str, encoding: str, zipped: bool
) -> None:
    stored = content.encode(encoding)
    path = tmp_path / "trail"  # The content decides, not the name.
    path.write_bytes(gzip.compress(stored) if zipped else stored)
    found, report = ids(path)
    assert found == ["e-1", "e-2", "e-3"]
    assert report.complete


def test_a_file_may_hold_one_record_or_none(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(ONE)
    (tmp_path / "none.json").write_text("[]")
    (tmp_path / "no-records.json").write_text('{"Records":[]}')
    found, report = ids(tmp_path)
    assert found == ["e-1"]
    assert (report.files, report.complete) == (3, True)


@pytest.mark.parametrize("envelope", ["traces", "cts"])
def test_envelopes_of_cts_are_opened(tmp_path: Path, envelope: str) -> None:
    trace = {"trace_name": "x", "service_type": "ECS"}
    inner: Any = [trace, trace] if envelope == "traces" else trace
    (tmp_path / "a.json").write_text(json.dumps({envelope: inner}))
    _, report = read("cts", tmp_path)
    assert report.not_understood == {"ECS:x": len(inner) if envelope == "traces" else 1}


def test_a_fact_is_read_exactly_whatever_other_fields_its_record_has(tmp_path: Path) -> None:
    """A trace without an id is known by the SHA-256 of all that it says, numbers included."""
    trace = {
        "trace_name": "createAgency",
        "service_type": "IAM",
        "trace_rating": "normal",
        "time": "1769940000000",
        "user": {"domain": {"id": "0a1b2c3d4e5f"}},
        "request": {"agency": {"name": "asm_admin_trust"}},
        "size": 2**70 + 1,
    }
    content = json.dumps(trace, sort_keys=True, separators=(",", ":"))
    (tmp_path / "a.json").write_text(f"[{content},{content}]")
    found, _ = read("cts", tmp_path)
    expected = f"sha256-{hashlib.sha256(content.encode()).hexdigest()}"
    assert [each.source.trace_id for each in found] == [expected, expected]


@pytest.mark.parametrize(
    "odd",
    [
        {"requestParameters": [record(7), record(8)]},  # A record begins alike inside of it.
        {"userAgent": f"an [{TWO},{TWO}] in a text"},
        {"userAgent": float("nan")},
        {"userAgent": "half \ud800"},
        {"userAgent": 2**70},
    ],
)
def test_the_end_of_a_record_is_found_by_json_and_not_by_the_next_beginning(
    tmp_path: Path, odd: dict[str, Any]
) -> None:
    other = record(2) | {"eventName": "ListRoles"} | odd
    content = ",".join(json.dumps(each) for each in (record(1), other, other, record(3)))
    (tmp_path / "a.json").write_text(f'{{"Records":[{content}]}}')
    found, report = ids(tmp_path)
    assert found == ["e-1", "e-3"]
    assert (report.records, report.not_understood["iam:ListRoles"]) == (4, 2)
    assert report.complete


def test_a_broken_record_in_an_array_is_reported_and_those_around_it_are_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(f'{{"Records":[\n{ONE},\n{{"eventID": "x",, }},\n{TWO}]}}')
    (tmp_path / "whole.json").write_text(f"[{THREE}]")
    found, report = ids(tmp_path)
    assert found == ["e-1", "e-2", "e-3"]
    (place,) = report.places
    assert (place.file, place.place) == ("broken.json", "line 3, column 17")
    skipped = len('{"eventID": "x",, },\n')
    assert place.message.endswith(f"; {skipped} bytes are not read: from line 3, column 1 on")
    assert (report.bytes_not_read, report.files_cut) == (skipped, 0)


@pytest.mark.parametrize("bad", ['{"eventID": }', "nonsense", '{"a":1', "[" * 100_000, "9" * 5_000])
def test_a_bad_line_is_skipped_alone(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text(f"{ONE}\n{bad}\n{TWO}\n")
    found, report = ids(path)
    assert found == ["e-1", "e-2"]
    assert [place.place.split(",")[0] for place in report.places] == ["line 2"]


def test_a_bad_first_line_is_skipped_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text(f'{{"eventID" 7, "more": "of it"}}\n{ONE}\n{TWO}\n')
    found, report = ids(path)
    assert found == ["e-1", "e-2"]
    assert report.breaks == 1


def test_a_file_that_ends_early_is_read_up_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text(f"[{ONE},{TWO},{THREE[:50]}")
    found, report = ids(path)
    assert found == ["e-1", "e-2"]
    assert report.breaks == 1


def test_a_gzip_that_ends_early_is_read_up_to_its_end(tmp_path: Path) -> None:
    many = [record(n, userAgent=str(random.Random(n).random())) for n in range(3_000)]
    whole = gzip.compress(json.dumps({"Records": many}).encode())
    path = tmp_path / "cut.json.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found, report = ids(path)
    assert 500 < len(found) < 2_500
    assert found == [f"e-{n}" for n in range(len(found))]
    (place,) = report.places
    assert (place.place, place.message) == (
        f"byte {len(whole) // 2}",
        "the gzip data ends early",
    )


def test_gzip_members_follow_each_other_and_garbage_after_them_is_reported(tmp_path: Path) -> None:
    members = gzip.compress(f"{ONE}\n".encode()) + gzip.compress(f"{TWO}\n".encode())
    path = tmp_path / "two.json.gz"
    path.write_bytes(members + b"\0" * 512)
    found, report = ids(path)
    assert (found, report.complete) == (["e-1", "e-2"], True)
    path.write_bytes(members + b"garbage")
    found, report = ids(path)
    assert found == ["e-1", "e-2"]
    assert report.places[0].place == f"byte {len(members)}"


def test_a_damaged_gzip_is_reported(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(f"[{ONE}]".encode()))
    whole[-6] ^= 0xFF  # The checksum.
    (tmp_path / "bad.json.gz").write_bytes(whole)
    _, report = ids(tmp_path)
    assert report.breaks == 1
    assert "damaged" in report.places[0].message


@pytest.mark.parametrize("content", ["", "  \n ", "\ufeff"])
def test_an_empty_file_is_reported(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    _, report = ids(tmp_path)
    assert report.places[0].message == "the file is empty"


def test_a_file_that_is_not_there_is_reported_and_the_rest_read(tmp_path: Path) -> None:
    there = tmp_path / "a.json"
    there.write_text(ONE)
    found, report = read("cloudtrail", tmp_path / "absent.json", there)
    assert len(found) == 1
    assert report.places[0].file == "absent.json"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"eventTime": "2026-03-03T00:00:00Z"}, "future"),
        ({"eventID": "e\ud800"}, "is not valid"),
        ({"eventID": "e\n1"}, "is not valid"),
        ({"userIdentity": {"arn": "someone\u2028else"}}, "is not valid"),
        ({"recipientAccountId": "a:b"}, "account"),
        ({"requestParameters": {"roleName": "a\u0007", "policyArn": "p"}}, "agency"),
        ({"requestParameters": {"roleName": "r\udfff", "policyArn": "p"}}, "agency"),
        ({"requestParameters": {"roleName": "r" * 129, "policyArn": "p"}}, "agency"),
        ({"eventName": "ConsoleLogin", **SIGN_IN, "awsRegion": "eu west"}, "region"),
        ({"eventName": "ConsoleLogin", **SIGN_IN, "awsRegion": None}, "awsRegion"),
        (
            {"eventName": "CreateRole", "responseElements": {"role": BAD_ID}},
            "agency_id: Input should be a valid string",
        ),
        ({"awsRegion": None, "eventTime": "0000-01-01T00:00:00Z"}, "eventTime"),
    ],
)
def test_a_record_that_cannot_be_a_fact_is_reported_with_its_place(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"[{ONE},\n {json.dumps(record(2, **fields))},\n{THREE}]")
    found, report = ids(path)
    assert found == ["e-1", "e-3"]
    assert report.malformed_records == 1
    assert report.places[0].place == "line 2, column 2"
    assert message in report.places[0].message


@pytest.mark.parametrize("other", [1, "text", None, True, [], 1.5])
def test_a_record_that_is_not_an_object_is_reported(tmp_path: Path, other: object) -> None:
    (tmp_path / "a.json").write_text(f"[{ONE},{json.dumps(other)},{TWO}]")
    found, report = ids(tmp_path)
    assert found == ["e-1", "e-2"]
    assert report.malformed_records == 1


def test_bytes_that_are_not_utf_8_make_only_their_own_record_malformed(tmp_path: Path) -> None:
    unused = TWO[:-1].encode() + b', "userAgent": "\xff\xfe"}'
    name = ONE.replace('"worker"', '"wor#er"').encode().replace(b"#", b"\xc3")
    (tmp_path / "a.json").write_bytes(b"[" + name + b"," + unused + b"]")
    found, report = ids(tmp_path)
    assert (found, report.malformed_records) == (["e-2"], 1)


def test_folders_are_searched_for_trace_files_and_given_files_are_always_read(
    tmp_path: Path,
) -> None:
    deep = tmp_path / "2026" / "02"
    deep.mkdir(parents=True)
    for name in ("b.json", "a.json.gz", "c.jsonl", "notes.md"):
        (deep / name).write_text(ONE)
    assert [path.name for path in files_of([tmp_path])] == ["a.json.gz", "b.json", "c.jsonl"]
    assert [path.name for path in files_of([deep / "notes.md"])] == ["notes.md"]


def test_progress_is_reported_in_stored_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(f"[{ONE}]".encode()))
    (tmp_path / "b.json").write_text(TWO)
    seen: list[int] = []
    paths = [tmp_path]
    source = SOURCES["cloudtrail"]
    list(read_traces(source, paths, ImportReport(), now=NOW, on_progress=seen.append))
    assert sum(seen) == stored_bytes(paths)


@pytest.mark.parametrize("kind", SOURCES)
def test_importing_twice_appends_nothing(fixtures: Path, tmp_path: Path, kind: str) -> None:
    found, _ = read(kind, fixtures / f"{kind}.json")
    with ledger(tmp_path) as opened:
        assert opened.observe(found).new_traces == len(found)
        last = opened.last_position()
        again = opened.observe([*found, *found])
        assert (again.entries, again.known_traces) == (0, 2 * len(found))
        assert opened.last_position() == last


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("until", [None, 8])
def test_the_order_of_arrival_does_not_change_the_present(
    fixtures: Path, tmp_path: Path, kind: str, until: int | None
) -> None:
    found = read(kind, fixtures / f"{kind}.json")[0][:until]
    states = []
    for seed in range(8):
        arrival = list(found)
        random.Random(seed).shuffle(arrival)
        folder = tmp_path / str(seed)
        with ledger(folder) as opened:
            for item in arrival if seed else found:  # One transaction each: nothing is sorted.
                opened.observe([item])
            states.append(present(opened, found[0].provider, found[0].account))
    assert all(state == states[0] for state in states)


def test_the_invictus_traces_in_any_order_yield_the_same_account(
    shared: Path, tmp_path: Path
) -> None:
    found, _ = read("cloudtrail", shared / "cloudtrail-invictus")
    states, trails = [], []
    for seed in range(3):
        random.Random(seed).shuffle(found)
        with ledger(tmp_path / str(seed)) as opened:
            for start in range(0, len(found), 10):
                opened.observe(found[start : start + 10])
            states.append(present(opened, "aws", "123837392027"))
            own = [e for e in opened.history() if not getattr(e.event, "consequence_of", None)]
            trails.append(types(own))
    assert states[0] == states[1] == states[2]
    assert trails[0] == trails[1] == trails[2]


_MEASURED = """
import resource, sys
from pathlib import Path
from ledger.sources import SOURCES, ImportReport, read_traces
from tests.sources.reading import NOW
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
small, large = ImportReport(), ImportReport()
for _ in read_traces(SOURCES["cloudtrail"], [Path(sys.argv[1])], small, now=NOW): pass
before = peak()
for _ in read_traces(SOURCES["cloudtrail"], [Path(sys.argv[2])], large, now=NOW): pass
print(small.records, large.records, peak() - before)
"""


def test_memory_does_not_grow_with_a_files_size(tmp_path: Path) -> None:
    line = json.dumps(record(1, eventName="ListRoles", readOnly=True))
    for name, records in (("small.json", 2_000), ("large.json", 200_000)):
        with (tmp_path / name).open("w") as file:
            file.write('{"Records":[' + line)
            for _ in range(records - 1):
                file.write("," + line)
            file.write("]}")
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, tmp_path / "small.json", tmp_path / "large.json"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    small, large, grown_kib = map(int, done.stdout.split())
    assert (small, large) == (2_000, 200_000)
    assert grown_kib < 8 * 1_024  # The file has 80 MB.
