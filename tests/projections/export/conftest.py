"""The ledger that is exported."""

from __future__ import annotations

import pytest

from tests.projections.worlds import World


@pytest.fixture
def world(told: World) -> World:
    """A ledger with the reference story."""
    return told
