"""The declaration of an export format; `exporter` does the rest. See docs/howto/add-an-export.md.

Each format decides how events become text or files. The exporter decides which events there are,
compares them with the Merkle log, and lets a file count only once it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from projections.export.events import Row
from projections.export.manifest import ExportedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFormat:
    """All events as one text, in the order of their positions: into a file, or to stdout."""

    name: str
    """The subcommand of `authledger export`, e.g. `jsonl`."""
    title: str
    """A description for `--help`; it follows "Write the events as"."""
    encode: Callable[[Row], str]
    """Returns the text of one event, with its line end. The row has `events.COLUMNS`."""
    head: str = ""
    """The beginning of the text, such as a line with the names of columns."""


class Part(Protocol):
    """A range of the history that is held in memory until it is written."""

    rows: int
    bytes: int

    def add(self, page: list[Row]) -> None:
        """Hold these rows as well."""

    def write(self, folder: Path, first: int, last: int) -> Iterator[ExportedFile]:
        """Write what is held, from position `first` to `last`, durably: at most one file for each
        bucket, named `bucket=N/FIRST-LAST.ENDING`.
        """

    def clear(self) -> None:
        """Hold nothing any longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFormat:
    """The history as a folder of files, part by part, with a manifest. It can be continued."""

    name: str
    """The subcommand of `authledger export`, e.g. `parquet`."""
    title: str
    """A description for `--help`; it follows "Write the history as"."""
    ending: str
    """The ending of its files' names, without the dot."""
    new_part: Callable[[int], Part]
    """A part that holds nothing yet, for a number of buckets."""
    check: Callable[[], object]
    """Raises StoreUnavailable if a package that the format needs is not installed."""


Format = TextFormat | FolderFormat
