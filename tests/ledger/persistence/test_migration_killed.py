"""A migration that is killed at any moment, or done by several processes at once."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.persistence.sqlite import connections, migration
from tests.ledger.persistence.migrated import TABLES, assert_migrated, contents, is_migrated
from tests.ledger.worlds import raw

PLACES = 20
"""At so many moments the migration is killed."""


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that begin with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ledger.persistence.test_migration_killed"])
    return context


def migrate(path: Path, batch: int, at_moment: Callable[[int], object] | None = None) -> None:
    """Open the ledger. `at_moment` is called with 1, 2, 3 …: before each statement, and every 100
    steps within a statement.
    """
    migration.BATCH = batch  # type: ignore[misc]
    moments = 0

    def moment(*_: object) -> None:
        nonlocal moments
        moments += 1
        assert at_moment is not None
        at_moment(moments)

    make = connections._Pool._create_connection

    def watched(pool: connections._Pool) -> Any:
        connection: Any = make(pool)
        connection._sqlite_conn.set_trace_callback(moment)
        connection._sqlite_conn.set_progress_handler(moment, 100)
        return connection

    if at_moment is not None:
        connections._Pool._create_connection = watched  # type: ignore[assignment, method-assign]
    Ledger(path).close()


def killed_at(last: int, moment: int) -> None:
    if moment == last:
        os.kill(os.getpid(), signal.SIGKILL)


def migrate_until(path: Path, batch: int, last: int) -> None:
    migrate(path, batch, partial(killed_at, last))


def count_moments(path: Path, batch: int, counted: Path) -> None:
    seen: list[int] = []
    migrate(path, batch, seen.append)
    counted.write_text(str(seen[-1]))


def ended(processes: ForkServerContext, work: Callable[..., object], *arguments: object) -> Any:
    child = processes.Process(target=work, args=arguments)
    child.start()
    child.join()
    return child.exitcode


def test_a_migration_killed_at_any_moment_is_finished_by_the_next_open(
    former: Path, processes: ForkServerContext, tmp_path: Path
) -> None:
    before = contents(former)
    shutil.copy(former, tmp_path / "whole.db")
    assert not ended(processes, count_moments, tmp_path / "whole.db", 50, tmp_path / "counted")
    moments = int((tmp_path / "counted").read_text())
    seed = int(os.environ.get("AUTHLEDGER_TEST_SEED", random.randrange(10**9)))
    print(f"AUTHLEDGER_TEST_SEED={seed}")  # noqa: T201  To have the same moments again.
    chance = random.Random(seed)
    states = set()
    for place in range(PLACES):
        # One in each part of the migration, and in the last part one among the last statements.
        low, high = moments * place // PLACES, moments * (place + 1) // PLACES
        path = tmp_path / f"killed-{place}.db"
        shutil.copy(former, path)
        last = (
            chance.randint(low + 1, high) if place < PLACES - 1 else moments - chance.randrange(9)
        )
        assert ended(processes, migrate_until, path, 50, last) == -signal.SIGKILL
        with raw(path) as db:
            assert db.execute(TABLES["events"]).fetchall() == before["events"], "one table counts"
        states.add(is_migrated(path))
        assert_migrated(path, before)
    assert states == {False, True}, "some were killed before the exchange, and some after it"


def test_a_migration_that_is_killed_again_and_again_gets_on(
    old: Path, processes: ForkServerContext
) -> None:
    """In real time, at moments that nobody chose. Each process finds what the one before did."""
    before = contents(old)
    chance = random.Random()
    for _ in range(10):
        child = processes.Process(target=migrate, args=(old, 5))
        child.start()
        time.sleep(chance.uniform(0.01, 0.1))
        child.kill()
        child.join()
    assert_migrated(old, before)


def test_several_processes_migrate_at_once(old: Path, processes: ForkServerContext) -> None:
    before = contents(old)
    children = [processes.Process(target=migrate, args=(old, 10)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert_migrated(old, before)
