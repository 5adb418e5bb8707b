"""Opens the raw rows of a ledger, in either database, within one read transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.persistence.location import Location, SQLiteFile
from ledger.persistence.raw_rows import StoredRows


@contextmanager
def stored_rows(location: Location, moment: str | None = None) -> Iterator[StoredRows]:
    """The rows of a ledger as it is now; with `moment`, as another process or thread sees it.

    Raises the databases' errors, or AnotherLedger if it is not the same ledger any more.
    """
    if isinstance(location, SQLiteFile):
        from ledger.persistence.sqlite.raw_rows import reading  # noqa: PLC0415  Of one database only.

        with reading(location.path, moment) as rows:
            yield rows
    else:
        from ledger.persistence.postgres.raw_rows import (  # noqa: PLC0415  Brings psycopg along.
            reading_database,
        )

        with reading_database(location.url, moment) as database:
            yield database
