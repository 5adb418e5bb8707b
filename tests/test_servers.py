"""The PostgreSQL server of the tests: it starts, answers, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import psycopg
import pytest

from tests import postgres
from tests.ledger.children import python
from tests.postgres import Server


def test_a_database_is_empty_again_for_the_next_test(server: Server) -> None:
    name = server.take()
    with psycopg.connect(server.url(name)) as db:
        db.execute("CREATE TABLE public.left_behind (x text)")
    server.give_back(name)
    assert server.take() == name
    with psycopg.connect(server.url(name)) as db:
        assert db.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (0,)
    server.give_back(name)


def test_a_network_connection_needs_the_password(server: Server) -> None:
    psycopg.connect(server.network_url("postgres")).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.network_url("postgres", password="guessed"))


def test_a_server_and_its_folder_are_removed_after_use() -> None:
    with postgres.running() as server:
        with server.connection() as db:
            pid = db.info.backend_pid
        folder = server.folder
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


KILLED = """
import os
import shutil
import time
from pathlib import Path
from tests.ledger.children import python
from tests.postgres import Server
server = Server()
server.start()
print(server.folder, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_server_stops_when_the_tests_are_killed() -> None:
    child = python("-c", KILLED)
    said, _ = child.communicate(timeout=60)
    folder = Path(said.strip())
    its_pid = folder / "data" / "postmaster.pid"  # The server removes it last.
    end = time.monotonic() + 30
    while its_pid.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    shutil.rmtree(folder)


def test_in_ci_a_missing_server_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "binaries", lambda: None)
    for ci, outcome in (("true", pytest.fail.Exception), ("false", pytest.skip.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="needs a PostgreSQL server"), postgres.running():
            pass
