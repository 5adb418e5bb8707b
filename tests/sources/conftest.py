"""Where our own traces lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.reading import FIXTURES


@pytest.fixture
def fixtures() -> Path:
    return FIXTURES
