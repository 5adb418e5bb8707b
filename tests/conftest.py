"""What every test stands on: examples that can be had again, and nothing of the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres

# No deadline: on a shared machine slowness says nothing about the code.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    parent=settings.get_profile("dev"),
    database=None,
    derandomize=True,  # A run that fails fails again. New examples are found at the desk.
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "dev")


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the ledger or the settings of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AUTHLEDGER_")]:
            patch.delenv(name)
        for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        yield


@pytest.fixture
def shared() -> Path:
    """Others' real traces and vectors, which lie beside the checkout where they are to be had."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared (third-party data), which is not here")
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
