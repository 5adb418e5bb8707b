"""The digest of a view's rows, by which the answers of all engines are compared.

It is the SHA-256 over one line of JSON for each row, in the order of their key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any, Final

from pydantic_core import from_json, to_json

from projections import history
from projections.projection import Projection
from projections.stores.connection import Connection

_CHUNK: Final = 1_000


def digest_of_table(connection: Connection, projection: Projection, table: str) -> tuple[int, str]:
    """How many present rows a projection has, and their digest. Within a transaction only."""
    return digest_of_select(connection, history.sorted_current(projection, table))


def digest_of_select(connection: Connection, statement: str) -> tuple[int, str]:
    """How many rows a SELECT has, and their digest. Within a transaction only."""
    with connection.streamed(statement) as rows:
        return digest_of_rows(chain.from_iterable(iter(partial(rows.fetchmany, _CHUNK), [])))


def digest_of_rows(rows: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    """How many rows there are, and their digest."""
    return _digest(b"".join(to_json(row) + b"\n" for row in chunk) for chunk in _chunks(rows))


def digest_of_lines(lines: Iterable[str]) -> tuple[int, str]:
    """The same for rows that are lines of JSON already, without spaces, each with its line end.

    An escape can be written in several ways, so lines with an escape are written anew.
    """
    return _digest(map(_normalized, _chunks(lines)))


def _normalized(lines: list[str]) -> bytes:
    text = "".join(lines)
    if "\\" not in text:
        return text.encode()
    return b"".join(to_json(from_json(line)) + b"\n" for line in lines)


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    return iter(lambda: list(islice(left, _CHUNK)), [])


def _digest(chunks: Iterable[bytes]) -> tuple[int, str]:
    """How many lines there are, and the SHA-256 over them. A line of JSON holds no line end."""
    found, count = hashlib.sha256(), 0
    for chunk in chunks:
        found.update(chunk)
        count += chunk.count(b"\n")
    return count, found.hexdigest()
