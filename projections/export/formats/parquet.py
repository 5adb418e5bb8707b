"""Writes a part of the history as Parquet: one file for each bucket of streams.

Within a file the rows are sorted by type, in small row groups: a projection asks for few types,
and a reader skips the groups whose statistics show none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from ledger import durable_file
from ledger.errors import StoreUnavailable
from projections.export.events import COLUMNS, INTEGERS, Row
from projections.export.format import FolderFormat
from projections.export.manifest import ExportedFile, sha256_of

ROW_GROUP: Final = 8_192
_REPEATING: Final = [
    name
    for name in COLUMNS
    if name not in ("position", "entry", "command_id", "recorded_at", "effective_at")
]
"""The columns whose values repeat: a dictionary of them makes the files smaller."""
_COMPRESSION: Final = {name: "zstd" if name == "entry" else "snappy" for name in COLUMNS}
"""Most bytes are entries, which a replay does not read. The other columns decompress faster."""


def arrow() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Returns pyarrow, its `compute` and its `parquet`. Raises StoreUnavailable without them."""
    try:
        import pyarrow as pa  # noqa: PLC0415  An extra.
        import pyarrow.compute as pc  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise StoreUnavailable(
            "An export as Parquet needs the package pyarrow, which is not installed.",
            remedy="pip install 'authledger[parquet]'",
        ) from error
    return pa, pc, pq


@lru_cache(maxsize=100_000)
def _hash(stream: str) -> int:
    return int.from_bytes(sha256(stream.encode()).digest()[:4], "big")


def bucket_of(stream: str, buckets: int) -> int:
    """The bucket of a stream's events. Any engine that has SHA-256 can compute it."""
    return _hash(stream) % buckets


class ParquetPart:
    """A part, held as Arrow's columns until it is written."""

    def __init__(self, buckets: int) -> None:
        pa, _, _ = arrow()
        self._buckets = buckets
        self._schema = pa.schema(
            [(name, pa.int64() if name in INTEGERS else pa.string()) for name in COLUMNS]
        )
        self._tables: list[Any] = []
        self.rows = 0
        self.bytes = 0

    def add(self, page: list[Row]) -> None:
        pa, _, _ = arrow()
        columns = list(zip(*page, strict=True))
        arrays = [
            pa.array(values, kind.type) for values, kind in zip(columns, self._schema, strict=True)
        ]
        streams = columns[COLUMNS.index("stream")]
        buckets = pa.array([bucket_of(stream, self._buckets) for stream in streams], pa.int32())
        table = pa.Table.from_arrays([*arrays, buckets], names=[*COLUMNS, "bucket"])
        self._tables.append(table)
        self.rows += table.num_rows
        self.bytes += table.nbytes

    def clear(self) -> None:
        self._tables.clear()

    def write(self, folder: Path, first: int, last: int) -> Iterator[ExportedFile]:
        pa, pc, pq = arrow()
        table = pa.concat_tables(self._tables)
        for bucket in range(self._buckets):
            rows = table.filter(pc.equal(table["bucket"], bucket)).select(COLUMNS)
            if not rows.num_rows:
                continue
            order = pc.sort_indices(
                rows, [("type", "ascending", "at_end"), ("position", "ascending", "at_end")]
            )
            path = folder / f"bucket={bucket}" / f"{first:012}-{last:012}.parquet"
            _make_folder(path.parent)
            with durable_file.replacing(path, mode=None) as file:
                pq.write_table(
                    rows.take(order),
                    file,
                    compression=_COMPRESSION,
                    row_group_size=ROW_GROUP,
                    use_dictionary=_REPEATING,
                )
                size = file.tell()
            yield ExportedFile(
                path=path.relative_to(folder).as_posix(),
                rows=rows.num_rows,
                bytes=size,
                sha256=sha256_of(path),
            )


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir()
        durable_file.sync_folder(folder.parent)


FORMAT: Final = FolderFormat(
    name="parquet",
    title="Parquet files, for DuckDB, Spark or any other program that reads them",
    ending="parquet",
    new_part=ParquetPart,
    check=arrow,
)
