"""Several processes that verify one ledger find what one process finds, in the same order."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import PersistenceError

from ledger.application import Ledger
from ledger.errors import InvalidInput
from ledger.log.signer import LogSigner
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tree import frontier_of
from ledger.persistence.location import location_of
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import AnotherLedger, Row
from ledger.verification import entries, workers
from ledger.verification.entries import Verification, verify_entries
from ledger.verification.row_check import faults
from ledger.verification.row_patterns import Shapes
from ledger.verification.segment import Asked, StretchReader
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.verification.crimes import ORIGIN, Scene, checkpoint, log_made_anew
from tests.ledger.worlds import Place, traces
from tests.postgres import Server

STRETCH = 256
SIZES = (1, 255, 256, 257, 600, 768, 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return ledger_made(tmp_path_factory.mktemp("db") / "ledger.db", tmp_path_factory)


@pytest.fixture(scope="module")
def made_database(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    name = server.take()
    yield ledger_made(server.url(name), tmp_path_factory)
    server.give_back(name)


def ledger_made(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Four stretches and a piece, with commands of one entry and of many."""
    keys = tmp_path_factory.mktemp("config")
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.entries.sign(signer)
        ledger.observe(traces(700))
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        ledger.observe(traces(1_100)[700:])
        return Scene(place, keys, checkpoint(ledger), keys)


@pytest.fixture
def scene(place: Place, request: pytest.FixtureRequest) -> Scene:
    """A copy, which a crime may be committed on."""
    if isinstance(place, Path):
        made = request.getfixturevalue("made")
        shutil.copy(made.place, place)
    else:
        made = request.getfixturevalue("made_database")
        copy_of(made.place, place)
    return Scene(place, made.keys, made.pin, made.folder)


def copy_of(made: str, place: str) -> None:
    Ledger(place).close()
    with psycopg.connect(made) as one, psycopg.connect(place) as other:
        for table in (b"events", b"commands", b"subjects", b"tiles", b"checkpoint"):
            with (
                one.cursor().copy(b"COPY ledger.%s TO STDOUT" % table) as rows,
                other.cursor().copy(b"COPY ledger.%s FROM STDIN" % table) as copy,
            ):
                for row in rows:
                    copy.write(row)


