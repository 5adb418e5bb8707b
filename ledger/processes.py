"""Further processes of this program: how many can run at once, and how one is begun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def processors() -> int:
    """How many processes can run at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def begun(
    module: str, *args: str, stdin: int | None, inherits: bool = False, buffer: int = -1
) -> subprocess.Popen[bytes]:
    """A fresh interpreter that runs one of our modules, and whose standard output is a pipe.

    It does not import its parent's main module, and holds none of its parent's locks. `inherits`:
    it has the open files that this process was given, or made inheritable. Raises OSError.
    """
    root = str(Path(__file__).resolve().parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603  This interpreter, a module of ours.
        [sys.executable, "-P", "-m", module, *args],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        close_fds=not inherits,
        bufsize=buffer,
    )
