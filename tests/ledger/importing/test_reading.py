"""A process beside the writer reads what this process would read, and ends with the block."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import InvalidInput, StoreFull, StoreUnavailable
from ledger.importing import reading as module
from ledger.importing.reading import reading
from ledger.messages import Observation
from ledger.processes import begun
from ledger.sources import SOURCES, ImportReport
from ledger.sources.source import Source
from tests.ledger.importing.traces import children, entries, lines
from tests.sources.reading import FIXTURES, NOW

CLOUDTRAIL = SOURCES["cloudtrail"]
Read = tuple[list[Observation], ImportReport, int]


@pytest.fixture(autouse=True)
def _no_orphan() -> Iterator[None]:
    """No process is left, whatever happens."""
    before = children()  # For example a server.
    yield
    assert children() == before


def read(jobs: int, source: Source[Any], *paths: Path, account: str | None = None) -> Read:
    report, done = ImportReport(), [0]
    with reading(
        source,
        paths,
        report,
        now=NOW,
        only_account=account,
        on_progress=done.append,
        jobs=jobs,
    ) as facts:
        return [*facts], report, sum(done)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files in subfolders, plain and gzip, also with what cannot be read."""
    place = tmp_path / "traces"
    (place / "deep").mkdir(parents=True)
    (place / "a.jsonl").write_bytes(lines(2_500))
    (place / "b.json").write_text('{"Records": [\n  {"eventName": ]}')
    (place / "deep" / "c.json.gz").write_bytes(gzip.compress(lines(30)))
    (place / "deep" / "cut.json.gz").write_bytes(gzip.compress(lines(300))[:-100])
    (place / "notes.log").write_text("nothing")
    (place / "cts.json").write_text((FIXTURES / "cts.json").read_text())
    (place / "trail.json").write_text((FIXTURES / "cloudtrail.json").read_text())
    return place


def test_it_yields_the_same_facts_the_same_report_and_the_same_progress(folder: Path) -> None:
    empty = folder.parent / "empty"
    empty.mkdir()
    alone = read(1, CLOUDTRAIL, folder, empty, folder / "a.jsonl")
    assert read(2, CLOUDTRAIL, folder, empty, folder / "a.jsonl") == alone
    facts, report, _ = alone
    assert len(facts) > 5_000
    assert report.places
    assert report.unmatched == [str(empty)]
    assert report.files_passed_over == {"*.log": 1}


def test_it_reads_for_the_asked_edition_and_account(folder: Path) -> None:
    cts = SOURCES["cts"].edition("partner").of_account("0a1b2c3d4e5f")
    of_one, of_all = (read(1, cts, folder, account=each) for each in ("0a1b2c3d4e5f", None))
    assert read(2, cts, folder, account="0a1b2c3d4e5f") == of_one
    assert read(2, cts, folder) == of_all
    assert {each.provider for each in of_all[0]} == {"partner"}
    assert of_all != of_one


