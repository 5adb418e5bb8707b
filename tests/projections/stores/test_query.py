"""The database itself keeps free SQL from writing; rows, time and memory are limited."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from ledger.errors import InvalidInput, QueryTimedOut
from projections.stores.sqlite.connection import views_path
from projections.views import Views


def test_the_documented_views_can_be_queried(views: Views) -> None:
    answer = views.query("SELECT type, count(*) AS n FROM audit_trail GROUP BY type ORDER BY type")
    assert answer.columns == ("type", "n")
    assert ("AgencyCreated", 1) in answer.rows


def test_derived_views_and_histories_can_be_queried(views: Views) -> None:
    broken = views.query("SELECT DISTINCT region FROM capabilities WHERE status = 'broken'")
    assert broken.rows == [("ap-southeast-3",)]
    assert views.query("SELECT count(*) FROM regions_history").rows == [(12,)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM regions_1",
        "DELETE FROM ledger.events",
        "UPDATE tracking SET position = 0",
        "INSERT INTO ledger.subjects VALUES ('p', 'person', 'x', 'y')",
        "CREATE TABLE mine (a)",
        "CREATE TEMP TABLE mine (a)",
        "DROP VIEW regions",
        "ATTACH DATABASE '/tmp/elsewhere.db' AS elsewhere",
        "DETACH DATABASE ledger",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "VACUUM INTO '/tmp/copy.db'",
        "BEGIN",
        "COMMIT",
        "REINDEX",
        "ANALYZE",
        "SELECT load_extension('x')",
        "WITH a AS (SELECT 1) DELETE FROM tracking",
        "EXPLAIN DELETE FROM tracking",
        "SELECT name FROM pragma_database_list",
    ],
)
def test_a_query_can_write_change_and_open_nothing(views: Views, path: Path, sql: str) -> None:
    before = path.read_bytes(), views.read("regions").rows
    with pytest.raises(InvalidInput):
        views.query(sql)
    assert (path.read_bytes(), views.read("regions").rows) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT salt FROM subjects",
        "SELECT * FROM ledger.subjects",
        "SELECT salt FROM (SELECT NULL AS salt) a FULL JOIN subjects USING (salt)",
        "SELECT salt FROM (SELECT NULL AS salt) a FULL JOIN ledger.subjects USING (salt)",
        "SELECT 1 FROM (SELECT 'a' AS salt) NATURAL JOIN ledger.subjects",
        "SELECT sql FROM sqlite_temp_schema",
        "SELECT sql FROM temp.sqlite_master",
    ],
)
def test_a_query_can_neither_read_a_salt_nor_name_its_table(
    path: Path, views: Views, sql: str
) -> None:
    with pytest.raises(InvalidInput):
        views.query(sql)


def test_a_name_can_be_read_until_it_is_erased(views: Views) -> None:
    assert {"alice", "mallory"} <= {
        name for (name,) in views.query("SELECT name FROM subjects").rows
    }


def test_rows_are_limited_and_the_answer_says_that_it_was_cut(views: Views) -> None:
    answer = views.query("SELECT position FROM audit_trail ORDER BY position", row_limit=3)
    assert (answer.rows, answer.more) == ([(1,), (2,), (3,)], True)
    assert not views.query("SELECT 1", row_limit=1).more


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i FROM n WHERE i < 0"
        ),
    ],
)
def test_a_query_that_takes_too_long_is_ended(views: Views, sql: str) -> None:
    with pytest.raises(QueryTimedOut, match=r"took longer than 0\.2 s"):
        views.query(sql, time_limit_s=0.2)


def test_no_value_can_fill_the_memory(path: Path, views: Views) -> None:
    with pytest.raises(InvalidInput, match="too big"):
        views.query("SELECT randomblob(1000000000)")


def test_no_answer_can_fill_the_memory(path: Path, views: Views) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    with pytest.raises(InvalidInput, match="larger than"):
        views.query(endless + "SELECT randomblob(90000) FROM n", row_limit=100_000)


def test_one_long_function_call_ends_soon(path: Path, views: Views) -> None:
    """No progress is asked for within a call; values are too short for a long one."""
    began = time.monotonic()
    with pytest.raises(InvalidInput):
        views.query("SELECT instr(zeroblob(9000000), zeroblob(4500000) || x'01')", time_limit_s=1)
    views.query("SELECT instr(zeroblob(99000), CAST(zeroblob(49000) || x'01' AS BLOB))")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("sql", ["", "   ", "-- nothing", "SELEC 1", "SELECT 1; SELECT 2", "\0"])
def test_sql_that_is_not_a_query_is_refused(views: Views, sql: str) -> None:
    with pytest.raises(InvalidInput):
        views.query(sql)


def test_right_to_left_text_is_returned_unchanged(views: Views) -> None:
    assert views.query("SELECT 'مركز', '🦉'").rows == [("مركز", "🦉")]


def test_the_header_of_the_views_file_says_that_it_is_not_a_ledger(
    path: Path, views: Views
) -> None:
    views.catch_up()
    with sqlite3.connect(views_path(path)) as connection:
        [(application_id,)] = connection.execute("PRAGMA application_id").fetchall()
    connection.close()
    assert application_id.to_bytes(4) == b"autv"
    assert Path(views_path(path)).name == "ledger.db.views"
