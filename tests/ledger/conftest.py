"""A new ledger for each test, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.log.key_folder import LogKey
from ledger.log.signer import LogSigner
from tests.ledger.worlds import ORIGIN, Clock, Place


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses a ledger, or its `place`, on every database: the promises are the same.
    A test that uses `path` is about files, and one that uses `database` is about PostgreSQL.
    """
    asked = {"place", "path", "database"}.intersection(metafunc.fixturenames)
    if asked == {"place"}:
        metafunc.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The place of a new ledger: a file, or a database."""
    if "database" in request.fixturenames or getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("database"))
    return tmp_path / "ledger.db"


@pytest.fixture
def path(place: Place) -> Path:
    """The place of a new ledger, for a test about files."""
    assert isinstance(place, Path)
    return place


@pytest.fixture
def ledger(place: Place, clock: Clock) -> Iterator[Ledger]:
    with Ledger(place, clock=clock) as ledger:
        yield ledger


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all logs' keys, away from the ledger."""
    return tmp_path_factory.mktemp("config") / "keys"


@pytest.fixture
def key(keys: Path, place: Place) -> LogKey:
    """A log with its key."""
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(ledger.location)
        ledger.sign(signer)
    return signer.key
