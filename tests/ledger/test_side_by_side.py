"""Several processes that verify one ledger find what one process finds, in the same order."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import side_by_side, verification
from ledger.application import Ledger
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tree import frontier_of
from ledger.shapes import Shapes
from ledger.signer import LogSigner
from ledger.verification import Verification, verify_entries
from tests.ledger.crimes import ORIGIN, Scene, checkpoint, log_made_anew
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.worlds import traces

STRETCH = 256
SIZES = (1, 255, 256, 257, 600, 768, 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Four stretches and a piece, with commands of one entry and of many."""
    keys, path = tmp_path_factory.mktemp("config"), tmp_path_factory.mktemp("db") / "ledger.db"
    with Ledger(path, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(path)
        ledger.entries.sign(signer)
        ledger.observe(traces(700))
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        ledger.observe(traces(1_100)[700:])
        return Scene(path, keys, checkpoint(ledger))


@pytest.fixture
def scene(made: Scene, path: Path) -> Scene:
    shutil.copy(made.path, path)
    return Scene(path, made.keys, made.pin)


def verified(scene: Scene, jobs: int) -> Verification:
    return verify_entries(scene.path, SIZES, jobs=jobs, stretch=STRETCH)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes were started, each time."""
    counts: list[int] = []

    class Counted(side_by_side.Readers):
        def __init__(self, count: int) -> None:
            counts.append(count)
            super().__init__(count)

    monkeypatch.setattr(verification, "Readers", Counted)
    return counts


def children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(each) for each in text.split()]


def test_a_sound_ledger_is_sound_to_all(scene: Scene, started: list[int]) -> None:
    alone, beside = verified(scene, 1), verified(scene, 3)
    assert started == [3]
    assert alone == beside
    assert beside.count == 0
    with Ledger(scene.path) as ledger:
        last = ledger.last_position()
        assert beside.size == last > 4 * STRETCH
        hashes = TileHashes(last, ledger.entries.read_tile)
        assert beside.roots == {size: frontier_of(size, hashes).root() for size in (0, *SIZES)}
    assert children() == [], "all ended with it"


CRIMES = {
    "columns at the edges of stretches": (
        "UPDATE events SET region = 'x' WHERE position IN (1, 256, 257, 512, 513, 1025)"
    ),
    "an entry": "UPDATE events SET entry = replace(entry, 'cce', 'asm') WHERE position = 700",
    "a recorded time that goes back over an edge": (
        "UPDATE events SET entry = replace(entry, recorded_at, '1999-01-01T00:00:00.000000Z'), "
        "recorded_at = '1999-01-01T00:00:00.000000Z' WHERE position = 513"
    ),
    "a recorded time that is none before an edge": (
        "UPDATE events SET recorded_at = x'00' WHERE position = 512"
    ),
    "a recorded time that is no text": (
        "UPDATE events SET recorded_at = CAST(recorded_at || x'ff' AS TEXT) WHERE position = 512"
    ),
    "bytes": "UPDATE events SET entry = CAST(entry AS BLOB) WHERE position IN (300, 800)",
    "no UTF-8": "UPDATE events SET entry = CAST(entry || x'ff' AS TEXT) WHERE position = 800",
    "a column as bytes": (
        "UPDATE events SET region = CAST(region AS BLOB) WHERE position = "
        "(SELECT max(position) FROM events WHERE region IS NOT NULL AND position < 400)"
    ),
    "whose command it was": "UPDATE events SET command_id = 'x' WHERE position IN (9, 256, 900)",
    "a command taken away": "DELETE FROM commands WHERE first_position = 256",
    "a command that reaches further": (
        "UPDATE commands SET last_position = last_position + 9 WHERE first_position = 255"
    ),
    "a command that never ends": (
        "UPDATE commands SET last_position = 1 << 60 WHERE first_position = 255"
    ),
    "a command's positions as text": (
        "UPDATE commands SET first_position = 'x' WHERE first_position = 255"
    ),
    "a command renamed": (
        "UPDATE commands SET command_id = CAST(command_id AS BLOB) WHERE first_position = 255"
    ),
    "versions": "UPDATE events SET version = 10000 + version WHERE position = 700",
    "a full tile": "UPDATE tiles SET data = zeroblob(8192) WHERE level = 0 AND tile = 2",
    "the last tile": "UPDATE tiles SET data = x'' WHERE level = 0 AND tile = 4",
    "a tile above": "UPDATE tiles SET data = zeroblob(32) WHERE level = 1",
    "a name": "UPDATE subjects SET name = name || 'x'",
    "more than are kept": "UPDATE events SET region = 'x' WHERE position > 100",
    "one taken out": "DELETE FROM events WHERE position = 600",
    "one renumbered": "UPDATE events SET position = 1 << 40 WHERE position = 600",
    "one before the first": "UPDATE events SET position = 0 WHERE position = 600",
    "the end cut off": "DELETE FROM events WHERE position > 1000",
}


@pytest.mark.parametrize("crime", CRIMES.values(), ids=CRIMES)
def test_several_find_what_one_finds(
    scene: Scene, crime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.hands() as db:
        db.execute(_loosened(db, "commands"))
        db.execute("PRAGMA writable_schema = RESET")
        assert db.execute(crime).rowcount > 0
    alone, beside = verified(scene, 1), verified(scene, 2)
    assert [*map(str, alone.findings)] == [*map(str, beside.findings)]
    assert alone == beside
    assert alone.count > 0
    monkeypatch.setattr(Shapes, "learn", lambda *_: None)
    assert verified(scene, 1) == alone, "without patterns each row is looked at in full"


def _loosened(db: sqlite3.Connection, table: str) -> str:
    """What lets a table take values of any type."""
    db.execute("PRAGMA writable_schema = ON")
    return (
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT, ', ''), ' NOT NULL', '') "
        f"WHERE name = '{table}'"
    )


def test_what_is_appended_meanwhile_is_no_crime(scene: Scene) -> None:
    with Ledger(scene.path, log_keys=scene.keys) as ledger:
        before = ledger.last_position()

        def append(name: str, done: int, last: int) -> None:
            ledger.execute(login(f"region-{done}"))

        done = verify_entries(scene.path, SIZES, append, jobs=2, stretch=STRETCH)
        assert ledger.last_position() > before
    assert done.findings == []
    assert done.size == before


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its children in /proc")
def test_when_a_process_is_killed_the_ledger_is_read_without_it(
    scene: Scene, started: list[int]
) -> None:
    killed: list[int] = []

    def kill(name: str, done: int, last: int) -> None:
        if not killed:
            killed.extend(children())
            for child in killed:
                os.kill(child, signal.SIGKILL)

    # So many stretches that not all are read before the first is taken.
    done = verify_entries(scene.path, SIZES, kill, jobs=2, stretch=STRETCH)
    assert len(killed) == 2
    assert done == verified(scene, 1)


def test_a_short_ledger_is_read_by_this_process(scene: Scene, started: list[int]) -> None:
    assert verify_entries(scene.path, SIZES, jobs=2) == verified(scene, 1)
    assert started == []


def test_positions_with_gaps_are_read_by_this_process(scene: Scene, started: list[int]) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM events WHERE position BETWEEN 300 AND 310")
    log_made_anew(scene)
    done = verified(scene, 2)
    assert started == [2]
    assert str(done.findings[0]).startswith("position 311: it follows on position 299")


def test_progress_is_told_in_order(scene: Scene) -> None:
    told: list[tuple[str, int, int]] = []
    on_progress: Callable[[str, int, int], None] = lambda *said: told.append(said)  # noqa: E731
    done = verify_entries(scene.path, (), on_progress, jobs=2, stretch=STRETCH)
    assert told == [
        ("entries", min(at + STRETCH, done.size), done.size) for at in range(0, done.size, STRETCH)
    ]


def test_an_index_that_lacks_a_row_is_found_where_it_is_asked_for(scene: Scene) -> None:
    with scene.hands() as db:
        (row,) = db.execute("SELECT max(position) FROM events WHERE region = 'region-1'").fetchone()
        _without_a_row(db, "events_by_region", row)
    assert verify_entries(scene.path, jobs=1).findings == []
    for jobs in (1, 2):
        found = verify_entries(scene.path, jobs=jobs, indexes=True, stretch=STRETCH).findings
        assert [*map(str, found)] == [
            f"indexes: row {row} missing from index events_by_region",
            "indexes: wrong # of entries in index events_by_region",
        ]


def _without_a_row(db: sqlite3.Connection, index: str, position: int) -> None:
    """The index is declared to lack the row, made so, and declared to be whole again."""
    (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
    db.execute(f"DROP INDEX {index}")
    db.execute(f"{sql} AND position <> {position}")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, index))
    db.execute("PRAGMA writable_schema = RESET")
