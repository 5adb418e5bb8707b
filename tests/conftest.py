"""Settings for all tests: repeatable examples, none of the user's files, a PostgreSQL server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres
from tests.building import build

# No deadline: on a shared machine, a slow test says nothing about the code.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    parent=settings.get_profile("dev"),
    database=None,
    derandomize=True,  # A failing run fails again. New examples are searched for outside CI.
    max_examples=60,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "dev")


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests from reading or writing the ledger and the settings of the user."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AUTHLEDGER_")]:
            patch.delenv(name)
        for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        yield


@pytest.fixture(scope="session", autouse=True)
def _clocks_of_any_year() -> Iterator[None]:
    """Tests set clocks of years that the computer's clock leaves behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.clock.JUMP_MAX", timedelta(days=100 * 366))
        yield


@pytest.fixture
def shared() -> Path:
    """Third-party traces and test vectors, from a folder beside the checkout."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the third-party data in ../shared, which is missing")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """One PostgreSQL server for all tests that need one."""
    with postgres.running() as server:
        yield server


@pytest.fixture
def database(server: postgres.Server) -> Iterator[str]:
    """The URL of an empty database."""
    name = server.take()
    yield server.url(name)
    server.give_back(name)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both distributions, the wheel made from the source distribution, as a packager would."""
    folder = tmp_path_factory.mktemp("dist")
    build(Path(__file__).resolve().parents[1], folder)
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    """The distribution that is installed."""
    return next(dist.glob("authledger-*-py3-none-any.whl"))
