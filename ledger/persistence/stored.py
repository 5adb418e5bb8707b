"""Every stored row as it stands, for whoever judges it: the reading of a verification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from pydantic_core import from_json

from ledger.persistence.location import Location, SQLiteFile

PAGE: Final = 2_560
"""Ten tiles of leaves."""
LOWEST: Final = -(2**63)
"""Below every position that a database can hold, whoever put it there."""


class StoredRows(Protocol):
    """All rows of a ledger within one read transaction."""

    def count(self) -> int:
        """How many events there are."""

    def pages(self, first: int = LOWEST) -> Iterator[Sequence[Sequence[Any]]]:
        """The columns that were asked for, by position; an entry as text or as its bytes."""

    def tile(self, level: int, index: int) -> object:
        """What is stored as a tile; None if nothing is."""

    def tiles(self) -> int:
        """How many tiles there are."""

    def broken_streams(self) -> Iterable[tuple[bytes, Any, Any, int]]:
        """Streams whose versions are not 1, 2, 3 …: name, first, last, and how many."""

    def commands(self, first: int = LOWEST) -> Iterable[tuple[bytes, bytes | None, int, int]]:
        """Command ids with their digests, first and last positions, in the order of these."""

    def note(self) -> bytes | None:
        """The newest checkpoint, a signed note; None if there is none."""

    def without_command(self, limit: int) -> Iterable[tuple[int, bytes | None]]:
        """Positions whose entry names a command that does not claim them."""

    def subjects(self) -> Iterable[tuple[str, Any, Any, Any, str | None]]:
        """Subject, kind, name and salt as they are kept, and the commitment that was registered."""


@contextmanager
def stored_rows(location: Location, columns: Sequence[str]) -> Iterator[StoredRows]:
    """The rows of a ledger; `columns` are those of its events."""
    if isinstance(location, SQLiteFile):
        from ledger.persistence.sqlite_stored import reading  # noqa: PLC0415  Of one database only.

        with reading(location.path, columns) as rows:
            yield rows
    else:
        from ledger.persistence.postgres_stored import (  # noqa: PLC0415  Brings psycopg along.
            reading_database,
        )

        with reading_database(location.url, columns) as database:
            yield database


def committed(entry: str | None) -> str | None:
    """The commitment in an entry that registered a subject; None if it is none any more."""
    try:
        fields = from_json(entry or "")
    except ValueError:
        return None
    return fields.get("commitment") if isinstance(fields, dict) else None
