"""Engines and replayable ledgers, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projections.engines import Engine, EngineName
from tests.projections.engines.replaying import LEDGERS, Replayable, exported, opened

ENGINES = [EngineName.DUCKDB, EngineName.SPARK]


@pytest.fixture(scope="package", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with closing(opened(request.param)) as begun:
        yield begun


@pytest.fixture(scope="package")
def duckdb() -> Iterator[Engine]:
    with closing(opened(EngineName.DUCKDB)) as begun:
        yield begun


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Replayable]:
    """The ledgers that were asked for, each in a folder whose name has special characters."""
    return {}


@pytest.fixture
def replayable(
    request: pytest.FixtureRequest,
    made: dict[str, Replayable],
    tmp_path_factory: pytest.TempPathFactory,
) -> Replayable:
    name = request.param
    if name not in made:
        shared = request.getfixturevalue("shared") if name == "real traces" else Path()
        folder = tmp_path_factory.mktemp("ledger")
        ledger = LEDGERS[name](folder, shared)
        export = folder / "it's [1] *new* 导出 50%"
        exported(ledger, export)
        made[name] = Replayable(ledger, export)
    return made[name]
