"""A new ledger for each test, with a clock that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.keys import LogKey
from ledger.signer import LogSigner
from tests.ledger.worlds import ORIGIN, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger(path, clock=clock) as ledger:
        yield ledger


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all logs' keys, away from the ledger."""
    return tmp_path_factory.mktemp("config") / "keys"


@pytest.fixture
def key(keys: Path, path: Path) -> LogKey:
    """A log with its key."""
    with Ledger(path, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(path)
        ledger.entries.sign(signer)
    return signer.key
