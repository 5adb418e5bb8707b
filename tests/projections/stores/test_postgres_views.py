"""Promises of the views on PostgreSQL only: rights, long readers, notifications, free SQL."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

import psycopg
import pytest

from ledger.account.console import RequestConsoleLogin
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput, NotFound, StoreLocked, StoreUnavailable
from projections.definitions.audit_trail import TrailFilter
from projections.dialect import POSTGRES
from projections.stores import query as limits
from projections.stores.declarations import schema
from projections.stores.postgres import connection, query, upkeep
from projections.views import Views
from tests.projections.conftest import story
from tests.projections.worlds import Do, World

CATALOGUE = load_catalogue()
LOGIN = Do(RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="cn-north-4"))


@pytest.fixture
def place(database: str) -> str:
    """Only there."""
    return database


def as_role(url: str, role: str) -> str:
    return url.replace("//postgres@", f"//{role}@")


@pytest.fixture
def reader(world: World, views: Views, database: str) -> Any:
    """A role that may read the views and nothing else."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS analyst")
        connection.execute("CREATE ROLE analyst LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA views TO analyst")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA views TO analyst")
        connection.execute(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA views GRANT SELECT ON TABLES TO analyst"
        )
        yield as_role(database, "analyst")
        connection.execute("DROP OWNED BY analyst")
        connection.execute("DROP ROLE analyst")


ESCAPES = [
    "SELECT set_config('role', 'other', false)",
    "SELECT Set_Config('role', 'other', false), query_to_xml('TABLE hidden', true, true, '')",
    "SELECT \"set_config\"('role', 'other', false)",
    "SELECT U&\"set\\005fconfig\"('role', 'other', false)",
    "SELECT query_to_xml('SELECT set_' || 'config(''role'', ''other'', false)', true, true, '')",
    "SELECT * FROM ts_stat('TABLE hidden')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_notify('x', 'y')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_terminate_backend(1)",
    "SELECT 1) AS a; SET ROLE other; SELECT * FROM (SELECT 1",
    "SELECT 1) AS a, (SELECT 2",
    "SELECT 1) AS a --",
    "SELECT 1) AS a /*",
    "SET ROLE other",
    "DO 'BEGIN SET ROLE other; END'",
    "COPY (SELECT 1) TO STDOUT",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT 1 INTO mine",
    "WITH gone AS (DELETE FROM views.tracking RETURNING 1) SELECT * FROM gone",
]


