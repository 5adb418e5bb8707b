"""The digests of a view's rows, by which all engines, and two ledgers, are compared.

A digest is the SHA-256 over one line of JSON for each row. There are two:

    full    all columns: equal for one history, whatever computed the rows
    facts   without surrogate ids and positions: equal for two ledgers of the same facts, in
            whichever order each of them learned them

The rows of a projection that is one SELECT are the present, in the order of their key. Those of a
folded projection are all that the ledger says of any time, account by account; within an account,
the lines themselves are sorted, so that no engine needs to sort them alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from projections.history import rows, tables
from projections.projection import FoldedProjection, Projection, Stored
from projections.stores.connection import Connection

_CHUNK: Final = 1_000
_SURROGATES: Final = frozenset({"actor", "position", "document_position"})


class Digest(NamedTuple):
    """How many rows there are, and their two digests."""

    rows: int
    full: str
    facts: str


class Lines(NamedTuple):
    """Some rows' lines for the two digests, each kind in its own order."""

    rows: int
    full: bytes
    facts: bytes


def digest_of_table(
    connection: Connection, projection: Stored, table: str, position: int
) -> Digest:
    """The digest of a table when that position was the last. Within a transaction only."""
    return digest_of_select(connection, projection, tables.digested(projection, table, position))


def digest_of_select(connection: Connection, projection: Stored, statement: str) -> Digest:
    """The digest of a SELECT's rows. Within a transaction only."""
    with connection.streamed(statement) as found:
        fetched = chain.from_iterable(iter(partial(found.fetchmany, _CHUNK), []))
        return digest_of_rows(projection, fetched)


def digest_of_rows(projection: Stored, found: Iterable[Sequence[Any]]) -> Digest:
    """The digest of rows: in the order of the key, or account by account if they are folded."""
    if isinstance(projection, Projection):
        facts = _facts(projection)
        return _digest((_line(row), _line(facts(row))) for row in found)
    hashes = Hashes()
    for _, together in groupby(found, _place(projection)):
        for lines in folded_lines(projection, together):
            hashes.add(lines)
    return hashes.digest()


def folded_lines(projection: FoldedProjection, found: Iterable[Sequence[Any]]) -> Iterator[Lines]:
    """The lines of all rows of one account, a thousand at a time; the rows come in any order."""
    rows, facts = list(found), _facts(projection)
    full = sorted(map(_line, rows))
    return _lines(full, sorted(_line(facts(row)) for row in rows))


def digest_of_lines(lines: Iterable[tuple[str, str]]) -> Digest:
    """The same for rows of a projection that is one SELECT which are lines of JSON already.

    Each item has the line of all columns and that of the facts, without spaces, with its line end.
    An escape can be written in several ways, so lines with an escape are written anew.
    """
    return _digest((_normalized(line), _normalized(facts)) for line, facts in lines)


def digested_columns(projection: Stored) -> tuple[str, ...]:
    """The columns of a row of which the digest is taken."""
    if not isinstance(projection, Projection):
        return rows.digested_columns(projection)
    own = (*projection.key, *projection.values, *projection.counters)
    return (*(column.name for column in own), "since", "position")


def facts_columns(projection: Stored) -> tuple[str, ...]:
    """Those of them that say facts: neither surrogate ids nor positions."""
    return tuple(name for name in digested_columns(projection) if name not in _SURROGATES)


@lru_cache
def _facts(projection: Stored) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Picks the facts of a row."""
    columns = digested_columns(projection)
    return itemgetter(*(columns.index(name) for name in facts_columns(projection)))


def _place(projection: FoldedProjection) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    columns = digested_columns(projection)
    return itemgetter(columns.index("provider"), columns.index("account"))


def _line(row: Sequence[Any]) -> bytes:
    return to_json(row) + b"\n"


def _normalized(line: str) -> bytes:
    return line.encode() if "\\" not in line else _line(from_json(line))


def _digest(lines: Iterable[tuple[bytes, bytes]]) -> Digest:
    hashes, remaining = Hashes(), iter(lines)
    while chunk := list(islice(remaining, _CHUNK)):
        hashes.add(_joined(*zip(*chunk, strict=True)))
    return hashes.digest()


def _lines(full: Sequence[bytes], facts: Sequence[bytes]) -> Iterator[Lines]:
    for first in range(0, len(full), _CHUNK):
        yield _joined(full[first : first + _CHUNK], facts[first : first + _CHUNK])


def _joined(full: Sequence[bytes], facts: Sequence[bytes]) -> Lines:
    return Lines(len(full), b"".join(full), b"".join(facts))


class Hashes:
    """Both hashes over lines that are added in their order."""

    def __init__(self) -> None:
        self._full, self._facts, self._count = hashlib.sha256(), hashlib.sha256(), 0

    def add(self, lines: Lines) -> None:
        self._full.update(lines.full)
        self._facts.update(lines.facts)
        self._count += lines.rows

    def digest(self) -> Digest:
        return Digest(self._count, self._full.hexdigest(), self._facts.hexdigest())
