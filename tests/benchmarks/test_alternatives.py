"""The benchmark's rows for other software that is not installed or cannot run."""

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
def test_a_row_names_the_missing_software_and_measures_the_rest(
    course: Course,
) -> None:
    for row in alternatives.rows(course):
        assert set(row.samples) == {OURS, STOCK, RAW}
        assert set(row.reasons) == OTHERS
        for name, reason in row.reasons.items():
            assert "is not installed: No module named" in reason
            assert name in table([row])
            assert f"could not run: {reason}" in table([row])


def test_a_row_says_in_which_folder_message_db_is_missing(
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


def test_without_postgresql_the_reason_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)

    with (
        pytest.raises(servers.CannotRun, match="PostgreSQL is not installed"),
        servers.postgresql(),
    ):
        pass


def test_without_a_server_the_rows_for_postgresql_say_so_and_sqlite_is_measured(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)
    monkeypatch.setattr(concurrent, "WRITERS", (1, 2))

    (row,) = on_postgres.rows(course)
    assert "PostgreSQL is not installed" in row.reasons[OURS]
    for row in concurrent.rows(course):
        assert "PostgreSQL is not installed" in row.reasons[concurrent.POSTGRESQL]
        assert row.medians[concurrent.SQLITE] > 0


def test_failed_commands_are_counted_as_errors_and_not_as_done(course: Course) -> None:
    with concurrent.crew("a file", course.place("writers.db"), 0.2) as crew:
        course.folder.joinpath("0001-writers.db").write_bytes(b"not a ledger any more" * 1_000)
        done = crew.write(1)
    assert crew.errors.total() > 0
    assert done == 0


def test_the_last_line_of_a_server_that_does_not_start_is_the_reason(
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


def test_the_last_line_of_a_failed_program_is_the_reason() -> None:
    with pytest.raises(servers.CannotRun, match="sh failed: it printed nothing"):
        servers.run(["sh", "-c", "exit 3"])
    with pytest.raises(servers.CannotRun, match="no-such-program could not be run"):
        servers.run(["no-such-program"])
