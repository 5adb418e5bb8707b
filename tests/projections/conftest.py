"""A ledger with the reference story in it, shared by the tests that only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.account.authorization import (
    DeclineAuthorization,
    GrantAuthorization,
    RevokeAuthorization,
)
from ledger.account.console import RequestConsoleLogin
from ledger.account.policy import AttemptPolicyDeletion
from ledger.account.usage import IssueCredential, UseFeature
from ledger.catalogue import load_catalogue
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.worlds import Do, World

ACCOUNT = "0a1b2c3d4e5f"


def story() -> list[Do]:
    """The reference document's story, from console login to refused policy deletion."""
    here: dict[str, Any] = {"account": ACCOUNT, "service": "asm", "region": "cn-north-4"}
    there = here | {"region": "ap-southeast-3"}
    return [
        Do(RequestConsoleLogin(**here)),
        Do(UseFeature(**here, feature="ingress-gateway")),
        Do(GrantAuthorization(**here)),
        Do(UseFeature(**here, feature="ingress-gateway")),
        Do(IssueCredential(**here, target="elb", component="gateway")),
        Do(GrantAuthorization(**there), actor="mallory"),
        Do(RequestConsoleLogin(**there)),
        Do(DeclineAuthorization(**there)),
        Do(RequestConsoleLogin(**there)),
        Do(GrantAuthorization(**there)),
        Do(
            AttemptPolicyDeletion(account=ACCOUNT, policy="asm admin trust policy"), actor="mallory"
        ),
        Do(RevokeAuthorization(**there)),
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whoever asks for a ledger and its views is run on every database; whoever asks for the
    ledger's path is about files, whoever asks for a database is about PostgreSQL.
    """
    if "place" in metafunc.fixturenames and not {"path", "database"} & {*metafunc.fixturenames}:
        metafunc.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a new ledger is: in a file, or in a database."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("database"))
    return tmp_path / "ledger.db"


@pytest.fixture
def path(place: Place) -> Path:
    """The same, of a test that is about files."""
    assert isinstance(place, Path)
    return place


@pytest.fixture
def told(place: Place) -> Iterator[World]:
    world = World(place)
    for step in story():
        world.take(step)
    yield world
    world.ledger.close()


@pytest.fixture
def views(told: World) -> Iterator[Views]:
    with Views.open(told.place, load_catalogue()) as views:
        views.catch_up()
        yield views
