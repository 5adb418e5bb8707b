"""The tables and columns of a PostgreSQL ledger, and databases that are not one."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger.application import Ledger
from ledger.errors import NewerFormat, NotALedger, NotFound, StoreLocked
from ledger.persistence.columns import FORMAT_VERSION
from ledger.persistence.postgres.format import format_of
from ledger.persistence.side_tables import SideRows
from ledger.persistence.sqlite.schema import SCHEMA
from tests.ledger.scenario import BEIJING, SHANGHAI, login
from tests.ledger.worlds import consent, raw, seen, sound, texts, traces, unchecked
from tests.postgres import Server


def columns(db: Any, table: str) -> list[str]:
    return [
        name
        for (name,) in db.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = 'ledger' AND table_name = ? ORDER BY ordinal_position",
            (table,),
        )
    ]


# -- form ----------------------------------------------------------------------------------------


def test_the_tables_have_the_same_columns_as_in_a_file(database: str, tmp_path: Path) -> None:
    Ledger(database).close()
    Ledger(tmp_path / "ledger.db").close()
    with raw(database) as db, raw(tmp_path / "ledger.db") as file:
        for table in ("events", "commands", "subjects", "snapshots", "tiles", "checkpoint"):
            in_a_file = [row[1] for row in file.execute(f"PRAGMA table_xinfo({table})")]
            assert columns(db, table) == in_a_file
        indexes = db.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'events'")
        assert set(indexes) == {("events_pkey",), ("events_stream_version_key",)}
    assert len(SCHEMA) > 6


def test_text_is_ordered_by_its_bytes(database: str) -> None:
    Ledger(database).close()
    with raw(database) as db:
        others = db.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'ledger' AND data_type = 'text' "
            "AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'format'"
        ).fetchall()
    assert others == []


def test_a_ledger_has_the_same_entries_and_the_same_log_on_both(
    database: str, tmp_path: Path
) -> None:
    """Byte for byte, where chance and clock are the same."""
    with Ledger(tmp_path / "ledger.db") as file:
        consent(file, BEIJING)
        file.observe(traces(300))
        stored = file.entries.select_notifications(1, 10_000)
        events = [
            StoredEvent(e.originator_id, e.originator_version, e.topic, e.state) for e in stored
        ]
        with Ledger(database) as other:
            other.entries.append(events, SideRows())
            assert texts(other) == texts(file)
            for level, index in ((0, 0), (0, 1), (1, 0)):
                assert other.entries.read_tile(level, index, 0) == file.entries.read_tile(
                    level, index, 0
                )


# -- what is a ledger ----------------------------------------------------------------------------


def test_reading_does_not_create_a_missing_ledger(database: str) -> None:
    with pytest.raises(NotFound, match="There is no ledger in postgresql://"):
        Ledger(database, create=False)
    with raw(database) as db:
        assert db.execute("SELECT to_regnamespace('ledger')").fetchone() == (None,)


def test_an_empty_schema_becomes_a_ledger_and_other_schemas_are_left_alone(
    database: str,
) -> None:
    with raw(database) as db:
        db.execute("CREATE SCHEMA ledger")
        db.execute("CREATE TABLE public.events (position integer, note text)")
    with Ledger(database) as ledger:
        consent(ledger, BEIJING)
    with raw(database) as db:
        assert db.execute("SELECT count(*) FROM public.events").fetchone() == (0,)
    sound(database)


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE TABLE ledger.accounts (id integer)",
        "CREATE TABLE ledger.format (name text)",
        "CREATE TABLE ledger.format (application text, version integer)",
        (
            "CREATE TABLE ledger.format AS SELECT 'bookkeeper' AS application, 1 AS version; "
            "CREATE TABLE ledger.events ()"
        ),
    ],
)
def test_another_programs_schema_is_refused_and_left_unchanged(database: str, theirs: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("CREATE SCHEMA ledger")
        db.execute(theirs.encode())
        names = (
            "SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace ORDER BY 1"
        )
        before = db.execute(names.encode()).fetchall()
        with pytest.raises(NotALedger, match="belongs to another program") as raised:
            Ledger(database)
        assert raised.value.remedy
        assert db.execute(names.encode()).fetchall() == before


def test_a_ledger_of_a_newer_format_is_refused(database: str) -> None:
    Ledger(database).close()
    with raw(database) as db:
        db.execute(f"UPDATE format SET version = {FORMAT_VERSION + 1}")
    with pytest.raises(NewerFormat, match=r"format \d; this program supports formats up to \d"):
        Ledger(database)


def test_several_processes_can_open_a_new_ledger_at_once(server: Server) -> None:
    name = server.take()
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(lambda _: Ledger(server.url(name)), range(8)))
    for ledger in opened:
        assert ledger.last_position() == 0
        ledger.close()
    server.give_back(name)


def test_a_ledger_that_is_made_while_another_process_looks_for_it_is_recognised(
    database: str,
) -> None:
    class Looking(psycopg.Cursor[Any]):
        """After its first statement fails, another process makes the ledger."""

        def execute(self, *args: Any, **kwargs: Any) -> Self:
            try:
                return super().execute(*args, **kwargs)
            except psycopg.errors.UndefinedTable:
                Ledger(database).close()
                raise

    with (
        psycopg.connect(database, autocommit=True) as connection,
        Looking(connection) as cursor,
    ):
        assert format_of(cursor, database) == FORMAT_VERSION


def test_an_interrupted_creation_leaves_no_ledger(database: str) -> None:
    """All tables are made in one transaction: here the last of them cannot be."""
    with raw(database) as db:
        db.execute(
            "CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() "
            "WHERE object_identity = 'ledger.format') THEN RAISE 'no'; END IF; END $$"
        )
        db.execute("CREATE EVENT TRIGGER no ON ddl_command_end EXECUTE FUNCTION public.no()")
        with pytest.raises(Exception, match="no"):
            Ledger(database)
        db.execute("DROP EVENT TRIGGER no")
        assert db.execute("SELECT to_regnamespace('ledger')").fetchone() == (None,)
    Ledger(database).close()


# -- what the library's own recorder is known for -------------------------------------------------


def test_a_failed_append_leaves_no_gap(database: str) -> None:
    """A sequence would have gone on: nothing that was rolled back comes back."""
    with Ledger(database) as ledger:
        consent(ledger, BEIJING)
        last = ledger.last_position()
        taken = ledger.entries.select_notifications(1, 1)[0]
        for many in (1, 100):
            events = [
                StoredEvent(f"account:huaweicloud:x{many}", n, taken.topic, taken.state)
                for n in range(1, many + 1)
            ]
            with pytest.raises(IntegrityError):
                unchecked(ledger).entries.insert_events([*events, taken])
        assert ledger.execute(login(SHANGHAI)).entries[0].position == last + 1
        with raw(database) as db:
            assert db.execute("SELECT count(*) FROM pg_sequences").fetchone() == (0,)
    sound(database)


def test_twenty_thousand_events_in_one_append_do_not_hang(database: str) -> None:
    with Ledger(database) as ledger:
        ledger.execute(login(BEIJING))
        stored = ledger.entries.select_notifications(1, 1)[0]
        events = [
            StoredEvent(f"account:huaweicloud:{n % 100}", n // 100 + 1, stored.topic, stored.state)
            for n in range(20_000)
        ]
        begun = time.monotonic()
        positions = unchecked(ledger).entries.append(events, SideRows()).positions
        assert time.monotonic() - begun < 30
        assert positions == list(range(positions[0], positions[0] + 20_000))
        assert ledger.entries.tree_size() == ledger.last_position()


def test_no_environment_variable_turns_database_functions_on(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's loses events for a reader that follows: it takes no lock."""
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    monkeypatch.setenv("LEDGER_POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    monkeypatch.setenv("POSTGRES_PRE_PING", "y")
    with Ledger(database) as ledger, raw(database) as db:
        consent(ledger, BEIJING)
        datastore: Any = ledger.recorder
        assert not datastore.datastore.enable_db_functions
        assert not datastore.datastore.pre_ping
        functions = db.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace"
        ).fetchall()
        assert functions == [("refuse",)]


