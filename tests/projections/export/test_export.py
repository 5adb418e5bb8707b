"""An export holds each event of the ledger exactly once, even after kills and appends meanwhile."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ledger.errors import Conflict, InvalidInput, StoreUnavailable, VerificationFailed
from ledger.merkle.tree import leaf_hash, tree_root
from projections.export import events as source
from projections.export import exporter
from projections.export.events import COLUMNS, events_of
from projections.export.exporter import export_folder
from projections.export.formats.parquet import FORMAT as PARQUET
from projections.export.formats.parquet import bucket_of
from projections.export.manifest import NAME, read_manifest
from tests.cli.conftest import Cli, cli
from tests.ledger.worlds import Place, raw
from tests.projections.conftest import story
from tests.projections.engines.replaying import exported
from tests.projections.worlds import World

__all__ = ["cli"]

Rows = list[tuple[Any, ...]]


def relation(folder: Path) -> Rows:
    """The relation `events` in the manifest's files, by position."""
    rows: Rows = []
    for file in read_manifest(folder).files():
        table = pq.read_table(folder / file.path, partitioning=None)
        assert tuple(table.column_names) == COLUMNS
        rows += zip(*table.to_pydict().values(), strict=True)
    return sorted(rows)


def kept(ledger: Place) -> Rows:
    """The relation `events` of the ledger, by position."""
    with raw(ledger) as db:
        stored = db.execute(f"SELECT {', '.join(COLUMNS[:5])} FROM events ORDER BY position")
        return [with_fields(row) for row in stored.fetchall()]


