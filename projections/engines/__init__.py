"""Engines that replay an export: each runs the projections' SELECTs over the relation `events`, and
brings the facts of accounts together for the fold.

A further engine is one module with a class that implements `Engine`, and a line in `open_engine`.

May import: views, export, maintenance, and what lies below them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from projections.export.manifest import Manifest
    from projections.maintenance.digest import Digest
    from projections.maintenance.folded_present import Part
    from projections.projection import Projection


class EngineName(StrEnum):
    """The engines that replay an export."""

    DUCKDB = "duckdb"
    SPARK = "spark"


class EngineFailed(Exception):
    """An engine could not read the files, or could not continue; the message is its own.

    `projections.engines.replay` checks the files, and raises one of the ledger's errors.
    """


class Engine(Protocol):
    """A program that reads an export's files as the relation `events`."""

    @property
    def version(self) -> str:
        """Its name and version, as the certificate names them."""

    def read(self, folder: Path, manifest: Manifest) -> None:
        """Let `events` be the rows of the manifest's files, and no others. Raises EngineFailed."""

    def digest(self, projection: Projection) -> Digest:
        """The digests of a projection's present, computed as `projections.maintenance.digest` does.
        Several threads may call it. Raises EngineFailed.
        """

    def fold(self, names: Sequence[str]) -> Iterator[Part]:
        """The lines for the digests of these folded projections, in the order of the accounts.
        One thread calls it, while others may call `digest`. Raises EngineFailed.
        """

    def close(self) -> None:
        """End all processes and delete all files that the engine started or made."""


def nothing(integer: str, text: str) -> str:
    """A SELECT for an empty relation `events`, with the engine's names of the two types."""
    from projections.export.events import COLUMNS, INTEGERS  # noqa: PLC0415  Slow to import.

    columns = (
        f"CAST(NULL AS {integer if name in INTEGERS else text}) AS {name}" for name in COLUMNS
    )
    return f"SELECT {', '.join(columns)} WHERE FALSE"


def open_engine(name: EngineName, master: str | None = None) -> Engine:
    """An engine that has read nothing yet; `master` is the URL of Spark's master.

    Raises StoreUnavailable if its package is not installed, or it does not start.
    """
    if name is EngineName.SPARK:
        from projections.engines.spark import Spark  # noqa: PLC0415  An extra.

        return Spark(master)
    from projections.engines.duckdb import DuckDb  # noqa: PLC0415  An extra.

    return DuckDb()
