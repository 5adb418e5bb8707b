"""One pair of servers for all tests that need one; whichever is the primary now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import cli as cli  # noqa: PLC0414  The same fixture.
from tests.postgres import Server
from tests.standby.pair import Pair, running_pair


@pytest.fixture(scope="session")
def _pair(server: Server) -> Iterator[Pair]:
    with running_pair(server) as pair:
        yield pair


@pytest.fixture
def pair(_pair: Pair) -> Pair:
    """Both of them run, and the standby follows."""
    _pair.mend()
    return _pair


@pytest.fixture
def database(pair: Pair) -> str:
    """The name of an empty database on both."""
    return pair.make_database()
