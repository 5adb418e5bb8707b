"""The rules for every export format, and those of JSON Lines."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import InvalidInput, NotFound, VerificationFailed
from ledger.merkle.tree import leaf_hash, tree_root
from projections.export import FORMATS, TextFormat, formats
from projections.export import events as events_module
from projections.export.events import EventSource, events_of
from projections.export.exporter import export_file, export_text
from projections.export.formats.jsonl import FORMAT as JSONL
from tests.cli.conftest import Cli, cli
from tests.projections.conftest import story
from tests.projections.worlds import World

__all__ = ["cli"]

TEXTS = [form for form in FORMATS.values() if isinstance(form, TextFormat)]
each_text = pytest.mark.parametrize("form", TEXTS, ids=lambda form: form.name)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "PAGE", 4)


@pytest.fixture
def source(world: World) -> EventSource:
    return events_of(world.ledger)


def alter(world: World) -> None:
    """Change the entry at position 7 behind the ledger's back."""
    statement = "UPDATE {}events SET entry = replace(entry, '2026', '2027') WHERE position = 7"
    if isinstance(world.place, str):
        with psycopg.connect(world.place) as there:
            there.execute("SET session_replication_role = replica")
            there.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
            there.execute(statement.format("ledger.").encode())
        return
    with closing(sqlite3.connect(world.place)) as connection:
        connection.execute("DROP TRIGGER events_are_never_changed")
        connection.execute(statement.format(""))
        connection.commit()


def text_of(form: TextFormat, source: EventSource, first: int = 1, last: int | None = None) -> str:
    written: list[str] = []
    export_text(form, source, written.append, first=first, last=last)
    return "".join(written)


def test_every_file_of_the_folder_is_a_format_and_a_subcommand(cli: Cli) -> None:
    files = {path.stem for path in Path(formats.__path__[0]).glob("*.py")} - {"__init__"}
    assert len(files) == len(FORMATS)
    for form in FORMATS.values():
        said = " ".join(cli.done(f"export {form.name} --help").out.split())
        assert form.title in said


@each_text
def test_a_text_is_its_head_and_every_event_in_the_order_of_positions(
    form: TextFormat, source: EventSource, small_pages: None
) -> None:
    events = [form.encode(row) for page in source.pages(1) for row in page]
    assert text_of(form, source) == form.head + "".join(events)


@each_text
def test_a_range_of_positions_is_exported_alone(
    form: TextFormat, source: EventSource, small_pages: None
) -> None:
    events = [form.encode(row) for page in source.pages(1) for row in page]
    assert text_of(form, source, first=3, last=9) == form.head + "".join(events[2:9])
    assert text_of(form, source, first=len(events) + 1) == form.head
    assert text_of(form, source, first=len(events) + 9) == form.head


@each_text
def test_pieces_that_follow_each_other_are_the_whole(
    form: TextFormat, source: EventSource, small_pages: None
) -> None:
    whole = text_of(form, source).removeprefix(form.head)
    pieces = [text_of(form, source, first=1, last=5), text_of(form, source, first=6)]
    assert "".join(piece.removeprefix(form.head) for piece in pieces) == whole


@each_text
def test_a_failed_export_leaves_the_file_as_it_was(
    form: TextFormat, world: World, tmp_path: Path, small_pages: None
) -> None:
    path = tmp_path / "events"
    export_file(form, events_of(world.ledger), path)
    before = path.read_bytes()
    alter(world)
    with pytest.raises(VerificationFailed):
        export_file(form, events_of(world.ledger), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@each_text
def test_no_entry_that_is_not_the_logs_is_written(
    form: TextFormat, world: World, small_pages: None
) -> None:
    alter(world)
    written: list[str] = []
    with pytest.raises(VerificationFailed):
        export_text(form, events_of(world.ledger), written.append)
    assert "2027" not in "".join(written)
    assert "".join(written).startswith(form.head)


def test_a_line_of_json_lines_is_the_entry_with_its_position(world: World) -> None:
    lines = text_of(JSONL, events_of(world.ledger)).splitlines()
    entries = [world.ledger.entry_text(position) for position in range(1, len(lines) + 1)]
    assert [json.loads(line) for line in lines] == [
        {"position": position, **json.loads(entry)} for position, entry in enumerate(entries, 1)
    ]
    assert ["{" + line.partition(",")[2] for line in lines] == entries


def test_the_root_is_the_logs_over_the_entries_up_to_the_last_position(world: World) -> None:
    source = events_of(world.ledger)
    done = export_text(JSONL, source, lambda _: None, first=4, last=9)
    leaves = [leaf_hash(world.ledger.entry_text(position).encode()) for position in range(1, 10)]
    assert (done.first, done.last, done.entries) == (4, 9, 6)
    assert done.root == tree_root(leaves).hex()


def test_a_range_that_the_ledger_does_not_have_is_refused(source: EventSource) -> None:
    end = source.last_position()
    with pytest.raises(NotFound, match=f"no position {end + 1}; the last is {end}"):
        text_of(JSONL, source, last=end + 1)
    with pytest.raises(InvalidInput, match="begins at 5 and ends at 3"):
        text_of(JSONL, source, first=5, last=3)


def test_events_that_are_appended_meanwhile_are_left_to_the_next_export(
    world: World, small_pages: None
) -> None:
    source = events_of(world.ledger)
    last = source.last_position()
    written: list[str] = []

    def append(_: str, done: int, total: int) -> None:
        assert (total, done <= total) == (last, True)
        if world.ledger.last_position() == last:
            world.take(story()[0])

    done = export_text(JSONL, source, written.append, on_progress=append)
    assert world.ledger.last_position() > last
    assert (done.last, "".join(written).count("\n")) == (last, last)


def test_an_empty_ledger_is_an_empty_text(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        done = export_file(JSONL, events_of(ledger), tmp_path / "events.jsonl")
    assert (tmp_path / "events.jsonl").read_bytes() == b""
    assert (done.entries, done.last) == (0, 0)


def test_the_command_writes_a_file_or_standard_output(cli: Cli) -> None:
    cli.authorize()
    done = cli.done("export jsonl events.jsonl -o json").json
    lines = (cli.folder / "events.jsonl").read_text().splitlines()
    assert (done["file"], done["entries"], done["first"]) == ("events.jsonl", len(lines), 1)
    piped = cli.done("export jsonl - --from 3 --to 4")
    assert piped.lines == lines[2:4]
    assert "standard output: 2 entries, up to position 4" in piped.err
    assert "no newer" in cli.done(f"export jsonl - --from {len(lines) + 1}").err


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("export jsonl - --to 4711", 4),
        ("export jsonl - --from 3 --to 2", 2),
        ("export jsonl - --from 0", 2),
        ("export jsonl .", 2),
    ],
)
def test_a_range_or_file_that_cannot_be_is_refused(cli: Cli, line: str, code: int) -> None:
    cli.authorize()
    said = cli(line)
    assert (said.code, said.out) == (code, "")


def test_a_file_in_a_folder_that_is_not_there_is_reported(cli: Cli) -> None:
    cli.authorize()
    said = cli("export jsonl nowhere/events.jsonl")
    assert said.code == 7
    assert "nowhere/events.jsonl could not be written: No such file or directory." in said.err


@pytest.mark.parametrize("line", ["export jsonl out", "export parquet out"])
def test_a_full_disk_is_reported_with_the_path_and_what_is_left(
    cli: Cli, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.authorize()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    said = cli(line)
    assert said.code == 7
    assert "out could not be written: No space left on device." in said.err
    assert "unchanged" in said.err or "export again to continue" in said.err
