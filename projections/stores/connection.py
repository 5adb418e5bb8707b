"""A connection to the views: statements, transactions, and what to do when it is lost."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import get_ident
from typing import Any, Protocol

from ledger.errors import StoreUnavailable, WrongThread
from ledger.persistence.schema_difference import Difference
from projections.dialect import Dialect

Row = tuple[Any, ...]


class Cursor(Protocol):
    """The rows of a SELECT."""

    def fetchone(self) -> Any: ...
    def fetchmany(self, size: int) -> list[Any]: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(ABC):
    """A connection to the views' tables, with the ledger's `events`, `subjects` and
    `documents` as views there.

    Only the thread that made it may use it; any thread may close it.
    """

    dialect: Dialect
    can_catch_up: bool = True
    """Whether the connection may write to the views: not on a standby, nor for a reading role."""
    can_rebuild: bool = True
    """Whether it may make and drop their tables as well."""

    def __init__(self) -> None:
        self._thread = get_ident()

    @property
    @abstractmethod
    def engine(self) -> str:
        """The database and its version."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""

    # -- errors ----------------------------------------------------------------------------------

    @contextmanager
    def store_errors(self) -> Iterator[None]:
        """Translates the database's errors into the ledger's. Raises WrongThread."""
        if get_ident() != self._thread:
            raise WrongThread(
                "These views were opened by another thread: they are one connection, and its "
                "transactions must not mix. Nothing was read or changed.",
                remedy="Open views in each thread that uses them, with Views.open.",
            )
        with self._translating():
            yield

    @abstractmethod
    def _translating(self) -> AbstractContextManager[None]:
        """Translates the database's errors into the ledger's."""

    # -- statements ------------------------------------------------------------------------------

    @abstractmethod
    def execute(self, statement: str, params: Sequence[Any] = ()) -> Cursor:
        """Execute one statement; `?` stands for a parameter."""

    @abstractmethod
    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for each row of parameters."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert many rows."""

    @contextmanager
    def streamed(self, statement: str, params: Sequence[Any] = ()) -> Iterator[Cursor]:
        """A SELECT whose rows are not all in memory at once. Within a transaction only."""
        yield self.execute(statement, params)

    def value(self, statement: str, params: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None if there is no row."""
        row = self.execute(statement, params).fetchone()
        return None if row is None else row[0]

    # -- transactions ----------------------------------------------------------------------------

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """A transaction that holds the views' write lock."""

    @abstractmethod
    def snapshot(self, *names: str) -> AbstractContextManager[None]:
        """A read transaction: all statements see the same moment. `names` are the projections read.

        A rebuild's swap waits until it has ended.
        """

    # -- definitions -----------------------------------------------------------------------------

    @abstractmethod
    def altered(
        self, made: Callable[[], Sequence[str]], /, *, thoroughly: bool = False
    ) -> Sequence[Difference]:
        """The tables, indexes and views that another program has altered, among those that some
        statements make. It looks again only when the database says that its schema has changed; or,
        where a database does not say it, only `thoroughly`.
        """

    @abstractmethod
    def make_anew(self) -> None:
        """Drop all tables and views, and make those that belong to no projection."""

    # -- following -------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Wait until an entry may have been appended, at most so long."""
        time.sleep(seconds)

    def is_transient(self, _: StoreUnavailable, /) -> bool:
        """Whether a new connection helps: this one was lost, or a transaction was given up."""
        return False

    def reconnect(self) -> None:
        """Replace a lost connection by a new one. Raises StoreUnavailable."""
        raise NotImplementedError(f"A connection to {self.engine} is not lost.")