def with_fields(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row of an entry, and the fields of the entry that have columns in an export."""
    fields = json.loads(row[4])
    return (*row, row[3].partition(".")[0], *(fields.get(name) for name in COLUMNS[6:]))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "PART_ROWS", 10)
    monkeypatch.setattr(source, "PAGE", 4)


def test_an_export_holds_every_event_with_the_columns_of_the_ledger(
    world: World, tmp_path: Path
) -> None:
    done = exported(world.place, tmp_path / "out")
    assert relation(tmp_path / "out") == kept(world.place)
    assert (done.before, done.entries) == (0, world.ledger.last_position())
    assert done.bytes == sum(p.stat().st_size for p in (tmp_path / "out").glob("*/*.parquet"))


def test_the_root_in_the_manifest_is_the_logs_over_the_exported_entries(
    world: World, tmp_path: Path
) -> None:
    done = exported(world.place, tmp_path / "out")
    entries = [row[COLUMNS.index("entry")].encode() for row in relation(tmp_path / "out")]
    assert tree_root(map(leaf_hash, entries)).hex() == done.root


def test_the_bucket_of_a_stream_is_computed_from_the_hash_of_its_name(
    world: World, tmp_path: Path
) -> None:
    exported(world.place, tmp_path / "out", buckets=3)
    seen = set()
    for file in read_manifest(tmp_path / "out").files():
        bucket = int(file.path.split("/")[0].removeprefix("bucket="))
        table = pq.read_table(tmp_path / "out" / file.path, columns=["stream"], partitioning=None)
        for stream in table["stream"].to_pylist():
            assert int.from_bytes(sha256(stream.encode()).digest()[:4], "big") % 3 == bucket
            assert bucket_of(stream, 3) == bucket
        seen.add(bucket)
    assert len(seen) > 1


def test_new_events_go_into_new_files_and_make_the_same_relation(
    tmp_path: Path, small_parts: None
) -> None:
    world = World(tmp_path / "ledger.db")
    for step in story():
        world.take(step)
        exported(world.place, tmp_path / "step by step")
    before = {p: p.read_bytes() for p in (tmp_path / "step by step").glob("*/*.parquet")}
    again = exported(world.place, tmp_path / "step by step")
    exported(world.place, tmp_path / "at once")
    world.ledger.close()
    assert again.before == again.entries
    assert before == {p: p.read_bytes() for p in (tmp_path / "step by step").glob("*/*.parquet")}
    assert relation(tmp_path / "step by step") == relation(tmp_path / "at once")
    assert relation(tmp_path / "at once") == kept(world.place)
    of_steps, of_once = (
        read_manifest(tmp_path / "step by step"),
        read_manifest(tmp_path / "at once"),
    )
    assert of_steps.root == of_once.root
    assert len(of_steps.parts) > len(of_once.parts) > 1


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from ledger.application import Ledger
from projections.export import events as source, exporter
from projections.export.formats.parquet import FORMAT as PARQUET
exporter.PART_ROWS, source.PAGE = 10, 4
left = int(sys.argv[3])
def counted(call):
    def counting(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **named)
    return counting
os.fsync, Path.replace = counted(os.fsync), counted(Path.replace)
events = source.events_of(Ledger(sys.argv[1], create=False))
exporter.export_folder(PARQUET, events, Path(sys.argv[2]))
"""


def test_an_export_killed_at_any_moment_can_be_continued(world: World, tmp_path: Path) -> None:
    """Killed before each of the first steps that reach the disk, and then before later ones."""
    folder = tmp_path / "out"
    expected = kept(world.place)
    kills = 0
    for left in (0, 1, 2, 7, 12, 1_000):
        command = [sys.executable, "-c", KILLED_AT, str(world.place), str(folder), str(left)]
        ended = subprocess.run(command, check=False, cwd=Path(__file__).parents[3]).returncode
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        kills += 1
        if (folder / NAME).exists():
            rows = relation(folder)
            assert rows == expected[: len(rows)]
            assert len(rows) == read_manifest(folder).size
    assert kills == 5
    assert relation(folder) == expected
    counted = {folder / each.path for each in read_manifest(folder).files()}
    assert {p for p in folder.rglob("*") if p.is_file()} == {*counted, folder / NAME}


def test_files_that_a_killed_export_left_are_not_counted_and_are_deleted(
    world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    exported(world.place, folder)
    [one, *_] = folder.glob("*/*.parquet")
    left = one.with_name("000000000900-000000000999.parquet")
    shutil.copy(one, left)
    unfinished = one.with_name(".authledger-0123456789abcdef")
    shutil.copy(one, unfinished)
    mine = one.with_name("notes-of-mine.parquet")
    shutil.copy(one, mine)
    assert relation(folder) == kept(world.place)
    exported(world.place, folder)
    assert not left.exists()
    assert not unfinished.exists()
    assert mine.exists()


def test_another_ledgers_export_is_refused(world: World, tmp_path: Path) -> None:
    exported(world.place, tmp_path / "out")
    before = relation(tmp_path / "out")
    other = World(tmp_path / "other.db")
    for step in (*story(), *story()):
        other.take(step)
    with pytest.raises(VerificationFailed, match="holds another history"):
        export_folder(PARQUET, events_of(other.ledger), tmp_path / "out")
    other.ledger.close()
    assert relation(tmp_path / "out") == before


def test_an_export_that_is_longer_than_the_ledger_is_refused(world: World, tmp_path: Path) -> None:
    exported(world.place, tmp_path / "out")
    younger = World(tmp_path / "younger.db")
    with pytest.raises(VerificationFailed, match="holds another history"):
        export_folder(PARQUET, events_of(younger.ledger), tmp_path / "out")
    younger.ledger.close()


def test_an_entry_that_is_not_the_logs_leaf_is_not_exported(
    world: World, path: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(world.place)) as connection:
        connection.execute("DROP TRIGGER events_are_never_changed")
        connection.execute(
            "UPDATE events SET entry = replace(entry, 'alice', 'mallory') WHERE position = "
            "(SELECT max(position) FROM events WHERE entry LIKE '%cn-north-4%')"
        )
        connection.execute("UPDATE events SET entry = entry || ' ' WHERE position = 7")
        connection.commit()
    with pytest.raises(VerificationFailed, match="are not those of the Merkle log"):
        exported(world.place, tmp_path / "out")
    assert relation(tmp_path / "out") == []


def test_a_column_that_is_not_utf_8_any_longer_is_reported(
    world: World, path: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(world.place)) as connection:
        connection.execute("DROP TRIGGER events_are_never_changed")
        connection.execute("UPDATE events SET topic = CAST(x'61ff62' AS TEXT) WHERE position = 7")
        connection.commit()
    with pytest.raises(VerificationFailed, match="is not UTF-8"):
        exported(world.place, tmp_path / "out")


def test_the_number_of_buckets_cannot_be_changed_later(world: World, tmp_path: Path) -> None:
    exported(world.place, tmp_path / "out", buckets=2)
    assert exported(world.place, tmp_path / "out").buckets == 2
    with pytest.raises(InvalidInput, match="has 2 buckets since"):
        exported(world.place, tmp_path / "out", buckets=4)
    for number in (0, -1, 4_097, 10**9):
        with pytest.raises(InvalidInput, match="from 1 to 4096"):
            exported(world.place, tmp_path / "new", buckets=number)


def test_a_folder_with_other_files_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("Dear …")
    with pytest.raises(InvalidInput, match=r"letter\.txt"):
        exported(world.place, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letter.txt"]


def test_two_processes_do_not_export_to_one_folder_at_once(world: World, tmp_path: Path) -> None:
    with exporter._locked(tmp_path), pytest.raises(Conflict, match="Another process exports"):
        exported(world.place, tmp_path)


@pytest.mark.parametrize("text", ["{", '{"format": 2}', "[]", "[" * 10_000, '{"size": 9e999}'])
def test_a_manifest_that_cannot_be_read_is_reported(
    world: World, tmp_path: Path, text: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / NAME).write_text(text)
    with pytest.raises(VerificationFailed, match="not a valid manifest"):
        exported(world.place, tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r'"path": "[^"]*"', r'"path": "bucket=0/\\u0000.parquet"'),
        (r'"path": "[^"]*"', r'"path": "/etc/passwd"'),
        (r'"path": "bucket', r'"path": "../bucket'),
        (r'"rows": \d+', '"rows": 0'),
        (r'"first": 1\b', '"first": 2'),
        (r'"size": \d+', '"size": 1'),
        (r'"size": \d+', f'"size": {10**30}'),
        (r'"bytes": \d+', '"bytes": -1'),
        (r'"sha256": "[^"]*"', '"sha256": "x"'),
        (r'"buckets": \d+', '"buckets": 0'),
        (r'"buckets": \d+', f'"buckets": {10**9}'),
    ],
)
def test_a_manifest_that_contradicts_itself_is_reported(
    world: World, tmp_path: Path, old: str, new: str
) -> None:
    exported(world.place, tmp_path / "out")
    manifest = tmp_path / "out" / NAME
    manifest.write_text(re.sub(old, new, manifest.read_text(), count=1))
    with pytest.raises(VerificationFailed, match="not a valid manifest"):
        exported(world.place, tmp_path / "out")


def test_an_export_is_not_continued_if_a_file_is_missing_or_cut(
    world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    exported(world.place, folder)
    world.take(story()[0])
    [one, *_] = sorted(folder.glob("*/*.parquet"))
    whole = one.read_bytes()
    before = (folder / NAME).read_bytes()
    one.write_bytes(whole[:-1])
    with pytest.raises(VerificationFailed, match=f"{len(whole) - 1} bytes instead of {len(whole)}"):
        exported(world.place, folder)
    one.unlink()
    with pytest.raises(VerificationFailed, match="is missing; nothing was exported"):
        exported(world.place, folder)
    assert (folder / NAME).read_bytes() == before
    one.write_bytes(whole)
    exported(world.place, folder)
    assert relation(folder) == kept(world.place)


def test_without_pyarrow_the_error_names_the_package_to_install(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(StoreUnavailable, match=r"authledger\[parquet\]"):
        exported(world.place, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_events_that_are_appended_meanwhile_are_left_to_the_next_export(
    world: World, tmp_path: Path, small_parts: None
) -> None:
    last = world.ledger.last_position()

    def append(_: str, done: int, total: int) -> None:
        assert total == last
        if world.ledger.last_position() == last:
            world.take(story()[0])

    done = export_folder(PARQUET, events_of(world.ledger), tmp_path / "out", on_progress=append)
    assert world.ledger.last_position() > last
    assert done.entries == last
    exported(world.place, tmp_path / "out")
    assert relation(tmp_path / "out") == kept(world.place)


def test_the_command_prints_the_result_in_every_form(cli: Cli) -> None:
    cli.authorize()
    said = cli.done("export parquet out --buckets 2 -o json").json
    assert said["folder"] == "out"
    assert (said["before"], said["buckets"]) == (0, 2)
    assert said["entries"] > 0
    assert json.loads((cli.folder / "out" / NAME).read_text())["root"] == said["root"]
    assert "0 of them are new" in cli.done("export parquet out").out
    assert cli.done("export parquet out -o csv").lines[0].startswith("folder,before,entries")
    assert cli("export parquet out --buckets 3").code == 2


@pytest.mark.parametrize(("column", "value"), [("stream", "a"), ("topic", "AgencyDeleted.v1")])
def test_a_column_that_differs_from_its_entry_is_not_exported(
    world: World, tmp_path: Path, column: str, value: str
) -> None:
    """A row also has a stream, a version and a topic; the log's root does not cover them."""
    exported(world.place, tmp_path / "sound")
    with raw(world.place) as db:
        if isinstance(world.place, str):
            db.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        else:
            db.execute("DROP TRIGGER events_are_never_changed")
        db.execute(f"UPDATE events SET {column} = '{value}' WHERE position = 3")
    differs = f"position 3: the column {column} holds '{value}'"
    with pytest.raises(VerificationFailed, match=differs):
        exported(world.place, tmp_path / "altered")
