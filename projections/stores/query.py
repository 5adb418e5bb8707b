"""Free SQL, which may only read: what a query is, and how much of its answer is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from sys import getsizeof
from typing import Any, Final, NamedTuple, Protocol

from ledger.errors import InvalidInput, QueryTimedOut

ANSWER_BYTES_MAX: Final = 128_000_000
"""No answer takes more memory: its rows, with every value in them."""

ROW_BYTES_MAX: Final = 16_000_000
"""No row with more bytes of text is sent, because the receiver would hold all of it at once."""


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
        size += getsizeof(row) + sum(map(_bytes_of, row))
        if size > ANSWER_BYTES_MAX:
            raise InvalidInput(
                f"The answer is larger than {ANSWER_BYTES_MAX} bytes in memory.",
                remedy="Ask for fewer rows or columns.",
            )
        if len(rows) == rows_max:
            break
    return rows


def _bytes_of(value: object) -> int:
    """The memory that a value takes; of a JSON document or an array, the memory of its parts."""
    if isinstance(value, list):
        return getsizeof(value) + sum(map(_bytes_of, value))
    if isinstance(value, dict):
        return getsizeof(value) + sum(_bytes_of(each) for pair in value.items() for each in pair)
    return getsizeof(value)


def took_too_long(time_limit_s: float) -> QueryTimedOut:
    """The error for a query that exceeded its time limit."""
    return QueryTimedOut(
        f"The query was stopped: it took longer than {time_limit_s:g} s.",
        remedy="Ask for less, or give it more time with --time-limit.",
    )


def row_too_large() -> InvalidInput:
    """The error for a query with a row of more than ROW_BYTES_MAX."""
    return InvalidInput(
        f"The query was stopped: a row is larger than {ROW_BYTES_MAX} bytes.",
        remedy="Ask for fewer columns, or for shorter parts of them.",
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
