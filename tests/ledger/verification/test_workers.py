"""Several processes that verify one ledger find what one process finds, in the same order."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from eventsourcing.persistence import PersistenceError

from ledger.application import Ledger
from ledger.errors import InvalidInput
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tree import frontier_of
from ledger.persistence.location import location_of
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import AnotherLedger, Row
from ledger.verification import entries, workers
from ledger.verification.entries import verify_entries
from ledger.verification.findings import Verification
from ledger.verification.row_check import faults
from ledger.verification.row_patterns import RowPatterns
from ledger.verification.segment import SegmentReader, SegmentRequest
from tests.ledger.scenario import login
from tests.ledger.verification.crimes import Scene, rebuild_log

SEGMENT = 256
SIZES = (1, 255, 256, 257, 600, 768, 1000)


def verified(scene: Scene, jobs: int) -> Verification:
    return verify_entries(
        scene.place, SIZES, jobs=jobs, segment_size=SEGMENT, one_process_max=SEGMENT
    )


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes were started, each time."""
    counts: list[int] = []

    class Counted(workers.Workers):
        def __init__(self, count: int) -> None:
            counts.append(count)
            super().__init__(count)

    monkeypatch.setattr(entries, "Workers", Counted)
    return counts


def children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(each) for each in text.split()]


def test_an_unaltered_ledger_has_no_findings_in_one_process_or_several(
    scene: Scene, started: list[int]
) -> None:
    others = children()  # For example a server.
    alone, several = verified(scene, 1), verified(scene, 3)
    assert started == [3]
    assert alone == several
    assert several.count == 0
    with Ledger(scene.place) as ledger:
        last = ledger.last_position()
        assert several.size == last > 4 * SEGMENT
        hashes = TileHashes(last, ledger.entries.read_tile)
        assert several.roots == {size: frontier_of(size, hashes).root() for size in (0, *SIZES)}
    assert children() == others, "all workers ended"


BOTH = {
    "columns at the edges of segments": (
        "UPDATE events SET stream = stream || 'x' WHERE position IN (1, 256, 257, 512, 513, 1025)"
    ),
    "an entry": "UPDATE events SET entry = replace(entry, 'cce', 'asm') WHERE position = 701",
    "a recorded time that goes back over an edge": (
        """UPDATE events SET entry = replace(entry, '"recorded_at":"20', '"recorded_at":"19') """
        "WHERE position = 513"
    ),
    "a recorded time removed before an edge": (
        """UPDATE events SET entry = replace(entry, '"recorded_at"', '"recorded_by"') """
        "WHERE position = 512"
    ),
    "the command id": (
        """UPDATE events SET entry = replace(entry, '"command_id":"', '"command_id":"x') """
        "WHERE position IN (9, 256, 900)"
    ),
    "a command removed": "DELETE FROM commands WHERE first_position = 256",
    "a command that reaches further": (
        "UPDATE commands SET last_position = last_position + 9 WHERE first_position = 255"
    ),
    "a command that never ends": (
        "UPDATE commands SET last_position = 1152921504606846976 WHERE first_position = 255"
    ),
    "versions": "UPDATE events SET version = 10000 + version WHERE position = 700",
    "the last tile and a full one": "UPDATE tiles SET data = substr(data, 1, 31) WHERE tile > 1",
    "a tile above": "UPDATE tiles SET data = substr(data, 1, 31) WHERE level = 1",
    "a name": "UPDATE subjects SET name = name || 'x'",
    "more findings than are kept": "UPDATE events SET topic = 'x' WHERE position > 100",
    "one removed": "DELETE FROM events WHERE position = 600",
    "one renumbered": "UPDATE events SET position = 1099511627776 WHERE position = 600",
    "one before the first": "UPDATE events SET position = 0 WHERE position = 600",
    "the last entries deleted": "DELETE FROM events WHERE position > 1000",
}