@pytest.mark.parametrize("sql", ESCAPES)
def test_a_query_cannot_leave_the_role_of_its_reader(
    views: Views, database: str, reader: str, sql: str
) -> None:
    """Also a reader who may act for another role. The owner, a superuser, is refused the same."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS other")
        connection.execute("CREATE ROLE other")
        connection.execute("GRANT other TO analyst")
        try:
            for place in (reader, database):
                with Views.open(place, CATALOGUE) as asked, pytest.raises(InvalidInput):
                    asked.query(sql)
        finally:
            connection.execute("DROP ROLE other")


def test_a_query_may_use_functions_and_names_that_have_no_effect(views: Views, reader: str) -> None:
    with Views.open(reader, CATALOGUE) as asked:
        [(number, day, left)] = asked.query(
            "SELECT length(upper('set')), date_trunc('day', clock_timestamp()) <= now(), "
            '(SELECT count(*) FROM (SELECT 1) AS x ("set config")) -- ) a comment'
        ).rows
        assert (number, day, left) == (3, True, 1)


def test_a_row_that_is_too_large_is_not_sent(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (query, limits):
        monkeypatch.setattr(module, "ROW_BYTES_MAX", 100_000)
    assert views.query("SELECT repeat('x', 90000) AS asked").rows
    with pytest.raises(InvalidInput, match="a row is larger than 100000 bytes"):
        views.query("SELECT repeat('x', 60000), repeat('y', 60000)")
    with pytest.raises(InvalidInput):
        views.query("SELECT repeat('x', 200000)) AS a --")


def test_a_reader_sees_the_views_as_of_the_last_catch_up_and_nothing_else(
    world: World, views: Views, reader: str
) -> None:
    reached = views.catch_up()
    world.take(LOGIN)
    with Views.open(reader, CATALOGUE) as others:
        assert others.catch_up() == reached
        assert others.read("regions").rows == views.read("regions").rows
        counted = others.query("SELECT count(*) FROM audit_trail")
        assert (counted.rows, counted.position) == ([(reached,)], reached)
        page = others.trail(TrailFilter(), limit=1)
        assert ([row[0] for row in page.rows], page.position) == ([reached], reached)
        assert views.catch_up() > reached
        assert others.query("SELECT max(position) FROM audit_trail").rows == [(views.reached(),)]
        for sql in (
            "SELECT salt FROM ledger.subjects",
            "SELECT * FROM ledger.events",
            "SELECT salt FROM subjects",
        ):
            with pytest.raises(InvalidInput):
                others.query(sql)
    with psycopg.connect(reader, autocommit=True) as connection:
        for statement in (
            "DELETE FROM views.tracking",
            "UPDATE views.policies_1 SET status = 'deleted'",
            "CREATE TABLE views.mine (a int)",
            "SELECT * FROM ledger.commands",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_a_reader_can_read_a_rebuilt_view(views: Views, reader: str) -> None:
    assert views.rebuild().equal
    with Views.open(reader, CATALOGUE) as others:
        assert others.read("policies").rows == views.read("policies").rows


def test_a_swap_waits_for_readers_and_lets_new_readers_pass(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rebuild() -> None:
        with Views.open(world.place, CATALOGUE) as own:
            own.rebuild(["policies"])

    with Views.open(world.place, CATALOGUE) as other:
        monkeypatch.setattr(upkeep, "SWAP_TIMEOUT_MS", 50)
        with other._store.connection.snapshot("policies"):
            rebuilding = threading.Thread(target=rebuild)
            rebuilding.start()
            time.sleep(0.5)
            assert rebuilding.is_alive()
            with Views.open(world.place, CATALOGUE) as third:
                assert third.read("policies").rows
        rebuilding.join(20)
        assert not rebuilding.is_alive()
        assert {status.name for status in other.status() if status.rebuilt_at} == {"policies"}


def test_a_swap_that_never_gets_the_lock_fails_and_keeps_the_live_view(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "SWAP_S", 1)
    before = views.read("policies").rows
    refused = pytest.raises(StoreLocked, match="readers held its lock for 1 s")
    with (
        Views.open(world.place, CATALOGUE) as other,
        other._store.connection.snapshot("policies"),
        refused,
    ):
        views.rebuild(["policies"])
    assert views.read("policies").rows == before
    assert views.rebuild(["policies"]).equal


def test_two_rebuilds_at_once_wait_for_each_other(world: World, views: Views) -> None:
    def rebuild() -> None:
        with Views.open(world.place, CATALOGUE) as others:
            equal.append(others.rebuild().equal)

    equal: list[bool] = []
    threads = [threading.Thread(target=rebuild) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert equal == [True] * 3
    assert {known.generation for known in views._store.tracking.tracked().values()} == {4}


def test_free_sql_is_one_select(views: Views) -> None:
    for sql in (
        "SELECT 1) AS a; COMMIT; DROP TABLE views.logins_1; SELECT * FROM (SELECT 1",
        "DELETE FROM policies_1",
        "WITH gone AS (DELETE FROM tracking RETURNING 1) SELECT * FROM gone",
        "SELECT nextval('nothing')",
        "SET search_path = ledger",
        "SELECT 1 LIMIT 1) AS a LIMIT 2 --",
    ):
        with pytest.raises(InvalidInput):
            views.query(sql)
    plain = views.query("SELECT 1.5, 12345678901234567890, now()::date, ARRAY[1], true, NULL").rows
    assert [type(value).__name__ for value in plain[0]] == [
        "float",
        "int",
        "str",
        "list",
        "bool",
        "NoneType",
    ]
    assert views.query("WITH a AS (SELECT 1 AS n) SELECT n FROM a; ").rows == [(1,)]


def test_a_reader_learns_that_the_views_were_not_created_yet(database: str, server: Any) -> None:
    with Ledger(database):
        pass
    with server.connection() as connection:
        connection.execute("DROP ROLE IF EXISTS stranger")
        connection.execute("CREATE ROLE stranger LOGIN")
        with pytest.raises(StoreUnavailable):
            Views.open(as_role(database, "stranger"), CATALOGUE)
        connection.execute("DROP ROLE stranger")


def test_a_schema_of_another_program_is_left_alone(database: str) -> None:
    with Ledger(database), psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA views")
        connection.execute("CREATE TABLE views.sights (name text)")
        with pytest.raises(StoreUnavailable, match="belongs to another program"):
            Views.open(database, CATALOGUE)
        connection.execute("SELECT name FROM views.sights")


def test_a_database_without_a_ledger_has_no_views(database: str) -> None:
    with pytest.raises(NotFound, match="no ledger"):
        Views.open(database, CATALOGUE)


def test_a_follower_is_notified_of_an_append_at_once(database: str) -> None:
    world = World(database)
    for step in story()[:3]:
        world.take(step)
    with Views.open(database, CATALOGUE) as views:
        positions = views.follow(interval_s=30)
        next(positions)
        threading.Timer(0.3, world.take, (LOGIN,)).start()
        began = time.monotonic()
        assert next(positions) == world.ledger.last_position()
        assert time.monotonic() - began < 20
    world.ledger.close()


def test_the_layout_grows_when_the_views_over_the_events_change() -> None:
    """They are made only with the schema: with the same layout, an upgrade would keep old ones."""
    statements = "\n".join((*schema(POSTGRES), *connection._own_schema()))
    digest = hashlib.sha256(statements.encode()).hexdigest()[:8]
    assert (connection.LAYOUT, digest) == (8, "6debb711")


@pytest.mark.parametrize("column", ["status", "until_at", "valid_from"])
def test_a_comparison_finds_an_altered_row_and_writes_nothing(database: str, column: str) -> None:
    """Where the views cannot be rebuilt, as on a standby: of the folded ones, of any time."""
    world = World(database)
    for step in story():
        world.take(step)
    with Views.open(database, CATALOGUE) as views:
        views.catch_up()
        store = views._store.connection
        store.can_rebuild = False
        assert views.rebuild().equal
        store.execute(
            f"UPDATE regions_1 SET {column} = '0001-01-01T00:00:00.000000Z' "
            "WHERE until_at IS NOT NULL"
        )
        certificate = views.rebuild(["regions", "policies"])
    assert not certificate.swapped
    assert [part.equal for part in certificate.projections] == [False, True]
    world.ledger.close()
