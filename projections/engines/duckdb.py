"""DuckDB on an export: in this process, on all cores of this machine."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from ledger.errors import StoreUnavailable
from projections.engines import EngineFailed, nothing
from projections.engines.folding import FACTS, PLACE
from projections.engines.processes import BATCH, fold_on_all_cores
from projections.export.events import COLUMNS
from projections.export.manifest import Manifest
from projections.maintenance.digest import Digest, digest_of_lines, facts_columns
from projections.maintenance.folded_present import Part
from projections.maintenance.present import sorted_present
from projections.projection import Projection

try:
    import duckdb
    import pyarrow as pa
except ImportError as error:
    raise StoreUnavailable(
        f"This engine needs the package {error.name}, which is not installed.",
        remedy="pip install 'authledger[duckdb]'",
    ) from error

_FETCHED: Final = 10_000


class DuckDb:
    """A database in memory. Data that does not fit goes into a temporary folder."""

    version = f"duckdb {duckdb.__version__}"

    def __init__(self) -> None:
        self._spilled = tempfile.TemporaryDirectory(prefix="authledger-duckdb-")
        self._connection = duckdb.connect(
            config={
                "temp_directory": self._spilled.name,
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "preserve_insertion_order": "false",
            }
        )

    def read(self, folder: Path, manifest: Manifest) -> None:
        try:
            self._connection.execute(_relation(folder, manifest))
        except duckdb.Error as error:
            raise EngineFailed(f"DuckDB cannot read the export: {error}") from error

    def digest(self, projection: Projection) -> Digest:
        with self._connection.cursor() as cursor:  # One for each thread.
            try:
                facts = facts_columns(projection)
                cursor.execute(
                    sorted_present(projection, lambda columns: f"{_line(columns)}, {_line(facts)}")
                )
                return digest_of_lines(_lines(cursor))
            except duckdb.Error as error:
                raise EngineFailed(f"DuckDB cannot continue: {error}") from error

    def fold(self, names: Sequence[str]) -> Iterator[Part]:
        with self._connection.cursor() as cursor:
            try:
                facts = cursor.sql(f"{FACTS} ORDER BY {', '.join(PLACE)}")
                with facts.to_arrow_reader(BATCH) as batches:
                    yield from fold_on_all_cores(names, batches)
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                raise EngineFailed(f"DuckDB cannot continue: {error}") from error

    def close(self) -> None:
        self._connection.close()
        self._spilled.cleanup()


def _line(columns: Iterable[str]) -> str:
    """A line of JSON, made by DuckDB on all cores. Python would first make objects of values."""
    return f"json_array({', '.join(columns)}) || chr(10)"


def _lines(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    while part := cursor.fetchmany(_FETCHED):
        yield from part


def _relation(folder: Path, manifest: Manifest) -> str:
    """The relation `events`: the files that the manifest names, and no others."""
    files = ", ".join(_location(folder.absolute() / each.path) for each in manifest.files())
    if not files:
        return f"CREATE OR REPLACE VIEW events AS {nothing('BIGINT', 'VARCHAR')}"
    return (
        f"CREATE OR REPLACE VIEW events AS SELECT {', '.join(COLUMNS)} "
        f"FROM read_parquet([{files}], hive_partitioning = false)"
    )


def _location(path: Path) -> str:
    """A file's path for DuckDB; characters that would be a pattern are escaped."""
    exact = re.sub(r"[*?\[]", lambda found: f"[{found[0]}]", str(path))
    return "'" + exact.replace("'", "''") + "'"
