"""The benchmark's rows of others, where none of them is installed or none can run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import alternatives, concurrent, servers
from benchmarks import postgres as on_postgres
from benchmarks.course import Course
from benchmarks.measure import OURS, RAW, STOCK, table
from tests import postgres

OTHERS = {alternatives.EVENTSOURCE, alternatives.UMADB, alternatives.MESSAGE_DB}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path, events=200, repetitions=1)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(alternatives, "import_module", missing)


@pytest.mark.usefixtures("nothing_installed")
def test_what_is_not_installed_is_a_reason_in_the_row_and_the_rest_is_measured(
    course: Course,
) -> None:
    for row in alternatives.rows(course):
        assert set(row.samples) == {OURS, STOCK, RAW}
        assert set(row.reasons) == OTHERS
        for name, reason in row.reasons.items():
            assert "is not installed: No module named" in reason
            assert name in table([row])
            assert f"could not run: {reason}" in table([row])


def test_message_db_without_its_sql_says_where_it_would_be(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = course.folder / "nowhere"
    monkeypatch.setattr(alternatives, "import_module", lambda _: None)
    monkeypatch.setattr(alternatives, "MESSAGE_DB_SQL", nowhere)
    monkeypatch.setattr(
        alternatives,
        "COMPETITORS",
        {name: alternatives.COMPETITORS[name] for name in (OURS, alternatives.MESSAGE_DB)},
    )

    for row in alternatives.rows(course):
        assert row.reasons == {
            alternatives.MESSAGE_DB: f"message-db is not installed: no {nowhere}"
        }


def test_a_machine_without_postgresql_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)

    with (
        pytest.raises(servers.CannotRun, match="no PostgreSQL here"),
        servers.postgresql(),
    ):
        pass


def test_without_a_server_the_rows_of_postgresql_say_so_and_files_are_measured(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)
    monkeypatch.setattr(concurrent, "WRITERS", (1, 2))

    (row,) = on_postgres.rows(course)
    assert "no PostgreSQL here" in row.reasons[OURS]
    for row in concurrent.rows(course):
        assert "no PostgreSQL here" in row.reasons[concurrent.POSTGRESQL]
        assert row.medians[concurrent.SQLITE] > 0


def test_a_writer_that_fails_is_counted_and_not_what_it_failed_at(course: Course) -> None:
    with concurrent.crew("a file", course.place("writers.db"), 0.2) as crew:
        course.folder.joinpath("0001-writers.db").write_bytes(b"no ledger any more" * 1_000)
        done = crew.write(1)
    assert crew.errors.total() > 0
    assert done == 0


def test_a_server_that_does_not_start_says_its_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "umadb"
    program.write_text("#!/bin/sh\necho the disk is full\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    with (
        pytest.raises(servers.CannotRun, match="UmaDB did not start: the disk is full"),
        servers.umadb(tmp_path / "uma.db"),
    ):
        pass


def test_a_program_that_fails_says_its_last_word() -> None:
    with pytest.raises(servers.CannotRun, match="sh failed: it said nothing"):
        servers.run(["sh", "-c", "exit 3"])
    with pytest.raises(servers.CannotRun, match="no-such-program could not be run"):
        servers.run(["no-such-program"])
