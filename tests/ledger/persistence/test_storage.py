"""The promises of a file: format, order, times and positions."""

from __future__ import annotations

import json
import sqlite3
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated
from ledger.application import Ledger
from ledger.errors import (
    ClockDisagrees,
    NotFound,
)
from ledger.persistence.columns import APPLICATION_ID, FORMAT_VERSION
from ledger.persistence.sqlite.connections import Datastore
from ledger.persistence.sqlite.recorder import LedgerRecorder
from ledger.values import instant_text
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    SHANGHAI,
    login,
    revoke,
)
from tests.ledger.worlds import (
    Clock,
    Place,
    consent,
    datastore_of,
    raw,
    seen,
    sound,
    texts,
    traces,
    unchecked,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


# -- the file ------------------------------------------------------------------------------------


def test_every_connection_syncs_fully_into_a_write_ahead_log(ledger: Ledger, path: Path) -> None:
    pool = datastore_of(ledger).pool
    connections = [pool.get_connection(is_writer=False) for _ in range(4)]
    try:
        for connection in connections:
            for pragma, value in (
                ("journal_mode", "wal"),
                ("synchronous", 2),
                ("secure_delete", 1),
            ):
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA {pragma}")
                assert cursor.fetchone()[0] == value
    finally:
        for connection in connections:
            pool.put_connection(connection)


def test_the_header_says_that_it_is_a_ledger_and_of_which_format(
    ledger: Ledger, path: Path
) -> None:
    ledger.close()
    with raw(path) as db:
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA user_version").fetchone() == (FORMAT_VERSION,)
    assert path.read_bytes()[68:72] == b"auth"


def test_every_table_is_strict(ledger: Ledger, path: Path) -> None:
    with raw(path) as db:
        kept = db.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
        strict = dict(kept.fetchall())
    del strict["sqlite_schema"]
    tables = {"events", "commands", "subjects", "documents", "snapshots", "tiles", "checkpoint"}
    assert strict == dict.fromkeys(tables, 1)


def test_a_row_is_the_entry_and_what_it_is_found_by(ledger: Ledger, place: Place) -> None:
    """Nothing is stored that could disagree with the entry, but the stream, version and topic."""
    consent(ledger, BEIJING)
    with raw(place) as db:
        rows = db.execute("SELECT * FROM events ORDER BY position")
        names = ["position", "stream", "version", "topic", "entry"]
        assert [each[0] for each in rows.description] == names
        for _, stream, version, topic, entry in rows.fetchall():
            fields = json.loads(entry)
            assert (stream, version, topic) == tuple(map(fields.get, names[1:4]))


def test_the_table_has_the_index_that_guards_the_versions_and_no_other(
    ledger: Ledger, path: Path
) -> None:
    with raw(path) as db:
        (index,) = db.execute("SELECT name, \"unique\" FROM pragma_index_list('events')").fetchall()
        names = db.execute("SELECT name FROM pragma_index_info(?)", (index[0],)).fetchall()
        columns = db.execute("PRAGMA table_xinfo(events)").fetchall()
    assert index[1] == 1
    assert names == [("stream",), ("version",)]
    assert [each[6] for each in columns] == [0] * 5, "nothing is generated"


def test_an_event_is_never_changed_and_never_deleted(ledger: Ledger, path: Path) -> None:
    consent(ledger, BEIJING)
    before = texts(ledger)
    with raw(path) as db:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute("UPDATE events SET entry = '{}' WHERE position = 1")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            db.execute("DELETE FROM events")
    assert texts(ledger) == before


def test_positions_are_dense_and_versions_continue_in_each_stream(
    ledger: Ledger, place: Place
) -> None:
    consent(ledger, BEIJING)
    ledger.observe(traces(200))
    consent(ledger, SHANGHAI)
    assert [entry.position for entry in ledger.history()] == list(
        range(1, ledger.last_position() + 1)
    )
    sound(place)


def test_a_position_is_not_used_again_after_a_failed_append(ledger: Ledger, place: Place) -> None:
    consent(ledger, BEIJING)
    recorder = ledger.entries
    last = ledger.last_position()
    taken = recorder.select_notifications(1, 1)[0]
    new = StoredEvent(
        "account:huaweicloud:x", 1, taken.topic, b'{"recorded_at":"' + b"9" * 27 + b'"}'
    )
    again = StoredEvent(taken.originator_id, taken.originator_version, taken.topic, taken.state)
    from eventsourcing.persistence import IntegrityError

    with pytest.raises(IntegrityError):
        unchecked(ledger).entries.insert_events([new, again])
    assert ledger.last_position() == last
    assert ledger.execute(login(SHANGHAI)).entries[0].position == last + 1
    sound(place)


def test_a_transaction_takes_the_write_lock_when_it_begins(path: Path, ledger: Ledger) -> None:
    with (
        datastore_of(ledger).transaction(commit=True),
        raw(path) as db,
    ):
        db.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            db.execute("BEGIN IMMEDIATE")


def test_readers_are_not_kept_waiting_by_a_writer(path: Path, ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    with (
        datastore_of(ledger).transaction(commit=True),
        Ledger(path, lock_timeout_s=1) as other,
    ):
        assert other.last_position() == ledger.last_position()


def test_all_entries_are_there_when_the_ledger_is_opened_again(place: Place) -> None:
    with Ledger(place) as ledger:
        consent(ledger, BEIJING)
        before = list(ledger.history())
    with Ledger(place, create=False) as again:
        assert list(again.history()) == before


def test_entries_know_their_position_however_they_are_read(ledger: Ledger) -> None:
    appended = consent(ledger, BEIJING)
    assert [entry.position for entry in appended] == [1, 2, *range(3, 3 + len(appended) - 2)]
    stream = list(ledger.stream(f"account:huaweicloud:{ACCOUNT}"))
    assert stream == [entry for entry in ledger.history() if entry.stream.startswith("account:")]


def test_a_folder_is_created_for_a_new_ledger_and_not_for_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no ledger at .*there\.db"):
        Ledger(tmp_path / "not" / "there.db", create=False)
    assert not (tmp_path / "not").exists()
    with Ledger(tmp_path / "not" / "yet" / "there.db") as ledger:
        assert ledger.last_position() == 0


@pytest.mark.parametrize(
    "name", ["with space.db", "100% #1?.db", "日本語 🛡️.db", "a;b&c=d.db", "\udcff.db"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with Ledger(tmp_path / name) as ledger:
        consent(ledger, BEIJING)
    assert (tmp_path / name).stat().st_size > 0
    assert {path.name for path in tmp_path.iterdir()} == {name}


# -- times ---------------------------------------------------------------------------------------


def test_recorded_times_never_decrease_when_the_clock_jumps_back(
    ledger: Ledger, clock: Clock, place: Place
) -> None:
    consent(ledger, BEIJING)
    latest = clock.now
    clock.now -= timedelta(minutes=4)
    consent(ledger, SHANGHAI)
    ledger.observe(traces(3))
    times = [entry.recorded_at for entry in ledger.history()]
    assert times == sorted(times)
    assert times[-1] <= latest
    sound(place)


@settings(max_examples=25)
@given(jumps=st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=12))
def test_recorded_times_never_decrease_with_any_clock(
    jumps: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock()
    with Ledger(tmp_path_factory.mktemp("jumps") / "ledger.db", clock=clock) as ledger:
        for jump in jumps:
            clock.now += timedelta(seconds=jump)
            with suppress(ClockDisagrees):  # It is too far behind.
                ledger.execute(login(BEIJING))
        times = [entry.recorded_at for entry in ledger.history()]
        assert times == sorted(times)
        for time in set(times):
            last = max(p for p, t in enumerate(times, start=1) if t <= time)
            assert ledger.entries.position_at(instant_text(time)) == last
        assert ledger.entries.position_at(instant_text(times[0] - timedelta(seconds=1))) == 0


def test_a_command_takes_effect_no_earlier_than_the_known_facts(
    ledger: Ledger, clock: Clock
) -> None:
    consent(ledger, BEIJING)
    clock.now -= timedelta(minutes=4)
    latest = max(entry.effective_at for entry in ledger.history())
    (login_, *_) = ledger.execute(login(BEIJING)).entries
    assert login_.effective_at == latest
    ledger.execute(revoke(BEIJING))
    assert ledger.account("huaweicloud", ACCOUNT).regions_of(AGENCY) == ()


def test_a_late_fact_takes_effect_when_it_happened(ledger: Ledger) -> None:
    at = NOON - timedelta(days=30)
    ledger.observe([seen("t1", AgencyCreated(agency="backup"), at=at)])
    (entry,) = (each for each in ledger.history() if isinstance(each.event, AgencyCreated))
    assert entry.effective_at == at
    assert entry.recorded_at > at
    assert entry.origin == "observed"
    assert entry.source is not None
    assert entry.source.trace_id == "t1"


# -- the recorder by itself ----------------------------------------------------------------------


def test_a_page_may_be_of_some_topics_only(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    topics = ["AgencyCreated.v1", "PolicyCreated.v1"]
    page = ledger.entries.select_notifications(1, 10, topics=topics)
    assert [entry.topic for entry in page] == topics


def test_history_is_read_in_pages_without_a_gap(ledger: Ledger) -> None:
    ledger.observe(traces(2_300))
    positions = [entry.position for entry in ledger.history()]
    assert positions == list(range(1, ledger.last_position() + 1))
    assert len(positions) > 2_000
    middle = [entry.position for entry in ledger.history(900, 2_100)]
    assert middle == list(range(900, 2_101))


def test_an_entry_is_shown_exactly_as_stored(ledger: Ledger, place: Place) -> None:
    consent(ledger, BEIJING)
    with raw(place) as db:
        (stored,) = db.execute("SELECT entry FROM events WHERE position = 3").fetchone()
    assert ledger.entry_text(3) == stored
    with pytest.raises(NotFound, match="Position 99 does not exist; the last position is"):
        ledger.entry_text(99)


def test_a_ledger_in_memory_serves_the_library_too() -> None:
    recorder = LedgerRecorder(Datastore(":memory:"))
    recorder.create_table()
    recorder.insert_events([StoredEvent(uuid.uuid4(), 1, "topic1", b"state1")])
    assert recorder.max_notification_id() == 1
    recorder.datastore.close()
