"""Translates a cloud's own traces into observed facts. Each cloud is one folder here.

A folder exports one `SOURCE`; `SOURCES` has them all by name. `read_traces(source, files, report)`
yields the facts. docs/howto/add-a-source.md says how to add a folder.

May import: account (its events), messages, values, errors; never persistence.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from ledger.sources.files import files_of, stored_bytes
from ledger.sources.reader import read_traces
from ledger.sources.report import ImportReport, Malformed
from ledger.sources.source import Source

__all__ = [
    "SOURCES",
    "ImportReport",
    "Malformed",
    "Source",
    "files_of",
    "read_traces",
    "stored_bytes",
]


def _sources() -> dict[str, Source[Any]]:
    """The SOURCE of every folder here, by its name."""
    folders = [each.name for each in pkgutil.iter_modules(__path__, f"{__name__}.") if each.ispkg]
    sources: list[Source[Any]] = [import_module(folder).SOURCE for folder in sorted(folders)]
    return {source.name: source for source in sources}


SOURCES: Final[Mapping[str, Source[Any]]] = _sources()
