"""The owner of a PostgreSQL ledger migrates it: in one transaction, with everybody's rights."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.errors import UndefinedColumn

from ledger.application import Ledger
from ledger.copying.copy import copy
from ledger.errors import StoreForbidden, StoreUnavailable
from ledger.persistence.columns import COLUMNS
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.postgres.roles import Granted, grant
from ledger.verification.entries import verify_entries
from tests.ledger.former_tables import make_former
from tests.ledger.kept import READ, document, policy_seen
from tests.ledger.persistence.migrated import assert_migrated, contents, filled, is_migrated
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import Place, raw, texts, traces

RIGHTS = (
    "SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges "
    "WHERE table_schema = 'ledger' ORDER BY 1, 2, 3"
)


@pytest.fixture
def writer(database: str) -> Iterator[str]:
    """The URL of a role that may append, but owns nothing."""
    with psycopg.connect(database, autocommit=True) as db:
        role = f"{db.info.dbname}_writer"
        db.execute(f'DROP ROLE IF EXISTS "{role}"; CREATE ROLE "{role}" LOGIN'.encode())
    Ledger(database).close()
    grant(PostgresDatabase(database), Granted(writers=[role], readers=[]))
    yield database.replace("postgres@", f"{role}@")
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"'.encode())


def rights(database: str) -> list[Any]:
    with raw(database) as db:
        return db.execute(RIGHTS).fetchall()  # type: ignore[no-any-return]


# -- rights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 3])
def test_all_roles_have_the_same_rights_afterwards(
    database: str, writer: str, version: int
) -> None:
    with Ledger(database) as ledger:
        ledger.execute(login(BEIJING))
    before = rights(database)
    make_former(database, version)
    Ledger(database).close()
    assert is_migrated(database)
    assert rights(database) == before
    with Ledger(writer) as ledger:
        ledger.observe([policy_seen("t1", READ)])
        ledger.erase_document(document(READ).digest)
    assert verify_entries(database).findings == []


def test_events_are_never_changed_or_deleted_afterwards_either(database: str) -> None:
    with Ledger(database) as ledger:
        ledger.execute(login(BEIJING))
    make_former(database)
    Ledger(database).close()
    for crime in ("UPDATE events SET topic = 'x'", "DELETE FROM events", "TRUNCATE events"):
        with (
            raw(database) as db,
            pytest.raises(psycopg.errors.RestrictViolation, match="an event is never"),
        ):
            db.execute("SET session_replication_role = replica")
            db.execute(crime)


@pytest.mark.parametrize("version", [2, 3])
def test_a_writer_reads_before_the_owner_has_migrated_and_learns_who_must(
    database: str, writer: str, version: int, tmp_path: Path
) -> None:
    with Ledger(database) as ledger:
        ledger.execute(login(BEIJING))
        before = texts(ledger)
    make_former(database, version)
    assert verify_entries(writer).findings == []
    with Ledger(tmp_path / "more.db") as more:
        more.observe(traces(3))
    with Ledger(writer, create=False) as ledger:
        assert texts(ledger) == before
        assert ledger.account("huaweicloud", "0").version == 0
        with Ledger(tmp_path / "copy.db") as other:
            copy(ledger, other)
            other.observe(traces(60))
            for append in (
                lambda: ledger.execute(login(BEIJING)),
                lambda: ledger.observe(traces(60)),
                lambda: copy(other, ledger),
            ):
                with pytest.raises(StoreForbidden, match="has an older format") as raised:
                    append()
                assert str(raised.value).count("Nothing was appended.") <= 1
                assert "database init" in raised.value.remedy
                assert texts(ledger) == before
        Ledger(database).close()
        assert ledger.execute(login(BEIJING)).entries, "the same process goes on afterwards"
        ledger.observe([policy_seen("t1", READ)])
    assert verify_entries(database).findings == []


# -- kills, and others at the same time ----------------------------------------------------------


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ledger.persistence.test_postgres_migration"])
    return context


def migrate_until(database: str, statement: int) -> None:
    """Open the ledger, and be killed when the server has executed so many statements."""
    execute, done = psycopg.Cursor.execute, 0

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal done
        result = execute(self, *args, **kwargs)
        done += 1
        if done == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    psycopg.Cursor.execute = counted  # type: ignore[method-assign]
    Ledger(database).close()


@pytest.mark.parametrize("version", [2, 3])
def test_a_migration_killed_after_any_statement_is_finished_by_the_next_open(
    database: str, processes: ForkServerContext, tmp_path_factory: Any, version: int
) -> None:
    filled(database, tmp_path_factory.mktemp("keys"), 60)
    before = contents(database)
    if version == 2:
        before["documents"] = []
    make_former(database, version)
    kills = 0
    while True:
        child = processes.Process(target=migrate_until, args=(database, kills + 1))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        kills += 1
        with raw(database) as db:
            rows = f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position"
            assert db.execute(rows).fetchall() == before["events"]
        assert not is_migrated(database), "all of it is one transaction"
    assert kills >= 5
    assert_migrated(database, before)


def test_several_processes_migrate_at_once(database: str) -> None:
    with Ledger(database) as ledger:
        ledger.observe(traces(100))
    before: Any = contents(database)
    make_former(database)
    with ThreadPoolExecutor(8) as threads:
        for ledger in threads.map(lambda _: Ledger(database), range(8)):
            ledger.close()
    assert_migrated(database, before)


def test_an_older_process_appends_nothing_to_a_migrated_ledger(database: str) -> None:
    """It names columns that are gone."""
    Ledger(database).close()
    with raw(database) as db, pytest.raises(UndefinedColumn):
        db.execute(
            "INSERT INTO events (position, stream, version, topic, entry, type) "
            "VALUES (1, 's', 1, 't', '{}', 't')"
        )


def test_a_long_reader_keeps_the_migration_waiting_and_nothing_is_lost(database: str) -> None:
    place: Place = database
    with Ledger(database) as ledger:
        ledger.execute(login(BEIJING))
    before = contents(database)
    make_former(database)
    with psycopg.connect(database) as reader:
        reader.execute("SELECT count(*) FROM ledger.events")
        with pytest.raises(StoreUnavailable, match="locked by another process"):
            Ledger(database, lock_timeout_s=1)
    assert_migrated(place, before)
