"""A ledger to copy and an empty target, in SQLite or PostgreSQL as a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.copying.copies import FILE, New, filled
from tests.ledger.worlds import Place
from tests.postgres import Server


@pytest.fixture
def new(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[New]:
    taken: list[str] = []

    def place(kind: str) -> Place:
        if kind == FILE:
            return tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        server: Server = request.getfixturevalue("server")
        taken.append(server.take())
        return server.url(taken[-1])

    yield place
    for name in taken:
        request.getfixturevalue("server").give_back(name)


@pytest.fixture
def source(new: New, request: pytest.FixtureRequest) -> Place:
    place = new(getattr(request, "param", FILE))
    filled(place)
    return place


@pytest.fixture
def target(new: New, source: Place, request: pytest.FixtureRequest) -> Place:
    return new(getattr(request, "param", FILE))
