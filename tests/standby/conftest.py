"""One pair of servers for all tests that need one."""

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
    """Both servers run, and the standby follows the primary."""
    _pair.mend()
    return _pair


@pytest.fixture
def database(pair: Pair) -> str:
    """The name of an empty database on both servers."""
    return pair.make_database()
