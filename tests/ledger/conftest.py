"""A new ledger for each test, with a clock that does as it is told."""

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
    """Whoever asks for a ledger, or for its place, is run on every database: what is promised of
    the one is promised of the other. Whoever asks for its path is about files, whoever asks for
    its database is about these.
    """
    asked = {"place", "path", "database"}.intersection(metafunc.fixturenames)
    if asked == {"place"}:
        metafunc.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a new ledger is: in a file, or in a database."""
    if "database" in request.fixturenames or getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("database"))
    return tmp_path / "ledger.db"


@pytest.fixture
def path(place: Place) -> Path:
    """The same, of a test that is about files."""
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
        ledger.entries.sign(signer)
    return signer.key
