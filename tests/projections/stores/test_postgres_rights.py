"""A writer's rights in the views end where they would become the owner's, or a superuser's.

A role that may append may also catch the views up. Values that it writes there must never be
executed, and must never reach the ledger by the owner's rights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput
from ledger.persistence.location import PostgresDatabase
from projections.definitions.audit_trail import TrailFilter
from projections.definitions.declared import PROJECTIONS
from projections.stores.postgres.rights import grant
from projections.views import Views
from tests.ledger.scenario import BEIJING, SHANGHAI
from tests.ledger.worlds import consent

ROLES = ("rights_owner", "rights_writer", "rights_reader")
CATALOGUE = load_catalogue()
SQL = (
    "x; RESET ROLE; ALTER ROLE rights_writer CREATEDB; CREATE TABLE IF NOT EXISTS public.ran (); --"
)
HOSTILE = (SQL, f'x"; {SQL}', f"policies{SQL[1:]}", "x', '1'); --", "made_by_hand")


@pytest.fixture
def urls(database: str) -> Iterator[dict[str, str]]:
    """The database by each role; the owner is not a superuser, and has made the views."""
    with psycopg.connect(database, autocommit=True) as db:
        for role in ROLES:
            db.execute(f"DROP ROLE IF EXISTS {role}".encode())
            db.execute(f"CREATE ROLE {role} LOGIN".encode())
        db.execute(f"GRANT CREATE ON DATABASE {db.info.dbname} TO rights_owner".encode())
        # For the attack: what would run as the owner shall have something to show for it.
        db.execute("GRANT CREATE ON SCHEMA public TO rights_owner")
        found = {role: database.replace("postgres@", f"{role}@") for role in ROLES}
        with Ledger(found["rights_owner"]) as ledger:
            consent(ledger, BEIJING)
        with Views.open(found["rights_owner"], CATALOGUE) as views:
            views.catch_up()
        grant(
            PostgresDatabase(found["rights_owner"]),
            writers=["rights_writer"],
            readers=["rights_reader"],
        )
        yield found | {"postgres": database}
        for role in ROLES:
            db.execute(f"DROP OWNED BY {role} CASCADE".encode())
            db.execute(f"DROP ROLE {role}".encode())


def did_run(url: str) -> bool:
    with psycopg.connect(url) as db:
        row = db.execute(
            "SELECT to_regclass('public.ran') IS NOT NULL OR rolcreatedb FROM pg_roles "
            "WHERE rolname = 'rights_writer'"
        ).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tracking VALUES ('x', 0, '', '', 1, NULL)",
        "DELETE FROM tracking",
        "UPDATE tracking SET name = 'x' WHERE name = 'policies'",
        "UPDATE tracking SET generation = 7",
        "UPDATE tracking SET fingerprint = ''",
        "TRUNCATE tracking",
        "UPDATE layout SET version = 0",
        "DELETE FROM catalogue",
        "UPDATE catalogue_features SET agency = 'x'",
        "DELETE FROM policies_1",
        "DELETE FROM trail",
        "DELETE FROM postings",
        "TRUNCATE postings_recent",
        "INSERT INTO write_lock DEFAULT VALUES",
        # Views that PostgreSQL lets one write through, by the rights of their owner.
        "UPDATE views_names.subjects SET name = 'nobody'",
        "DELETE FROM subjects",
        "INSERT INTO entries (position) VALUES (99)",
        "UPDATE entries SET entry = ''",
        "UPDATE policies SET status = 'deleted'",
        "CREATE TABLE mine ()",
        "CREATE TRIGGER t AFTER INSERT ON policies_1 EXECUTE FUNCTION ledger.refuse('x')",
    ],
)
def test_a_writer_may_not(urls: dict[str, str], statement: str) -> None:
    with (
        psycopg.connect(urls["rights_writer"], options="-c search_path=views") as db,
        pytest.raises(InsufficientPrivilege),
    ):
        db.execute(statement.encode())


@pytest.mark.parametrize("role", ["rights_owner", "postgres"])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_that_carries_sql_is_never_executed(
    urls: dict[str, str], role: str, name: str
) -> None:
    """An older version let a writer put it there, and the owner still can."""
    row = (name, 0, "", "", 1, None)
    insert = "INSERT INTO views.tracking VALUES (%s, %s, %s, %s, %s, %s)"
    with psycopg.connect(urls["rights_owner"]) as db:
        db.execute("CREATE VIEW views.made_by_hand AS SELECT 1 AS one")
        db.execute(insert, row)
    with Views.open(urls[role], CATALOGUE) as views:
        views.catch_up()
        assert views.read("policies").rows
        assert views.rebuild().equal
        assert views.query("SELECT one FROM made_by_hand").rows == [(1,)]
    assert not did_run(urls["postgres"])
    with psycopg.connect(urls["postgres"]) as db:
        assert db.execute("SELECT 1 FROM views.tracking WHERE name = %s", (name,)).fetchall() == []


def test_a_table_whose_name_carries_sql_is_never_executed(urls: dict[str, str]) -> None:
    """Names are read from the database's own catalogue too, where views are made anew."""
    with psycopg.connect(urls["rights_owner"]) as db:
        db.execute(
            'CREATE TABLE views."x; CREATE TABLE IF NOT EXISTS public.ran (); -- 100% sure?" ()'
        )
    with Views.open(urls["postgres"], CATALOGUE) as views:
        views.catch_up()
    with psycopg.connect(urls["rights_owner"]) as db:
        db.execute("UPDATE views.layout SET version = 0")
    with Views.open(urls["postgres"], CATALOGUE) as views:
        views.catch_up()
        assert views.read("policies").rows
    assert not did_run(urls["postgres"])


