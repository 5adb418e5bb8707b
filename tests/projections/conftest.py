"""Fixtures: a ledger with the reference story, and its views."""

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
    """Run a test that uses `place` on every database. A test that also uses `path` is about files,
    and one that uses `database` is about PostgreSQL.
    """
    if "place" in metafunc.fixturenames and not {"path", "database"} & {*metafunc.fixturenames}:
        metafunc.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The place of a new ledger: a file, or a database."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("database"))
    return tmp_path / "ledger.db"


@pytest.fixture
def path(place: Place) -> Path:
    """The place of a new ledger, for a test about files."""
    assert isinstance(place, Path)
    return place


@pytest.fixture
def world(place: Place) -> Iterator[World]:
    world = World(place)
    for step in story():
        world.take(step)
    yield world
    world.ledger.close()


@pytest.fixture
def views(world: World) -> Iterator[Views]:
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        yield views
