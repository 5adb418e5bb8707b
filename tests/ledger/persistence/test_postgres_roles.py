"""The rights of the owner, a writer and a reader, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, RestrictViolation

from ledger.application import Ledger
from ledger.errors import InvalidInput, NotFound
from ledger.log.signer import LogSigner
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.postgres.roles import Granted, grant
from ledger.verification.verdict import verify
from tests.ledger.copying.copies import assert_is_copy, copied
from tests.ledger.scenario import BEIJING, SHANGHAI, login
from tests.ledger.worlds import ORIGIN, consent, raw, sound, texts, traces

ROLES = ("an owner", "a writer", "a reader")


@pytest.fixture
def as_role(database: str) -> Iterator[dict[str, str]]:
    """The database's URL by role. The owner is not a superuser, and owns only what it created."""
    with psycopg.connect(database, autocommit=True) as db:
        name = db.info.dbname
        for role in ROLES:
            db.execute(f'DROP ROLE IF EXISTS "{role}"'.encode())
            db.execute(f'CREATE ROLE "{role}" LOGIN'.encode())
        db.execute(f'GRANT CREATE ON DATABASE {name} TO "an owner"'.encode())
    urls = {role: database.replace("postgres@", f"{role.replace(' ', '%20')}@") for role in ROLES}
    with Ledger(urls["an owner"]) as ledger:
        consent(ledger, BEIJING)
    grant(PostgresDatabase(urls["an owner"]), Granted(writers=["a writer"], readers=["a reader"]))
    yield urls
    with psycopg.connect(database, autocommit=True) as db:
        for role in ROLES:
            db.execute(f'DROP OWNED BY "{role}" CASCADE'.encode())
            db.execute(f'DROP ROLE "{role}"'.encode())


FORBIDDEN = (
    "UPDATE events SET topic = 'elsewhere' WHERE position = 1",
    "DELETE FROM events WHERE position = 1",
    "TRUNCATE events",
    "UPDATE commands SET digest = 'x'",
    "DELETE FROM commands",
    "TRUNCATE subjects",
    "UPDATE subjects SET name = 'nobody'",
    "DELETE FROM tiles",
    "DELETE FROM checkpoint",
    "UPDATE format SET version = 3",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "DROP TRIGGER events_are_never_changed ON events",
    "DROP TABLE events",
    "DROP SCHEMA ledger CASCADE",
    "CREATE TABLE ledger.mine ()",
    "CREATE OR REPLACE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "SET session_replication_role = replica",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_writer_may_not(as_role: dict[str, str], statement: str) -> None:
    with raw(as_role["a writer"]) as db, pytest.raises(InsufficientPrivilege):
        db.execute(statement)


@pytest.mark.parametrize(
    "what", ["UPDATE events SET topic = ''", "DELETE FROM events", "TRUNCATE events"]
)
@pytest.mark.parametrize("role", ["an owner", "postgres"])
def test_not_even_the_owner_changes_or_deletes_an_event(
    as_role: dict[str, str], database: str, role: str, what: str
) -> None:
    with raw(as_role.get(role, database)) as db:
        if role == "postgres":
            db.execute("SET session_replication_role = replica")
        with pytest.raises(RestrictViolation, match="never"):
            db.execute(what)


def test_a_writer_can_do_everything_that_a_ledger_does(
    as_role: dict[str, str], tmp_path: Path
) -> None:
    with Ledger(as_role["a writer"], log_keys=tmp_path) as ledger:
        signer = LogSigner(tmp_path, ORIGIN)
        signer.key.create(ledger.location)
        ledger.sign(signer)
        consent(ledger, SHANGHAI)
        ledger.observe(traces(300))
        for number in range(70):
            ledger.execute(login(f"region-{number}"))
        (subject,) = ledger.entries.select_subjects("person", ["user 1"]).values()
        ledger.erase(subject.subject)
        assert ledger.names([subject.subject]) == {}
        note = ledger.entries.checkpoint()
    with Ledger(as_role["a writer"]) as again:
        again.execute(login(SHANGHAI))  # With a snapshot, for it had to read much.
    assert verify(as_role["a writer"], note, [signer.key.verifier], pins={}).checkpoint is not None
    sound(as_role["a writer"])


def test_a_writer_can_copy_from_and_to_a_ledger(as_role: dict[str, str], tmp_path: Path) -> None:
    here, away = as_role["a writer"], tmp_path / "away.db"
    copied(here, away)
    with Ledger(away, log_keys=tmp_path / "keys") as ledger:
        signer = LogSigner(tmp_path / "keys", ORIGIN)
        signer.key.create(Path("elsewhere", "ledger.db"))
        ledger.sign(signer)
        ledger.observe(traces(50))
        copied(away, here)
        assert_is_copy(away, here)
        (subject,) = ledger.entries.select_subjects("person", ["user 1"]).values()
        ledger.erase(subject.subject)
    copied(away, here)
    assert_is_copy(away, here)


def test_a_reader_sees_the_views_and_nothing_else(as_role: dict[str, str], database: str) -> None:
    with raw(as_role["an owner"]) as db:
        db.execute("CREATE TABLE views.made_later AS SELECT position FROM ledger.events")
        db.execute("CREATE VIEW views.trail AS SELECT position, topic FROM ledger.events")
    with raw(as_role["a reader"]) as db:
        assert db.execute("SELECT count(*) FROM views.made_later").fetchone()[0] > 0
        assert db.execute("SELECT count(*) FROM views.trail").fetchone()[0] > 0
        for statement in (
            "SELECT * FROM ledger.events",
            "SELECT * FROM ledger.subjects",
            "DO $$ BEGIN LOCK TABLE ledger.append_lock IN EXCLUSIVE MODE; END $$",
            "INSERT INTO views.made_later VALUES (1)",
            "CREATE TABLE views.mine ()",
            *(statement.replace(" events", " ledger.events") for statement in FORBIDDEN[:3]),
        ):
            with pytest.raises(InsufficientPrivilege):
                db.execute(statement)


def test_granting_again_changes_nothing_and_revokes_nothing(as_role: dict[str, str]) -> None:
    owner = PostgresDatabase(as_role["an owner"])
    grant(owner, Granted(writers=["a writer"], readers=["a reader"]))
    with Ledger(as_role["a writer"]) as ledger:
        before = texts(ledger)
        ledger.execute(login(SHANGHAI))
        assert texts(ledger)[: len(before)] == before


def test_a_missing_role_is_reported(as_role: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="no role 'nobody\"; DROP'") as raised:
        grant(PostgresDatabase(as_role["an owner"]), Granted(writers=['nobody"; DROP'], readers=[]))
    assert "CREATE ROLE" in raised.value.remedy


def test_without_a_ledger_nothing_is_granted(database: str) -> None:
    with pytest.raises(NotFound):
        grant(PostgresDatabase(database), Granted(writers=["postgres"], readers=[]))


def test_a_writer_cannot_create_tables(as_role: dict[str, str]) -> None:
    with raw(as_role["an owner"]) as db:
        db.execute("DROP SCHEMA ledger CASCADE")
    with pytest.raises(NotFound):
        Ledger(as_role["a writer"], create=False)