OF_FILES = {
    "an entry in bytes before an edge": (
        "UPDATE events SET entry = CAST(entry AS BLOB) WHERE position = 512"
    ),
    "a recorded time that is not valid UTF-8": (
        """UPDATE events SET entry = replace(entry, '"recorded_at":"2', """
        """CAST('"recorded_at":"' || x'ff' AS TEXT)) WHERE position = 512"""
    ),
    "an entry in bytes": "UPDATE events SET entry = CAST(entry AS BLOB) WHERE position IN (300, 800)",
    "an entry that is not valid UTF-8": "UPDATE events SET entry = CAST(entry || x'ff' AS TEXT) WHERE position = 800",
    "a column as bytes": ("UPDATE events SET topic = CAST(topic AS BLOB) WHERE position = 400"),
    "a command's positions as text": (
        "UPDATE commands SET first_position = 'x' WHERE first_position = 255"
    ),
    "a command renamed": (
        "UPDATE commands SET command_id = CAST(command_id AS BLOB) WHERE first_position = 255"
    ),
}

WITHOUT_KEYS = (
    "ALTER TABLE events DROP CONSTRAINT events_pkey; "
    "ALTER TABLE events DROP CONSTRAINT events_stream_version_key; "
)
OF_DATABASES = {
    "every alteration that keeps the positions": "; ".join(
        alteration
        for alteration in BOTH.values()
        if "position = 600" not in alteration and "> 100" not in alteration
    ),
    "one removed": BOTH["one removed"],
    "columns of other types": (
        "ALTER TABLE events ALTER topic TYPE json USING to_json(topic); "
        "ALTER TABLE events ALTER entry TYPE bytea USING entry::bytea"
    ),
    "a column of type JSON": "ALTER TABLE events ALTER topic TYPE json USING to_json(topic)",
    "a row that stands twice at the end of a segment": (
        f"{WITHOUT_KEYS} INSERT INTO events SELECT position, 'mine', 1, topic, entry "
        "FROM events WHERE position = 512"
    ),
    "a row in the place of another": (
        f"{WITHOUT_KEYS} UPDATE events SET position = 512 WHERE position = 511"
    ),
}