def verified(scene: Scene, jobs: int) -> Verification:
    return verify_entries(scene.place, SIZES, jobs=jobs, stretch=STRETCH, alone_max=STRETCH)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes were started, each time."""
    counts: list[int] = []

    class Counted(workers.Readers):
        def __init__(self, count: int) -> None:
            counts.append(count)
            super().__init__(count)

    monkeypatch.setattr(entries, "Readers", Counted)
    return counts


def children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(each) for each in text.split()]


def test_a_sound_ledger_is_sound_to_all(scene: Scene, started: list[int]) -> None:
    others = children()  # Such as a server.
    alone, beside = verified(scene, 1), verified(scene, 3)
    assert started == [3]
    assert alone == beside
    assert beside.count == 0
    with Ledger(scene.place) as ledger:
        last = ledger.last_position()
        assert beside.size == last > 4 * STRETCH
        hashes = TileHashes(last, ledger.entries.read_tile)
        assert beside.roots == {size: frontier_of(size, hashes).root() for size in (0, *SIZES)}
    assert children() == others, "all ended with it"


BOTH = {
    "columns at the edges of stretches": (
        "UPDATE events SET region = 'x' WHERE position IN (1, 256, 257, 512, 513, 1025)"
    ),
    "an entry": "UPDATE events SET entry = replace(entry, 'cce', 'asm') WHERE position = 700",
    "a recorded time that goes back over an edge": (
        "UPDATE events SET entry = replace(entry, recorded_at, '1999-01-01T00:00:00.000000Z'), "
        "recorded_at = '1999-01-01T00:00:00.000000Z' WHERE position = 513"
    ),
    "a recorded time taken away before an edge": (
        "UPDATE events SET recorded_at = NULL WHERE position = 512"
    ),
    "whose command it was": "UPDATE events SET command_id = 'x' WHERE position IN (9, 256, 900)",
    "a command taken away": "DELETE FROM commands WHERE first_position = 256",
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
    "more than are kept": "UPDATE events SET region = 'x' WHERE position > 100",
    "one taken out": "DELETE FROM events WHERE position = 600",
    "one renumbered": "UPDATE events SET position = 1099511627776 WHERE position = 600",
    "one before the first": "UPDATE events SET position = 0 WHERE position = 600",
    "the end cut off": "DELETE FROM events WHERE position > 1000",
}

OF_FILES = {
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
    "all that leaves the positions as they are": "; ".join(
        crime for crime in BOTH.values() if "position = 600" not in crime and "> 100" not in crime
    ),
    "one taken out": BOTH["one taken out"],
    "columns of other types": (
        "ALTER TABLE events ALTER recorded_at TYPE timestamptz USING recorded_at::timestamptz; "
        "ALTER TABLE events ALTER trustee TYPE json USING to_json(trustee); "
        "ALTER TABLE events ALTER entry TYPE bytea USING entry::bytea"
    ),
    "no column but one that is JSON": (
        "ALTER TABLE events ALTER trustee TYPE json USING to_json(trustee)"
    ),
    "a row that stands twice at the end of a stretch": (
        f"{WITHOUT_KEYS} INSERT INTO events (position, stream, version, topic, entry, type, "
        "command_id) SELECT position, 'mine', 1, topic, entry, type, command_id FROM events "
        "WHERE position = 512"
    ),
    "a row in the place of another": (
        f"{WITHOUT_KEYS} UPDATE events SET position = 512 WHERE position = 511"
    ),
}


@pytest.mark.parametrize("crime", (BOTH | OF_FILES).values(), ids=BOTH | OF_FILES)
def test_several_find_what_one_finds(
    scene: Scene, path: Path, crime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.hands() as db:
        db.execute(_loosened(db, "commands"))
        db.execute("PRAGMA writable_schema = RESET")
        assert db.execute(crime).rowcount > 0
    as_one(scene, monkeypatch)


def as_one(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """They find the same."""
    alone, beside = verified(scene, 1), verified(scene, 2)
    assert [*map(str, alone.findings)] == [*map(str, beside.findings)]
    assert alone == beside
    assert alone.count > 0
    monkeypatch.setattr(Shapes, "learn", lambda *_: None)
    assert verified(scene, 1) == alone, "without patterns each row is looked at in full"


@pytest.mark.parametrize("crime", OF_DATABASES.values(), ids=OF_DATABASES)
def test_several_find_in_a_database_what_one_finds(
    scene: Scene, database: str, crime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns the tables can give them other types as well, and take their keys away."""
    with scene.hands() as db:
        db.execute(crime)
    as_one(scene, monkeypatch)


def _loosened(db: sqlite3.Connection, table: str) -> str:
    """What lets a table take values of any type."""
    db.execute("PRAGMA writable_schema = ON")
    return (
        "UPDATE sqlite_schema SET sql = replace(replace(sql, 'STRICT, ', ''), ' NOT NULL', '') "
        f"WHERE name = '{table}'"
    )


