"""Real processes beside the test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def python(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start this Python in the checkout, with what it says in a pipe."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def appender(*arguments: str | Path) -> subprocess.Popen[str]:
    return python("-m", "tests.ledger.appender", *arguments)


def finished(child: subprocess.Popen[str]) -> list[str]:
    """Wait for a child to end well; its lines."""
    said, complained = child.communicate(timeout=120)
    assert child.returncode == 0, complained
    return said.splitlines()