def test_the_entries_are_the_same_bytes_but_for_times_and_ids(folder: Path) -> None:
    found = []
    for jobs in (1, 2):
        with (
            closing(Ledger(folder.parent / f"{jobs}.db")) as ledger,
            reading(CLOUDTRAIL, [folder], ImportReport(), now=NOW, jobs=jobs) as facts,
        ):
            found.append((ledger.observe(facts), entries(ledger)))
    assert found[0] == found[1]
    assert found[0][0].conflicts == 0
    assert len(found[0][1]) > 2_500


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules that further processes were begun with."""
    found: list[str] = []

    def noted(name: str, *args: str, **options: Any) -> Any:
        found.append(name)
        return begun(name, *args, **options)

    monkeypatch.setattr(module, "begun", noted)
    return found


@pytest.mark.parametrize(
    ("processors", "bytes_more", "expected"), [(2, 0, 1), (2, 1, 0), (1, 0, 0)]
)
def test_only_big_files_on_two_processors_have_a_process_by_default(  # noqa: PLR0917
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    modules: list[str],
    processors: int,
    bytes_more: int,
    expected: int,
) -> None:
    monkeypatch.setattr(module, "processors", lambda: processors)
    size = (folder / "a.jsonl").stat().st_size
    monkeypatch.setattr(module, "BIG_BYTES", size + bytes_more)
    with reading(CLOUDTRAIL, [folder / "a.jsonl"], ImportReport(), now=NOW) as facts:
        assert len([*facts]) == 2_500
    assert len(modules) == expected


@pytest.mark.parametrize("jobs", [0, 3, -1])
def test_other_numbers_of_processes_are_not_valid(jobs: int) -> None:
    with pytest.raises(InvalidInput, match="Nothing was read"):
        read(jobs, CLOUDTRAIL)


def failing(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def faulty(_: str, *args: str, **options: Any) -> Any:
        return begun("tests.ledger.importing.faulty", *args, fault, **options)

    monkeypatch.setattr(module, "begun", faulty)


@pytest.mark.parametrize(
    ("fault", "how"),
    [
        ("killed", "was ended by the signal SIGKILL, in a.jsonl, after 1000 records"),
        ("left", "ended with exit code 3, in a.jsonl, after 1000 records"),
    ],
)
def test_a_reader_that_is_gone_is_an_error_with_its_place_and_the_next_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str, how: str
) -> None:
    failing(monkeypatch, fault)
    with (
        closing(Ledger(folder.parent / "ledger.db")) as ledger,
        reading(CLOUDTRAIL, [folder / "a.jsonl"], ImportReport(), now=NOW, jobs=2) as facts,
        pytest.raises(StoreUnavailable) as raised,
    ):
        ledger.observe(facts)
    said = str(raised.value)
    assert said.startswith(f"The process that reads the traces {how}. Nothing was appended. Import")


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        ("bug", TypeError, "a bug"),
        ("odd", RuntimeError, "Odd: ab"),
        ("memory", MemoryError, "records"),
    ],
)
def test_an_error_of_the_reader_arrives_with_its_place_after_all_facts_before_it(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    kind: type[Exception],
    text: str,
) -> None:
    failing(monkeypatch, fault)
    found: list[Observation] = []
    with (
        reading(CLOUDTRAIL, [folder / "a.jsonl"], ImportReport(), now=NOW, jobs=2) as facts,
        pytest.raises(kind, match=text) as raised,
    ):
        found.extend(facts)
    error = raised.value
    assert error.__notes__ == [
        "The process that reads the traces raised it, in a.jsonl, after 1501 records."
    ]
    assert "faulty.py" in str(error.__cause__), "where in the code"
    assert "faulty" not in str(error)


def test_a_full_disk_in_the_writer_ends_the_reader(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "big.jsonl").write_bytes(lines(20_000))
    others = len(children())  # For example a server.
    with closing(Ledger(folder.parent / "ledger.db")) as ledger:

        def full(*_: object) -> None:
            assert len(children()) == others + 1
            raise StoreFull("The disk is full.")

        monkeypatch.setattr(ledger.entries, "append", full)
        with (
            pytest.raises(StoreFull, match="Nothing was appended"),
            reading(CLOUDTRAIL, [folder / "big.jsonl"], ImportReport(), now=NOW, jobs=2) as facts,
        ):
            ledger.observe(facts)
        assert ledger.last_position() == 0


def test_a_request_may_be_longer_than_a_pipe_holds(folder: Path) -> None:
    paths = [folder / "deep" / "c.json.gz", *[folder / "notes.log"] * 3_000]
    facts, report, _ = read(2, CLOUDTRAIL, *paths)
    assert (len(facts), report.files) == (30, 3_001)


def test_a_process_that_never_takes_its_request_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = partial(begun, "ledger.no_such_module")
    monkeypatch.setattr(module, "begun", lambda _, *args, **options: begin(*args, **options))
    with pytest.raises(StoreUnavailable, match="exit code 1, before the first record"):
        read(2, CLOUDTRAIL, *[folder / "a.jsonl"] * 3_000)
