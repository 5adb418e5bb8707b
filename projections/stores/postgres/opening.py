"""Opens the views of a ledger in a PostgreSQL database."""

from __future__ import annotations

from ledger.persistence.location import PostgresDatabase
from projections.stores.postgres.connection import PostgresConnection
from projections.stores.postgres.query import PostgresQuery
from projections.stores.postgres.upkeep import PostgresUpkeep
from projections.stores.store import Store


def open_database(database: PostgresDatabase) -> Store:
    """Open the views in a ledger's database, and make their schema if there is none.

    Raises NotFound if there is no ledger, StoreUnavailable.
    """
    connection = PostgresConnection(database)
    return Store(
        connection,
        PostgresUpkeep(connection),
        PostgresQuery(database),
        lambda: open_database(database),
    )
