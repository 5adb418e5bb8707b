"""Third-party data that is missing: tests are skipped, but in CI they fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def need(folder: Path) -> None:
    """Skip the test if the folder is missing; in CI, fail it."""
    if folder.is_dir():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{folder} is missing, and CI must have it")
    pytest.skip(f"needs {folder}, which is missing")
