"""Opens the views of a ledger in a file."""

from __future__ import annotations

from pathlib import Path

from projections.stores.sqlite.connection import SQLiteConnection
from projections.stores.sqlite.place import Place
from projections.stores.sqlite.query import SQLiteQuery
from projections.stores.sqlite.upkeep import SQLiteUpkeep
from projections.stores.store import Store


def open_file(ledger: Path, place: Place | None = None) -> Store:
    """Open the views of a ledger's file, and make theirs if there is none.

    Raises StoreUnavailable.
    """
    connection = SQLiteConnection(ledger, place)
    return Store(
        connection,
        SQLiteUpkeep(connection),
        SQLiteQuery(connection.place, connection.ledger),
        lambda: open_file(ledger, connection.place),
    )