def test_commits_wait_for_the_disk_under_any_setting_of_the_role(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as db:
        name = db.info.dbname
        for set_to, is_then in (("off", "on"), ("remote_apply", "remote_apply")):
            db.execute(f"ALTER DATABASE {name} SET synchronous_commit = {set_to}".encode())
            with Ledger(database) as ledger:
                recorder: Any = ledger.recorder
                with recorder.datastore.get_connection() as connection:
                    row = connection.execute("SHOW synchronous_commit").fetchone()
                    assert row["synchronous_commit"] == is_then
        db.execute(f"ALTER DATABASE {name} RESET synchronous_commit".encode())


# -- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agency", ["asm’s 信任", "🛡️", "İ ı ß", "a\\b\"c'd", "%s %(x)s", "$$", "\\N", "\\.", "é" * 128]
)
def test_names_in_any_script_come_back_by_insert_and_by_copy(database: str, agency: str) -> None:
    from ledger.account.agency import AgencyCreated
    from tests.ledger.persistence.test_storage import NOON

    with Ledger(database) as ledger:
        ledger.observe([seen("t", AgencyCreated(agency=agency), at=NOON)])
        ledger.observe(
            [
                seen(f"t{n}", AgencyCreated(agency=agency), at=NOON, account=f"a{n}")
                for n in range(60)
            ]
        )
        agencies = {e.event.agency for e in ledger.history() if isinstance(e.event, AgencyCreated)}
        assert agencies == {agency}
    with raw(database) as db:
        for (entry,) in db.execute("SELECT entry FROM events WHERE topic LIKE 'Agency%'"):
            assert json.loads(entry)["agency"] == agency
    sound(database)


