"""The folded views are replayed account by account, on all cores, or in Spark's own tasks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import NoReturn

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import StoreUnavailable
from projections.definitions.declared import FOLDED
from projections.engines import Engine, EngineName, processes
from projections.engines.processes import whole_accounts
from tests.projections.engines.replaying import Replayable, digests, rebuilt, replayed

PLACES = st.tuples(st.sampled_from(["aws", "huaweicloud"]), st.sampled_from("abc"))


@given(st.lists(PLACES, max_size=30).map(sorted), st.lists(st.integers(0, 5), min_size=1))
def test_a_run_has_whole_accounts_however_the_batches_are_cut(
    places: list[tuple[str, str]], sizes: list[int]
) -> None:
    rows = [(*place, number) for number, place in enumerate(places)]
    runs = [
        [row for batch in run for row in zip(*batch.to_pydict().values(), strict=True)]
        for run in whole_accounts(_cut(rows, sizes))
    ]
    assert [row for run in runs for row in run] == rows
    assert all(runs)
    accounts = [place for run in runs for place, _ in groupby(run, key=lambda row: row[:2])]
    assert len(accounts) == len(set(accounts)), "no account is in two runs"


def _cut(rows: list[tuple[str, str, int]], sizes: list[int]) -> Iterator[pa.RecordBatch]:
    """Batches of these sizes, then one with all other rows."""
    for size in [*sizes, len(rows)]:
        some, rows = rows[:size], rows[size:]
        yield pa.RecordBatch.from_pydict({f"{n}": [row[n] for row in some] for n in range(3)})


@pytest.fixture
def always_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts are folded in other processes, however few they are, and never in this one."""
    monkeypatch.setattr(processes, "ALONE_MAX", 0)
    monkeypatch.setattr("projections.engines.duckdb.BATCH", 2_048)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(processes, "fold", _not_here)


def _not_here(*_: object) -> NoReturn:
    raise AssertionError("folded in this process")


@pytest.mark.usefixtures("always_elsewhere")
@pytest.mark.parametrize("replayable", ["odd values", "a generated ledger"], indirect=True)
def test_other_processes_give_the_certificate_of_a_rebuild(
    duckdb: Engine, replayable: Replayable
) -> None:
    """The odd values are of accounts that are longer than a batch, and of some that are shorter."""
    assert digests(replayed(replayable, duckdb)) == digests(rebuilt(replayable))


@pytest.mark.usefixtures("always_elsewhere")
@pytest.mark.parametrize("replayable", ["a generated ledger"], indirect=True)
def test_a_process_that_ends_is_reported(
    duckdb: Engine, replayable: Replayable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_fold_run", _ended)
    with pytest.raises(StoreUnavailable, match="A process that folded facts ended"):
        replayed(replayable, duckdb)


def _ended(*_: object) -> NoReturn:
    os._exit(1)


PARENT = """
import os
from projections.maintenance.all_cores import begun
if __name__ == "__main__":
    print(begun(1).submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_process_ends_with_its_parent() -> None:
    """It holds the parent's output: the pipe ends when both have ended."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        said, _ = parent.communicate(timeout=30)
    assert int(said) != parent.pid


# -- Spark ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [EngineName.SPARK], indirect=True)
@pytest.mark.parametrize("replayable", ["the reference story"], indirect=True)
def test_spark_folds_in_its_tasks(
    engine: Engine, replayable: Replayable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engines.spark.fold_on_all_cores", _not_here)
    assert replayed(replayable, engine, FOLDED).equal


@pytest.mark.parametrize("engine", [EngineName.SPARK], indirect=True)
@pytest.mark.parametrize("replayable", ["odd values"], indirect=True)
def test_the_driver_folds_if_the_tasks_have_another_version(
    engine: Engine, replayable: Replayable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engines.spark.code_version", lambda: "another")
    monkeypatch.setattr("projections.engines.spark.fold_batches", _not_here)
    assert replayed(replayable, engine, FOLDED).equal


@pytest.mark.parametrize("engine", [EngineName.SPARK], indirect=True)
@pytest.mark.parametrize("replayable", ["the reference story"], indirect=True)
def test_the_driver_folds_if_the_tasks_cannot_run_the_program(
    engine: Engine, replayable: Replayable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.engines.spark._version", _not_here)
    monkeypatch.setattr("projections.engines.spark.fold_batches", _not_here)
    assert replayed(replayable, engine, FOLDED).equal
