"""A ledger with the reference story in it, opened as a Python program opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import authledger
from authledger import (
    AttemptPolicyDeletion,
    Command,
    GrantAuthorization,
    RequestConsoleLogin,
    UseFeature,
)
from tests.ledger.worlds import Clock, Place

ACCOUNT = "0a1b2c3d4e5f"
BEIJING = "cn-north-4"
SINGAPORE = "ap-southeast-3"
POLICY = "asm admin trust policy"


def login(region: str = BEIJING) -> Command:
    return RequestConsoleLogin(account=ACCOUNT, service="asm", region=region)


def grant(region: str = BEIJING) -> Command:
    return GrantAuthorization(account=ACCOUNT, service="asm", region=region)


def use(feature: str = "mesh", region: str = BEIJING) -> Command:
    return UseFeature(account=ACCOUNT, service="asm", region=region, feature=feature)


def delete_policy() -> Command:
    return AttemptPolicyDeletion(account=ACCOUNT, policy=POLICY)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a ledger runs on every database."""
    if "place" in metafunc.fixturenames and not {"path", "database"} & {*metafunc.fixturenames}:
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
def ledger(place: Place) -> Iterator[authledger.Ledger]:
    """An open ledger in which alice consented in one region."""
    with authledger.open(place, create=True, actor="alice", clock=Clock()) as ledger:
        ledger.execute(login())
        ledger.execute(grant())
        yield ledger