def test_what_is_appended_meanwhile_is_no_crime(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        before = ledger.last_position()

        def append(name: str, done: int, last: int) -> None:
            ledger.execute(login(f"region-{done}"))

        done = verify_entries(
            scene.place, SIZES, append, jobs=2, stretch=STRETCH, alone_max=STRETCH
        )
        assert ledger.last_position() > before
    assert done.findings == []
    assert done.size == before


def test_who_reads_beside_reads_the_same_ledger(scene: Scene, tmp_path: Path) -> None:
    """And in a database the same moment of it, whatever is appended meanwhile."""
    location = location_of(scene.place)
    with stored_rows(location) as rows, Ledger(scene.place, log_keys=tmp_path) as ledger:
        moment, before = rows.moment(), rows.extent()
        ledger.execute(login("cn-south-1"))
        with stored_rows(location, moment) as beside:
            assert (beside.extent() == before) is not isinstance(scene.place, Path)
    with (
        pytest.raises((AnotherLedger, PersistenceError)),
        stored_rows(location, f"{moment}0"),
    ):
        pass


def test_good_rows_are_looked_at_by_their_shapes(scene: Scene) -> None:
    looked_at: list[int] = []

    def judge(row: Row, entry: bytes, before: int, recorded_at: str) -> list[str]:
        looked_at.append(row[0])
        return faults(row, entry, before, recorded_at)

    with stored_rows(location_of(scene.place)) as rows:
        read = StretchReader(rows, judge).read(Asked(0, 1024, 0, 0, ""))
    assert read.size == 1024
    assert 0 < len(looked_at) < 20, "one of each shape"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its children in /proc")
def test_when_a_process_is_killed_the_ledger_is_read_without_it(
    scene: Scene, started: list[int]
) -> None:
    killed, others = list[int](), children()

    def kill(name: str, done: int, last: int) -> None:
        if not killed:
            killed.extend(each for each in children() if each not in others)
            for child in killed:
                os.kill(child, signal.SIGKILL)

    # So many stretches that not all are read before the first is taken.
    done = verify_entries(scene.place, SIZES, kill, jobs=2, stretch=STRETCH, alone_max=STRETCH)
    assert len(killed) == 2
    assert done == verified(scene, 1)


def test_a_short_ledger_is_read_by_this_process(scene: Scene, started: list[int]) -> None:
    assert verify_entries(scene.place, SIZES, jobs=2) == verified(scene, 1)
    assert started == []


def test_positions_with_gaps_are_read_by_this_process(scene: Scene, started: list[int]) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM events WHERE position BETWEEN 300 AND 310")
    log_made_anew(scene)
    done = verified(scene, 2)
    assert started == []
    assert str(done.findings[0]).startswith("position 311: it follows on position 299")


def test_progress_is_told_in_order(scene: Scene) -> None:
    told: list[tuple[str, int, int]] = []
    on_progress: Callable[[str, int, int], None] = lambda *said: told.append(said)  # noqa: E731
    done = verify_entries(scene.place, (), on_progress, jobs=2, stretch=STRETCH, alone_max=STRETCH)
    assert told == [
        ("entries", min(at + STRETCH, done.size), done.size) for at in range(0, done.size, STRETCH)
    ]


def test_an_index_that_lacks_a_row_is_found_where_it_is_asked_for(scene: Scene, path: Path) -> None:
    with scene.hands() as db:
        (row,) = db.execute("SELECT max(position) FROM events WHERE region = 'region-1'").fetchone()
        _without_a_row(db, "events_by_region", row)
    assert verify_entries(path, jobs=1).findings == []
    for jobs in (1, 2):
        found = verify_entries(
            path, jobs=jobs, indexes=True, stretch=STRETCH, alone_max=STRETCH
        ).findings
        assert [*map(str, found)] == [
            f"indexes: row {row} missing from index events_by_region",
            "indexes: wrong # of entries in index events_by_region",
        ]


def test_indexes_of_a_database_are_said_not_to_be_looked_at(scene: Scene, database: str) -> None:
    with pytest.raises(InvalidInput, match="are not looked at"):
        verify_entries(database, indexes=True)


def _without_a_row(db: sqlite3.Connection, index: str, position: int) -> None:
    """The index is declared to lack the row, made so, and declared to be whole again."""
    (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()
    db.execute(f"DROP INDEX {index}")
    db.execute(f"{sql} AND position <> {position}")
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, index))
    db.execute("PRAGMA writable_schema = RESET")
