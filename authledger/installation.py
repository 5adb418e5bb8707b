"""Checks that the packages beside this one are authledger's own.

`cli`, `ledger` and `projections` are common names. Another distribution may bring a package of the
same name: then Python finds its files first, or the installer has replaced ours with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGES: Final = ("cli", "ledger", "projections")
OURS: Final = ("cli/__init__.py", "cli/main.py", "ledger/__init__.py", "projections/__init__.py")
"""The files that another distribution is most likely to have too. Each of ours names authledger."""
_HERE: Final = Path(__file__).parent.parent


def fault(packages: tuple[str, ...] = PACKAGES) -> str | None:
    """Say what is wrong with these packages; None if they are where ours are, and name authledger.

    It imports none of them: another distribution's code is not run.
    """
    for package in packages:
        own, found = _HERE / package / "__init__.py", find_spec(package)
        if found is None or found.origin is None or not own.is_file():
            return _message(f"{own} is missing", package)
        if not own.samefile(found.origin):
            what = f"Python finds another package `{package}` first, {found.origin}"
            return _message(what, package)
    for path in OURS:
        package = path.partition("/")[0]
        if package in packages and b"authledger" not in (_HERE / path).read_bytes():
            return _message(f"{_HERE / path} was replaced by another package's file", package)
    return None


def fault_in_files() -> str | None:
    """Say which file is not as it was installed. It reads them all: only after something failed."""
    for file in _changed():
        return _message(f"{_HERE / file} is not as it was installed", file.partition("/")[0])
    return None


def _changed() -> Iterator[str]:
    from base64 import urlsafe_b64encode  # noqa: PLC0415  Nothing of this is needed in good days.
    from hashlib import sha256  # noqa: PLC0415
    from importlib.metadata import files  # noqa: PLC0415

    for file in files("authledger") or ():
        if file.hash is not None and file.parts[0] in PACKAGES:
            path = Path(str(file.locate()))
            digest = sha256(path.read_bytes()).digest() if path.is_file() else b""
            if urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
                yield str(file)


def _message(what: str, package: str) -> str:
    from importlib.metadata import packages_distributions  # noqa: PLC0415

    others = sorted({*packages_distributions().get(package, ())} - {"authledger"})
    whose = f" {' and '.join(others)} brings a package `{package}` too." if others else ""
    return (
        f"authledger cannot run: {what}.{whose} Nothing was done.\n"
        "Install authledger in an environment of its own: uv tool install authledger, or "
        "pipx install authledger."
    )
