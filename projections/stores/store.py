"""The views in one database: a connection, and what works through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from projections.stores.connection import Connection
from projections.stores.declarations import Declarations
from projections.stores.query import Query
from projections.stores.tracking import Tracking
from projections.stores.upkeep import Upkeep


class Store:
    """One connection to the views, and its parts. `open_again` opens the same views once more."""

    def __init__(
        self,
        connection: Connection,
        upkeep: Upkeep,
        query: Query,
        open_again: Callable[[], Store],
    ) -> None:
        self.connection, self.upkeep, self.query = connection, upkeep, query
        self.tracking = Tracking(connection)
        self.declarations = Declarations(connection, self.tracking)
        self._open_again = open_again

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    @contextmanager
    def another(self) -> Iterator[Store]:
        """A further connection to the same views, for the thread that asks for it."""
        other = self._open_again()
        try:
            yield other
        finally:
            other.close()