# -- erasure -------------------------------------------------------------------------------------


def test_an_erased_name_is_in_no_file_of_the_database(server: Server, database: str) -> None:
    """In the write-ahead log it stays until that is recycled, as it does in copies and standbys."""
    from ledger.application import Actor

    name = "Ada Lovelace of nowhere else"
    with Ledger(database) as ledger:
        for number in range(40):
            ledger.execute(login(BEIJING), actor=Actor(f"user {number}"))
        ledger.execute(login(BEIJING), actor=Actor(name))
        row = ledger.entries.select_subjects("person", [name])[name]
        assert _files_with(server, database, name, row.salt)
        ledger.erase(row.subject)
        assert ledger.names([row.subject]) == {}
        assert ledger.entries.select_subjects("person", ["user 7"])
        assert _files_with(server, database, name, row.salt) == []
    sound(database)


def test_a_reader_that_locks_the_table_of_names_is_named(database: str) -> None:
    from ledger.application import Actor

    with Ledger(database, lock_timeout_s=1) as ledger, psycopg.connect(database) as reader:
        ledger.execute(login(BEIJING), actor=Actor("alice"))
        row = ledger.entries.select_subjects("person", ["alice"])["alice"]
        reader.execute("SELECT count(*) FROM ledger.subjects")
        with pytest.raises(StoreLocked, match="another process is reading"):
            ledger.erase(row.subject)
        assert ledger.names([row.subject]) == {}
        assert ledger.execute(login(BEIJING)).entries, "appends go on"


def test_names_are_not_in_the_planners_statistics(database: str) -> None:
    from ledger.application import Actor

    with Ledger(database) as ledger:
        for number in range(20):
            ledger.execute(login(BEIJING), actor=Actor(f"user {number % 7}"))
    with raw(database) as db:
        db.execute("ANALYZE")
        sampled = db.execute("SELECT attname FROM pg_stats WHERE tablename = 'subjects'").fetchall()
    assert ("kind",) in sampled
    assert not {("name",), ("salt",)} & set(sampled)


def _files_with(server: Server, database: str, *words: str) -> list[str]:
    """The files of the database in which one of the words stands, once all is written."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("ANALYZE")
        db.execute("CHECKPOINT")
    return [
        str(path)
        for path in (server.data / "base").rglob("*")
        if path.is_file() and any(word.encode() in path.read_bytes() for word in words)
    ]
