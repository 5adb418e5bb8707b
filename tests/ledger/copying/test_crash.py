"""A copy killed at any moment leaves the beginning of the ledger, and the next continues it."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.ledger.copying.copies import assert_is_copy, contents, copied, small_parts
from tests.ledger.worlds import Clock, Place, raw, traces, whole

ROWS = 25
TRACES = 1_500
KILLS = 12


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that start with everything imported, so that the copy is killed at work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["tests.ledger.copying.copies", "ledger.persistence.postgres.recorder"]
    )
    return context


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "ledger.db"
    with Ledger(path, clock=Clock()) as ledger:
        ledger.observe(traces(TRACES))
    return path


def _copy(source: Place, target: Place, saying: Connection) -> None:
    with small_parts(ROWS):
        copied(source, target, on_progress=lambda _, done, __: saying.send(done))


def killed(
    processes: ForkServerContext, source: Place, target: Place, chance: random.Random
) -> int:
    """Copy until some parts are reported and a moment longer; return the last one reported."""
    listening, saying = processes.Pipe(duplex=False)
    child = processes.Process(target=_copy, args=(source, target, saying))
    child.start()
    saying.close()
    reported = 0
    for _ in range(chance.randrange(5)):
        reported = _received(listening, reported)
    time.sleep(chance.uniform(0, 0.02))
    child.kill()
    child.join()
    child.close()
    while (more := _received(listening, reported)) > reported:
        reported = more
    listening.close()
    return reported


def _received(listening: Connection, before: int) -> int:
    try:
        return int(listening.recv())
    except EOFError:
        return before


@pytest.fixture
def seed() -> random.Random:
    number = int(os.environ.get("AUTHLEDGER_TEST_SEED", random.randrange(10**9)))
    print(f"AUTHLEDGER_TEST_SEED={number}")  # noqa: T201  To have the same moments again.
    return random.Random(number)


def killed_again_and_again(
    processes: ForkServerContext, source: Place, target: Place, chance: random.Random
) -> None:
    entries = contents(source)["events"]
    reached = resumed = 0
    for _ in range(KILLS):
        reported = killed(processes, source, target, chance)
        with Ledger(target) as ledger:
            reached = ledger.last_position()
        assert reached >= reported, "every part that was reported is there"
        resumed += 0 < reached < len(entries)
        with raw(target) as db:
            whole(db)
        assert contents(target)["events"] == entries[:reached]
    assert resumed, "some were killed at work"
    done = copied(source, target)
    assert done.before == reached
    assert_is_copy(source, target)


def test_a_copy_to_postgresql_can_be_killed_at_any_moment(
    processes: ForkServerContext, source: Path, database: str, seed: random.Random
) -> None:
    killed_again_and_again(processes, source, database, seed)


def test_a_copy_to_a_file_can_be_killed_at_any_moment(
    processes: ForkServerContext, source: Path, database: str, tmp_path: Path, seed: random.Random
) -> None:
    copied(source, database)
    killed_again_and_again(processes, database, tmp_path / "target.db", seed)
