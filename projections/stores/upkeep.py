"""How a projection's table is filled, continued and replaced; each database does it its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TypeVar

from projections.projection import Projection, Stored
from projections.stores.connection import Row
from projections.stores.tracking import Tracked

Answer = TypeVar("Answer")


class Upkeep(ABC):
    """Writes the tables of projections through one connection."""

    @abstractmethod
    def filling(self, filled: Mapping[Stored, str], /) -> AbstractContextManager[None]:
        """Encloses the first fill of live tables, within its transaction."""

    @abstractmethod
    def analyze(self, filled: Mapping[Stored, str]) -> None:
        """Let the database learn how rare the values of live tables are, to choose its indexes."""

    @abstractmethod
    def fill(self, projection: Projection, table: str, last: int) -> None:
        """Write the history up to a position into an empty table. Within a transaction only."""

    @abstractmethod
    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        """The open intervals of these keys, with all their columns."""

    @abstractmethod
    def building(self, *projections: Stored) -> AbstractContextManager[None]:
        """A rebuild: what is written within is durable, and visible, at its end."""

    @abstractmethod
    def make_beside(self, projection: Stored, known: Tracked) -> str:
        """Make a second, empty table, which only this connection sees; return its name."""

    @abstractmethod
    def complete(self, projection: Stored, beside: str) -> None:
        """Make a table that was filled beside the live one ready to be read by key."""

    @abstractmethod
    def swapping(self) -> AbstractContextManager[None]:
        """The end of `building`: holds the views' write lock."""

    @abstractmethod
    def adopt(self, projection: Stored, known: Tracked, beside: str, at: str) -> None:
        """Make a table that was built beside the live one the live one."""

    def retry_swap(self, _: Stored, /, swap: Callable[[], Answer]) -> Answer:
        """Return what `swap` returns, which is called again while readers are in its way."""
        return swap()

    def admit_writers(self) -> None:
        """Give the ledger's writers their rights on tables that were just made."""
        return
