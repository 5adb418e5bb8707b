"""A new ledger in an empty folder: the command line on it, in this process, and imports into it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

import authledger
from tests.cases.case import ENVELOPES, Record
from tests.cli.conftest import Cli

_IN_MEMORY: Final = Path("/dev/shm")
"""Where the operating system has it: a case makes dozens of ledgers, and none must last."""


@contextmanager
def new_folder() -> Iterator[Path]:
    """An empty folder, in memory if possible."""
    place = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="authledger-case-", dir=place) as name:
        yield Path(name)


@contextmanager
def fresh() -> Iterator[Cli]:
    """The command line, with nothing of the user's settings."""
    with new_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
            patch.setenv(f"XDG_{kind}_HOME", str(folder / "home" / kind.lower()))
        patch.setenv("AUTHLEDGER_LEDGER", str(folder / "ledger.db"))
        patch.setenv("COLUMNS", "200")
        patch.delenv("AUTHLEDGER_ACCOUNT", raising=False)
        yield Cli(folder)


def write(folder: Path, name: str, source: str, records: Sequence[Record]) -> Path:
    """Write records into a file of their cloud's form."""
    path = folder / name
    path.write_text(json.dumps({ENVELOPES[source]: list(records)}))
    return path


def import_all(
    place: Path, source: str, imports: Iterable[Sequence[Path]], provider: str | None = None
) -> None:
    """Make a ledger, and import groups of files into it, one after another, by one process."""
    with authledger.open(place, create=True) as ledger:
        for files in imports:
            ledger.import_traces(source, files, provider=provider)
