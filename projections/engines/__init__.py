"""Engines that replay an export: each runs the projections' SELECTs over the relation `events`.

A further engine is one module with a class like these and a line in `open_engine`.

May import: views, export, maintenance, and what lies below them.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from projections.export.manifest import Manifest
    from projections.projection import Projection


class EngineName(StrEnum):
    """The engines that replay an export."""

    DUCKDB = "duckdb"
    SPARK = "spark"


class EngineFailed(Exception):
    """An engine could not read the files, or could not go on; said in its own words.

    `projections.engines.replay` finds out which of the two, and raises one of the ledger's errors.
    """


class Engine(Protocol):
    """What reads an export's files as the relation `events`."""

    @property
    def version(self) -> str:
        """Its name and version, as the certificate tells it."""

    def read(self, folder: Path, manifest: Manifest) -> None:
        """Let `events` be the files that the manifest names, and no others. Raises EngineFailed."""

    def digest(self, projection: Projection) -> tuple[int, str]:
        """How many rows a projection's present has, and the digest over them, as
        `projections.maintenance.digest` makes it; threads may ask at once. Raises EngineFailed.
        """

    def close(self) -> None:
        """End whatever it started."""


def nothing(integer: str, text: str) -> str:
    """The relation `events` of an export of nothing, in an engine's words for the two types."""
    from projections.export.events import COLUMNS, INTEGERS  # noqa: PLC0415  The voice waits.

    columns = (
        f"CAST(NULL AS {integer if name in INTEGERS else text}) AS {name}" for name in COLUMNS
    )
    return f"SELECT {', '.join(columns)} WHERE FALSE"


def open_engine(name: EngineName, master: str | None = None) -> Engine:
    """An engine that reads nothing yet; `master` is where Spark runs.

    Raises StoreUnavailable if its package is not installed, or it does not start.
    """
    if name is EngineName.SPARK:
        from projections.engines.spark import Spark  # noqa: PLC0415  An extra.

        return Spark(master)
    from projections.engines.duckdb import DuckDb  # noqa: PLC0415  An extra.

    return DuckDb()