def test_views_of_an_older_version_are_created_again_with_narrow_rights(
    urls: dict[str, str],
) -> None:
    """That version gave writers everything on all tables, and on those to come."""
    with psycopg.connect(urls["rights_owner"]) as db:
        every = "SELECT, INSERT, UPDATE, DELETE"
        db.execute(f"GRANT {every} ON ALL TABLES IN SCHEMA views TO rights_writer".encode())
        db.execute(
            "ALTER DEFAULT PRIVILEGES FOR ROLE rights_owner IN SCHEMA views "
            f"GRANT {every} ON TABLES TO rights_writer".encode()
        )
        db.execute("DROP TABLE views.write_lock")
        db.execute("UPDATE views.layout SET version = 1")
    with psycopg.connect(urls["rights_writer"]) as db:
        db.execute("INSERT INTO views.tracking VALUES (%s, 0, '', '', 1, NULL)", (SQL,))
    with Views.open(urls["postgres"], CATALOGUE) as views:
        views.catch_up()
        assert views.rebuild().equal
    assert not did_run(urls["postgres"])
    _keeps_and_no_more(urls)


def test_granting_rights_again_revokes_those_of_an_older_version(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["rights_owner"]) as db:
        db.execute("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA views TO rights_writer")
    grant(PostgresDatabase(urls["rights_owner"]), writers=["rights_writer"], readers=[])
    _keeps_and_no_more(urls)


def _keeps_and_no_more(urls: dict[str, str]) -> None:
    """The writer catches the views up, and may write nothing else in their schema."""
    with Ledger(urls["rights_writer"]) as ledger:
        consent(ledger, SHANGHAI)
        last = ledger.last_position()
    with Views.open(urls["rights_writer"], CATALOGUE) as views:
        assert views.catch_up() == views.reached() == last
    with psycopg.connect(urls["postgres"]) as db:
        rows = db.execute(
            "SELECT relname, string_agg(privilege_type, ' ' ORDER BY privilege_type) "
            "FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'views'::regnamespace "
            "AND grantee = 'rights_writer'::regrole AND privilege_type <> 'SELECT' GROUP BY 1"
        ).fetchall()
    rights = {re.sub(r"_\d+$", "", table): found for table, found in rows}
    tables = (
        *PROJECTIONS,
        *("trail", "postings", "posted"),
        *("time_blocks", "time_late", "fact_handles", "facts_indexed"),
        *("known_names", "entries_by_id", "names_indexed"),
    )
    assert rights == dict.fromkeys(tables, "INSERT UPDATE") | {
        "postings_recent": "DELETE INSERT UPDATE",  # Full blocks take the place of recent ones.
        "write_lock": "UPDATE",
    }


def test_a_reader_without_names_sees_everything_but_names(urls: dict[str, str]) -> None:
    """The schema of names can be granted apart; the same questions are answered, without names."""
    with Ledger(urls["rights_owner"]) as ledger:
        consent(ledger, SHANGHAI)
    with Views.open(urls["rights_owner"], CATALOGUE) as views:
        views.catch_up()
        named = views.trail(TrailFilter()).dicts()
        people = {row["actor"]: row["actor_name"] for row in named if row["actor"]}
        assert all(people.values())
    database = PostgresDatabase(urls["rights_owner"])
    grant(database, readers=["rights_reader"])
    grant(database, readers_without_names=["rights_reader"])
    with Views.open(urls["rights_reader"], CATALOGUE) as views:
        anonymous = views.trail(TrailFilter()).dicts()
        assert [{**row, "actor_name": None, "run_by_name": None} for row in named] == anonymous
        assert views.subject_names(people) == dict.fromkeys(people)
        assert views.query("SELECT count(name) FROM subjects").rows == [(0,)]
        with pytest.raises(InvalidInput, match="permission denied"):
            views.query("SELECT name FROM views_names.subjects")
    grant(database, readers=["rights_reader"])
    with Views.open(urls["rights_reader"], CATALOGUE) as views:
        assert views.trail(TrailFilter()).dicts() == named


def test_readers_of_an_older_version_keep_the_names_that_they_saw(urls: dict[str, str]) -> None:
    with psycopg.connect(urls["postgres"]) as db:
        db.execute("DROP SCHEMA views_names CASCADE")
        db.execute("UPDATE views.layout SET version = 1")
    with Views.open(urls["rights_owner"], CATALOGUE) as views:
        views.catch_up()
        names = views.query("SELECT actor_name FROM audit_trail ORDER BY position").rows
    with Views.open(urls["rights_reader"], CATALOGUE) as views:
        assert views.query("SELECT actor_name FROM audit_trail ORDER BY position").rows == names
