"""Builds distributions, and installs them in environments of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program to its end and return its output. A failure shows its messages."""
    done = attempt(*command, cwd=cwd)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def attempt(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, without the caller's PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def build(project: Path, into: Path, *options: str) -> None:
    """Build a project's distributions; without options both, the wheel from the source one."""
    command = (sys.executable, "-m", "build", "--no-isolation", *options)
    run(*command, "--outdir", into, project, cwd=into)
