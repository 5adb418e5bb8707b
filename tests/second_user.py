"""Another user of this computer, with no rights beyond what files give to everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")

_CLI = """
import os, sys
groups = [int(each) for each in sys.argv[1].split(",") if each]
os.setgroups(groups); os.setgid(65534); os.setuid(65534)
from cli.main import app
app(sys.argv[2:], prog_name="authledger")
"""


def as_nobody(
    *words: str | Path, cache: Path | None = None, groups: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command of authledger as the user nobody, who has no home folder."""
    named = {name: each for name, each in os.environ.items() if not name.startswith("XDG_")}
    env = {**named, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    if cache is not None:
        cache.mkdir()
        os.chown(cache, NOBODY, NOBODY)
        env["XDG_CACHE_HOME"] = str(cache)
    with TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        return subprocess.run(
            [sys.executable, "-c", _CLI, ",".join(map(str, groups)), *map(str, words)],
            check=False,
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
        )


def reachable(folder: Path) -> None:
    """Let everybody enter a test's folder, and those above it that are the test's."""
    for each in (folder, *folder.parents):
        if len(each.parts) > 2 and each.exists() and each.stat().st_uid == os.getuid():
            each.chmod(each.stat().st_mode | 0o055)