@pytest.mark.parametrize("alteration", (BOTH | OF_FILES).values(), ids=BOTH | OF_FILES)
def test_several_processes_find_in_a_file_what_one_finds(
    scene: Scene, path: Path, alteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.unprotected() as db:
        db.execute(_loosened(db, "commands"))
        db.execute("PRAGMA writable_schema = RESET")
        assert db.execute(alteration).rowcount > 0
    same_findings(scene, monkeypatch)


def same_findings(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assert that one process, several, and one without patterns find the same."""
    alone, several = verified(scene, 1), verified(scene, 2)
    assert [*map(str, alone.findings)] == [*map(str, several.findings)]
    assert alone == several
    assert alone.count > 0
    monkeypatch.setattr(RowPatterns, "learn", lambda *_: None)
    assert verified(scene, 1) == alone, "without patterns each row is checked in full"


@pytest.mark.parametrize("alteration", OF_DATABASES.values(), ids=OF_DATABASES)
def test_several_processes_find_in_postgresql_what_one_finds(
    scene: Scene, database: str, alteration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of the tables can also change types and drop keys."""
    with scene.unprotected() as db:
        db.execute(alteration)
    same_findings(scene, monkeypatch)


def _loosened(db: sqlite3.Connection, table: str) -> str:
    """A statement after which the table takes values of any type."""
    db.execute("PRAGMA writable_schema = ON")
    return (
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT, ', ''), ' NOT NULL', '') "
        f"WHERE name = '{table}'"
    )


def test_entries_appended_during_a_verification_are_not_findings(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        before = ledger.last_position()

        def append(name: str, done: int, last: int) -> None:
            ledger.execute(login(f"region-{done}"))

        done = verify_entries(
            scene.place, SIZES, append, jobs=2, segment_size=SEGMENT, one_process_max=SEGMENT
        )
        assert ledger.last_position() > before
    assert done.findings == []
    assert done.size == before


def test_another_connection_reads_the_same_moment_or_fails(scene: Scene, tmp_path: Path) -> None:
    """On PostgreSQL it sees the same snapshot, whatever is appended meanwhile."""
    location = location_of(scene.place)
    with stored_rows(location) as rows, Ledger(scene.place, log_keys=tmp_path) as ledger:
        moment, before = rows.moment(), rows.extent()
        ledger.execute(login("cn-south-1"))
        with stored_rows(location, moment) as other:
            assert (other.extent() == before) is not isinstance(scene.place, Path)
    with (
        pytest.raises((AnotherLedger, PersistenceError)),
        stored_rows(location, f"{moment}0"),
    ):
        pass


def test_only_the_first_good_rows_of_each_form_are_checked_in_full(scene: Scene) -> None:
    in_full: list[int] = []

    def check(row: Row, entry: bytes, before: int, recorded_at: str) -> list[str]:
        in_full.append(row[0])
        return faults(row, entry, before, recorded_at)

    with stored_rows(location_of(scene.place)) as rows:
        read = SegmentReader(rows, check).read(SegmentRequest(0, 1024, 0, 0, ""))
    assert read.size == 1024
    assert 0 < len(in_full) < 20, "one of each form"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its children in /proc")
def test_a_ledger_is_verified_even_when_its_workers_are_killed(
    scene: Scene, started: list[int]
) -> None:
    killed, others = list[int](), children()

    def kill(name: str, done: int, last: int) -> None:
        if not killed:
            killed.extend(each for each in children() if each not in others)
            for child in killed:
                os.kill(child, signal.SIGKILL)

    # There are so many segments that not all are read before the first is joined.
    done = verify_entries(
        scene.place, SIZES, kill, jobs=2, segment_size=SEGMENT, one_process_max=SEGMENT
    )
    assert len(killed) == 2
    assert done == verified(scene, 1)


def test_a_small_ledger_is_read_by_one_process(scene: Scene, started: list[int]) -> None:
    assert verify_entries(scene.place, SIZES, jobs=2) == verified(scene, 1)
    assert started == []


def test_positions_with_gaps_are_read_by_one_process(scene: Scene, started: list[int]) -> None:
    with scene.unprotected() as db:
        db.execute("DELETE FROM events WHERE position BETWEEN 300 AND 310")
    rebuild_log(scene)
    done = verified(scene, 2)
    assert started == []
    assert str(done.findings[0]).startswith("position 311: expected position 300 here")


def test_progress_is_reported_in_order(scene: Scene) -> None:
    reports: list[tuple[str, int, int]] = []
    on_progress: Callable[[str, int, int], None] = lambda *report: reports.append(report)  # noqa: E731
    done = verify_entries(
        scene.place, (), on_progress, jobs=2, segment_size=SEGMENT, one_process_max=SEGMENT
    )
    assert reports == [
        ("entries", min(at + SEGMENT, done.size), done.size) for at in range(0, done.size, SEGMENT)
    ]


def test_an_index_that_lacks_a_row_is_found_and_named_with_the_option_for_indexes(
    scene: Scene, path: Path
) -> None:
    with scene.unprotected() as db:
        (row,) = db.execute("SELECT max(position) FROM events").fetchone()
        _without_a_row(db, row)
    (counted,) = map(str, verify_entries(path, jobs=1).findings)
    assert counted == f"entries: the table has {row - 1} rows, but only {row} positions"
    for jobs in (1, 2):
        found = verify_entries(
            path, jobs=jobs, indexes=True, segment_size=SEGMENT, one_process_max=SEGMENT
        ).findings
        assert [*map(str, found)] == [
            counted,
            f"indexes: row {row} missing from index {INDEX}",
            f"indexes: wrong # of entries in index {INDEX}",
        ]


def test_the_option_for_indexes_is_refused_on_postgresql(scene: Scene, database: str) -> None:
    with pytest.raises(InvalidInput, match="does not check the indexes"):
        verify_entries(database, indexes=True)


INDEX = "sqlite_autoindex_events_1"


def _without_a_row(db: sqlite3.Connection, position: int) -> None:
    """Take the index from the table, insert the row again, and give the index back."""
    row = db.execute("SELECT * FROM events WHERE position = ?", (position,)).fetchone()
    db.execute("DELETE FROM events WHERE position = ?", (position,))
    index = db.execute("SELECT * FROM sqlite_schema WHERE name = ?", (INDEX,)).fetchone()
    (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'events'").fetchone()
    change = "UPDATE sqlite_schema SET sql = ? WHERE name = 'events'"
    db.execute("PRAGMA writable_schema = ON")
    db.execute(change, (sql.replace(",\n  UNIQUE (stream, version)", ""),))
    db.execute("DELETE FROM sqlite_schema WHERE name = ?", (INDEX,))
    db.execute("PRAGMA writable_schema = RESET")
    db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", row)
    db.execute("PRAGMA writable_schema = ON")
    db.execute(change, (sql,))
    db.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", index)
    db.execute("PRAGMA writable_schema = RESET")
