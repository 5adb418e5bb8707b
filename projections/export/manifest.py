"""The manifest of an exported folder: it alone says which files count.

    DIR/_authledger.json                                    replaced last, as a whole
    DIR/bucket=0/000000000001-000000250000.parquet          named by its range of positions
    DIR/bucket=1/…

A file that the manifest does not name was left by an export that was killed; it is never read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from ledger import durable_file
from ledger.errors import InvalidInput, NotFound, VerificationFailed
from projections.export.events import COLUMNS

NAME: Final = "_authledger.json"
"""Readers of hive-partitioned folders ignore names that begin with an underscore."""
FORMAT: Final = 1
BUCKETS_MAX: Final = 4_096
"""Each bucket is a folder, and a file in each part."""
_BUCKETING: Final = "first 4 bytes of SHA-256 of the stream's name, big-endian, modulo buckets"


_Count = Annotated[int, Field(ge=0, lt=2**63)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExportedFile(_Model):
    """One file: its path under the folder, rows, bytes, SHA-256."""

    path: Annotated[
        str, StringConstraints(pattern=r"^bucket=[0-9]{1,4}/[0-9]+-[0-9]+\.[a-z0-9]{1,16}$")
    ]
    rows: _Count
    bytes: _Count
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ExportedPart(_Model):
    """A range of positions, both included, in at most one file for each bucket."""

    first: _Count
    last: _Count
    files: tuple[ExportedFile, ...]


class Manifest(_Model):
    """An export of the first `size` entries; `root` is the log's root over them, in hex."""

    format: int = FORMAT
    bucketing: str = _BUCKETING
    buckets: Annotated[int, Field(ge=1, le=BUCKETS_MAX)]
    columns: tuple[str, ...] = COLUMNS
    size: _Count = 0
    root: str
    parts: tuple[ExportedPart, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Check that the parts follow each other from position 1 to the size, a row for each."""
        last = 0
        for part in self.parts:
            rows = sum(each.rows for each in part.files)
            if part.first != last + 1 or rows != part.last - last:
                raise ValueError(f"the part from position {part.first} on is not whole")
            last = part.last
        if last != self.size:
            raise ValueError(f"its parts hold {last} entries instead of {self.size}")
        return self

    def files(self) -> Iterator[ExportedFile]:
        for part in self.parts:
            yield from part.files

    def extended(self, part: ExportedPart, root: bytes) -> Manifest:
        """The manifest with one more part; `root` is the log's over all entries up to its end."""
        update = {"size": part.last, "root": root.hex(), "parts": (*self.parts, part)}
        return self.model_copy(update=update)

    def check_ending(self, folder: Path, ending: str) -> None:
        """Raises InvalidInput if the files are not of the format that has this ending."""
        for each in self.files():
            if not each.path.endswith(f".{ending}"):
                raise InvalidInput(
                    f"{folder} is an export in another format than {ending}: it holds {each.path}.",
                    remedy="Name another folder.",
                )

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The manifest of a folder; None if it has none. Raises VerificationFailed."""
        try:
            text = (folder / NAME).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            manifest = cls.model_validate_json(text)
        except ValidationError as error:
            raise VerificationFailed(
                f"{folder / NAME} is not a valid manifest of an export: {_first(error)}.",
                remedy="Export into another folder.",
            ) from error
        if (manifest.format, manifest.bucketing, manifest.columns) != (FORMAT, _BUCKETING, COLUMNS):
            raise VerificationFailed(
                f"{folder} was exported by another version of this program.",
                remedy="Export into another folder.",
            )
        return manifest

    def write(self, folder: Path) -> None:
        """Replace the folder's manifest, durably and as a whole."""
        text = self.model_dump_json(indent=1) + "\n"
        durable_file.write(folder / NAME, text.encode(), mode=None)


def _first(error: ValidationError) -> str:
    """The first fault and its place, without the value, which may be long or not printable."""
    fault = error.errors(include_url=False, include_input=False)[0]
    return ".".join(map(str, fault["loc"])) + (": " if fault["loc"] else "") + fault["msg"]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a Parquet export that must be there.

    Raises NotFound; VerificationFailed if it is damaged; InvalidInput for another format.
    """
    manifest = Manifest.read(folder)
    if manifest is None:
        raise NotFound(
            f"There is no export in {folder}.",
            remedy=f"`authledger export parquet {folder}` makes one.",
        )
    manifest.check_ending(folder, "parquet")
    return manifest


def leftovers(folder: Path, manifest: Manifest, ending: str) -> Iterator[Path]:
    """The files that a killed export left: their names are an export's, but not in the manifest."""
    counted = {each.path for each in manifest.files()}
    for unfinished in (f"{durable_file.UNFINISHED}*", f"bucket=*/{durable_file.UNFINISHED}*"):
        yield from sorted(folder.glob(unfinished))
    for path in sorted(folder.glob(f"bucket=*/*-*.{ending}")):
        if path.relative_to(folder).as_posix() not in counted and _is_part(path):
            yield path


def _is_part(path: Path) -> bool:
    """Whether a file is named by a range of positions."""
    first, _, last = path.stem.partition("-")
    return first.isdigit() and last.isdigit()


def check_sizes(folder: Path, manifest: Manifest) -> None:
    """Raises VerificationFailed for a file that is missing, or has another length than it had.

    The files are not read: `projection rebuild --parquet` does that.
    """
    for each in manifest.files():
        path = folder / each.path
        size = path.stat().st_size if path.is_file() else None
        if size != each.bytes:
            what = "is missing" if size is None else f"has {size} bytes instead of {each.bytes}"
            raise VerificationFailed(
                f"{path} {what}; nothing was exported.",
                remedy="Restore the file from a copy, or export into a new folder.",
            )


def damaged_files(folder: Path, manifest: Manifest) -> list[str]:
    """The files that are missing, or whose bytes are not those that were exported."""
    return [each.path for each in manifest.files() if not _is_sound(folder, each)]


def _is_sound(folder: Path, file: ExportedFile) -> bool:
    try:
        return sha256_of(folder / file.path) == file.sha256
    except OSError:
        return False


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
