"""Free SQL, which may only read: what a query is, and how much of its answer is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Protocol

from ledger.errors import InvalidInput, QueryTimedOut

ANSWER_BYTES_MAX: Final = 64_000_000
"""No answer is larger."""


class Fetched(NamedTuple):
    """Column names, rows up to the limit, and whether there were more."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool


class Query(Protocol):
    """Executes free SQL with a limit of rows and of time. Raises InvalidInput."""

    def __call__(self, sql: str, row_limit: int, time_limit_s: float) -> Fetched: ...


def fetch(cursor: Iterable[tuple[Any, ...]], rows_max: int) -> list[tuple[Any, ...]]:
    """Fetch so many rows. Raises InvalidInput if they exceed ANSWER_BYTES_MAX."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if size > ANSWER_BYTES_MAX:
            raise InvalidInput(
                f"The answer is larger than {ANSWER_BYTES_MAX} bytes.",
                remedy="Ask for fewer rows or columns.",
            )
        if len(rows) == rows_max:
            break
    return rows


def took_too_long(time_limit_s: float) -> QueryTimedOut:
    """The error for a query that exceeded its time limit."""
    return QueryTimedOut(
        f"The query was stopped: it took longer than {time_limit_s:g} s.",
        remedy="Ask for less, or give it more time with --time-limit.",
    )


def not_allowed(said: str) -> InvalidInput:
    """The error for a query that does more than reading the views."""
    return InvalidInput(
        f"The query may only read the views: {said}.",
        remedy="List the views and their columns with `authledger docs views`.",
    )


def is_empty() -> InvalidInput:
    """The error for a query without a statement."""
    return InvalidInput("The query is empty.", remedy='Write one: "SELECT …".')
