"""The database itself keeps free SQL from writing; rows, time and memory are limited."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ledger import processes
from ledger.errors import InvalidInput, QueryTimedOut
from projections.stores import query as limits
from projections.stores.sqlite import query
from projections.stores.sqlite.place import views_path
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


def test_no_answer_can_fill_the_memory(
    path: Path, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_BYTES_MAX", 8_000_000)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    with pytest.raises(InvalidInput, match="larger than"):
        views.query(endless + "SELECT randomblob(90000) FROM n", row_limit=100_000)


def test_numbers_count_in_the_size_of_an_answer(
    path: Path, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_BYTES_MAX", 8_000_000)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    columns = ", ".join(["i + 0.5"] * 500)
    with pytest.raises(InvalidInput, match="larger than 8000000 bytes in memory"):
        views.query(f"{endless} SELECT {columns} FROM n", row_limit=1_000_000, time_limit_s=60)


def test_a_row_of_long_calls_is_stopped_in_time(path: Path, views: Views) -> None:
    """The engine looks at the clock between rows only: this row takes more than a minute."""
    call = "instr(zeroblob(99000), CAST(zeroblob(49000) || x'01' AS BLOB))"
    began = time.monotonic()
    with pytest.raises(QueryTimedOut, match="took longer than 1 s"):
        views.query(f"SELECT {', '.join([call] * 1_900)}", time_limit_s=1)
    assert time.monotonic() - began < 10
    assert views.query("SELECT 1").rows == [(1,)]


def test_a_row_that_is_too_large_is_refused(path: Path, views: Views) -> None:
    values = ", ".join(["hex(randomblob(49000))"] * 200)
    with pytest.raises(InvalidInput, match="a row is larger than 16000000 bytes"):
        views.query(f"SELECT {values}")


def test_a_query_that_needs_too_much_memory_is_refused(
    path: Path, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "HEAP_BYTES_MAX", 8_000_000)
    values = ", ".join(["hex(randomblob(49000))"] * 160)
    with pytest.raises(InvalidInput, match="of memory"):
        views.query(f"SELECT {values}")
    monkeypatch.undo()
    assert views.query(f"SELECT {values}").rows


def test_a_sort_that_fills_the_disk_is_refused(
    path: Path, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) "
    sort = f"{many} SELECT i, hex(randomblob(40000)) FROM n ORDER BY 2"
    monkeypatch.setattr(query, "FILE_BYTES_MAX", 8_000_000)
    with pytest.raises(InvalidInput, match="in a temporary file"):
        views.query(sort, row_limit=10, time_limit_s=60)
    monkeypatch.undo()
    assert len(views.query(sort, row_limit=10, time_limit_s=60).rows) == 10


def test_a_process_that_dies_is_not_an_empty_answer(
    path: Path, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = processes.begun

    def killed(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        process = begin(*args, **kwargs)
        os.kill(process.pid, signal.SIGSTOP)
        threading.Timer(0.2, process.kill).start()
        return process

    monkeypatch.setattr(processes, "begun", killed)
    with pytest.raises(InvalidInput, match="ended before the answer did"):
        views.query("SELECT 1")


@pytest.mark.parametrize("how", ["EXPLAIN", "EXPLAIN QUERY PLAN"])
def test_a_plan_does_not_show_under_which_name_the_ledger_is_attached(
    path: Path, views: Views, how: str
) -> None:
    plan = str(views.query(f"{how} SELECT * FROM subjects").rows)
    assert "subjects" in plan or how == "EXPLAIN"
    assert "ledger_" not in plan


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
