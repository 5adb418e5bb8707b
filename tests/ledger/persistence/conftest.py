"""A disk that is soon full; a file of format 3."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.former_tables import make_former
from tests.ledger.persistence.migrated import filled


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip(f"cannot mount here: {mount.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of format 3, which tests copy."""
    folder = tmp_path_factory.mktemp("former")
    filled(folder / "ledger.db", tmp_path_factory.mktemp("keys"))
    make_former(folder / "ledger.db")
    return folder / "ledger.db"


@pytest.fixture
def old(former: Path, tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    shutil.copy(former, path)
    return path
