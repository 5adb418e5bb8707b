"""How a projection's table is filled, continued and replaced; each database does it its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

from projections.projection import Projection
from projections.stores.connection import Row
from projections.stores.tracking import Tracked

Answer = TypeVar("Answer")


class Upkeep(ABC):
    """Writes the tables of projections through one connection."""

    @abstractmethod
    def fill(self, projection: Projection, table: str, last: int) -> None:
        """Write the history up to a position into an empty table. Within a transaction only."""

    @abstractmethod
    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        """The open intervals of these keys, with all their columns."""

    @abstractmethod
    def building(self, projection: Projection, /) -> AbstractContextManager[None]:
        """A rebuild: what is written within is durable, and visible, at its end."""

    @abstractmethod
    def build_beside(self, projection: Projection, known: Tracked, last: int) -> str:
        """Make a second table with the history up to a position; return its name.

        Only this connection sees it.
        """

    @abstractmethod
    def swapping(self) -> AbstractContextManager[None]:
        """The end of `building`: holds the views' write lock."""

    @abstractmethod
    def adopt(self, projection: Projection, known: Tracked, beside: str, at: str) -> None:
        """Make a table that was built beside the live one the live one."""

    def retry_swap(self, _: Projection, /, swap: Callable[[], Answer]) -> Answer:
        """Return what `swap` returns, which is called again while readers are in its way."""
        return swap()

    def admit_writers(self) -> None:
        """Give the ledger's writers their rights on tables that were just made."""
        return
