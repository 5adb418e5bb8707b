"""An older ledger becomes one of today's format: nothing is lost, whatever happens meanwhile."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.application import Ledger
from ledger.errors import StoreUnavailable
from ledger.log.key_folder import LogKey
from ledger.persistence.columns import COLUMNS
from ledger.persistence.side_tables import SideRows
from ledger.persistence.sqlite import migration
from ledger.persistence.sqlite.connections import Datastore
from ledger.persistence.sqlite.migration import Migration
from ledger.persistence.sqlite.recorder import LedgerRecorder
from ledger.verification.entries import verify_entries
from ledger.verification.verdict import verify
from tests.ledger.former_tables import TRIGGERS_OF_FILES, make_former
from tests.ledger.persistence.migrated import assert_migrated, contents, filled, is_migrated
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import ORIGIN, Place, consent, datastore_of, raw, sound


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "BATCH", 50)


# -- before and after ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3])
def test_all_rows_and_the_root_are_the_same_before_and_after(
    place: Place, keys: Path, version: int
) -> None:
    if version == 1 and not isinstance(place, Path):
        pytest.skip("there was no format 1 on PostgreSQL")
    filled(place, keys)
    before = contents(place)
    assert min(map(len, before.values())) > 0, "each table has rows"
    make_former(place, version)
    assert not is_migrated(place)
    if version < 3:  # These formats did not have all tables.
        before["documents"] = []
    if version < 2:
        before["checkpoint"] = []
    assert_migrated(place, before)
    if version > 1:
        note, key = before["checkpoint"][0][0], LogKey(keys, ORIGIN)
        verdict = verify(place, note, [key.verifier], pins={}, record=key.last())
        assert verdict.verified
    with Ledger(place, log_keys=keys) as ledger:
        consent(ledger, BEIJING)
    sound(place)


def test_a_migrated_file_has_the_same_tables_as_a_new_one(old: Path, tmp_path: Path) -> None:
    Ledger(old).close()
    Ledger(tmp_path / "new.db").close()
    select = "SELECT type, name, replace(sql, '\"', '') FROM sqlite_schema ORDER BY name"
    with raw(old) as db, raw(tmp_path / "new.db") as new:
        migrated = db.execute(select).fetchall()
        assert migrated == new.execute(select).fetchall()


def test_the_file_is_a_third_smaller(old: Path) -> None:
    before = old.stat().st_size
    Ledger(old).close()
    assert old.stat().st_size < 2 / 3 * before
    assert not Path(f"{old}-wal").exists()


def test_a_file_that_cannot_be_made_shorter_now_is_used_as_it_is(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, shrink = contents(old), Migration._shrink

    def while_another_writes(self: Migration) -> None:
        with raw(old) as other:
            other.execute("BEGIN IMMEDIATE")
            shrink(self)

    monkeypatch.setattr(Migration, "_shrink", while_another_writes)
    Ledger(old, lock_timeout_s=1).close()
    assert_migrated(old, before)


def test_bytes_of_erased_names_are_overwritten_after_a_migration_too(old: Path) -> None:
    with (
        Ledger(old) as ledger,
        datastore_of(ledger).get_connection(commit=False) as connection,
    ):
        cursor = connection.cursor()
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1


def test_a_view_over_the_old_columns_does_not_keep_the_ledger_from_being_opened(
    old: Path,
) -> None:
    before = contents(old)
    with raw(old) as db:
        db.execute("CREATE VIEW mine AS SELECT region, count(*) FROM events GROUP BY region")
    assert_migrated(old, before)


# -- an older process at the same time ------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 3])
def test_entries_that_an_older_process_appends_meanwhile_are_kept(
    old: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """It appends as format 3 does: the five columns, the leaf, the command. A file of format 1 is
    one of that format as soon as it has a log.
    """
    if version == 1:
        make_former(old, 1)
    other = LedgerRecorder(Datastore(f"file:{old}?mode=rw", originator_id_type="text"))
    appended = 0

    def append() -> None:
        nonlocal appended
        appended += 1
        last = other.select_events("account:huaweicloud:account-1", desc=True, limit=1)[0]
        fields = json.loads(last.state)
        fields |= {"version": last.originator_version + 1, "command_id": f"former-{appended}"}
        state = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        event = StoredEvent(last.originator_id, fields["version"], last.topic, state.encode())
        other.append([event], SideRows(commands=[(f"former-{appended}", None, 1)]))

    def with_an_append(work: Callable[[Migration], Any]) -> Callable[[Migration], Any]:
        def done(self: Migration) -> Any:
            append()
            with raw(old) as db:
                assert db.execute("PRAGMA user_version").fetchone() == (3,)
            return work(self)

        return done

    for name in ("_copy", "_finish") if version == 1 else ("_begin", "_copy", "_finish"):
        monkeypatch.setattr(Migration, name, with_an_append(getattr(Migration, name)))
    last = len(exactly(old))
    Ledger(old).close()
    assert appended > 5
    after = contents(old)
    other.datastore.close()
    assert len(after["events"]) == last + appended
    assert_migrated(old, after)


def test_an_older_process_appends_nothing_to_a_migrated_ledger(old: Path) -> None:
    """Its first statement reads a column that is gone."""
    Ledger(old).close()
    with raw(old) as db, pytest.raises(sqlite3.OperationalError, match="no such column"):
        db.execute("SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1")


# -- rows that were altered ----------------------------------------------------------------------

ALTERED = {
    "another text": (
        """UPDATE events SET entry = replace(entry, 'at":"20', 'at":"19') WHERE position = 60"""
    ),
    "another stream": "UPDATE events SET stream = 'mine' WHERE position = 60",
    "bytes": "UPDATE events SET entry = CAST(entry AS BLOB) WHERE position = 60",
    "a number": "UPDATE events SET topic = 7 WHERE position = 60",
    "not UTF-8": "UPDATE events SET entry = CAST(entry || x'ff' AS TEXT) WHERE position = 60",
    "nothing": "UPDATE events SET topic = NULL WHERE position = 60",
    "a position below all": "UPDATE events SET position = -5 WHERE position = 60",
    "a removed entry": "DELETE FROM events WHERE position = 60",
}


@pytest.mark.parametrize("alteration", ALTERED.values(), ids=ALTERED)
def test_an_altered_entry_stays_as_it_is_and_is_found_afterwards(
    old: Path, alteration: str
) -> None:
    """Types and triggers are put back, as somebody does who wants nothing to be seen."""
    with raw(old) as db:
        (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'events'").fetchone()
        db.execute("DROP TRIGGER events_are_never_changed")
        db.execute("DROP TRIGGER events_are_never_deleted")
        declare = "UPDATE sqlite_schema SET sql = ? WHERE name = 'events'"
        loose = re.sub(" GENERATED .* STORED|STRICT$| NOT NULL|(?<=topic) TEXT", "", sql)
        for declared in (loose, sql):
            db.execute("PRAGMA writable_schema = ON")
            db.execute(declare, (declared,))
            db.execute("PRAGMA writable_schema = RESET")
            if declared == loose:
                db.execute(alteration)
        for trigger in TRIGGERS_OF_FILES:
            db.execute(trigger)
    before, found = exactly(old), [str(each) for each in verify_entries(old).findings]
    assert found
    Ledger(old).close()
    assert is_migrated(old)
    assert exactly(old) == before
    after = [str(each) for each in verify_entries(old).findings]
    assert [each for each in after if "takes values of any type" not in each] == found
    Ledger(old, create=False).close()


def exactly(path: Path) -> list[tuple[Any, ...]]:
    """The rows with their types, byte for byte."""
    values = ", ".join(f"typeof({name}), CAST({name} AS BLOB)" for name in COLUMNS)
    with raw(path) as db:
        return db.execute(f"SELECT {values} FROM events ORDER BY position").fetchall()  # type: ignore[no-any-return]


def test_a_copy_that_differs_does_not_take_the_place_of_the_entries(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(old)
    finish = Migration._finish

    def spoiled(self: Migration) -> bool:
        with raw(old) as db:
            db.execute("UPDATE events_migrating SET entry = 'x' WHERE position = 60")
        return finish(self)

    with monkeypatch.context() as patch:
        patch.setattr(Migration, "_finish", spoiled)
        with pytest.raises(StoreUnavailable, match="copy of position 60 differs") as raised:
            Ledger(old)
        assert "open the ledger again" in raised.value.remedy
    with raw(old) as db:
        assert db.execute("SELECT count(*) FROM events_migrating").fetchone()[0] > 0
    assert not is_migrated(old)
    assert contents(old) == before
    assert_migrated(old, before)
    with raw(old) as db:
        strict = "SELECT strict FROM pragma_table_list WHERE name = 'events'"
        assert db.execute(strict).fetchone() == (1,), "its types are those of a new ledger"


# -- a full disk ---------------------------------------------------------------------------------


def test_without_room_for_a_second_table_the_ledger_is_used_as_it_is(
    former: Path, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, ballast = small_disk / "ledger.db", small_disk / "ballast"
    shutil.copy(former, path)
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"x" * (free - path.stat().st_size + 50_000))
    with Ledger(path, create=False) as ledger:
        assert ledger.execute(login("another")).entries
    assert "less than" in caplog.text
    assert "It is used as it is. Free some space" in caplog.text
    assert not is_migrated(path)
    sound(path)
    before = contents(path)
    ballast.unlink()
    assert_migrated(path, before)


def test_a_disk_that_becomes_full_meanwhile_leaves_the_old_table_in_use(
    former: Path, small_disk: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, ballast = small_disk / "ledger.db", small_disk / "ballast"
    shutil.copy(former, path)
    before = contents(path)
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"x" * (free - 300_000))
    monkeypatch.setattr(Migration, "_check_room", lambda _: None)
    with Ledger(path, create=False) as ledger:
        assert ledger.last_position() == len(before["events"])
    assert not is_migrated(path)
    with raw(path) as db:
        assert db.execute("SELECT count(*) FROM events_migrating").fetchone()[0] > 0
    assert contents(path) == before
    ballast.unlink()
    assert_migrated(path, before)
