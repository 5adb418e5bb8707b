"""Opens the views of a ledger, in whichever database it is."""

from __future__ import annotations

from ledger.errors import NotFound
from ledger.persistence.location import Location, PostgresDatabase
from ledger.persistence.opening import REMEDY, need_psycopg
from projections.stores.store import Store


def open_store(location: Location) -> Store:
    """Open the views of a ledger, and make their tables if there are none.

    Raises NotFound if there is no ledger, StoreUnavailable.
    """
    if isinstance(location, PostgresDatabase):
        need_psycopg()
        from projections.stores.postgres.opening import (  # noqa: PLC0415  Imports psycopg.
            open_database,
        )

        return open_database(location)
    from projections.stores.sqlite.opening import open_file  # noqa: PLC0415  Of one database only.

    if not location.path.exists():
        raise NotFound(f"There is no ledger at {location}.", remedy=REMEDY)
    return open_file(location.path)
