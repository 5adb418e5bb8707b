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
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from projections.history import rows, tables
from projections.projection import FoldedProjection, Projection, Stored
from projections.stores.connection import Connection

_CHUNK: Final = 1_000
_SURROGATES: Final = frozenset({"actor", "position"})


class Digest(NamedTuple):
    """How many rows there are, and their two digests."""

    rows: int
    full: str
    facts: str


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
    digest = FoldedDigest(projection)
    for _, together in groupby(found, _place(projection)):
        digest.add(together)
    return digest.digest()


class FoldedDigest:
    """The digest of a folded projection, of which the rows are added account by account.

    The accounts come sorted by provider and account, the rows of one account in any order.
    """

    def __init__(self, projection: FoldedProjection) -> None:
        self._facts = _facts(projection)
        self._hashes = _Hashes()

    def add(self, found: Iterable[Sequence[Any]]) -> None:
        """Add all rows of one account."""
        rows = list(found)
        full = sorted(map(_line, rows))
        self._hashes.add(full, sorted(_line(self._facts(row)) for row in rows))

    def digest(self) -> Digest:
        return self._hashes.digest()


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
    hashes, remaining = _Hashes(), iter(lines)
    while chunk := list(islice(remaining, _CHUNK)):
        hashes.add(*zip(*chunk, strict=True))
    return hashes.digest()


class _Hashes:
    """Both hashes over lines that are added in their order."""

    def __init__(self) -> None:
        self._full, self._facts, self._count = hashlib.sha256(), hashlib.sha256(), 0

    def add(self, full: Sequence[bytes], facts: Sequence[bytes]) -> None:
        self._full.update(b"".join(full))
        self._facts.update(b"".join(facts))
        self._count += len(full)

    def digest(self) -> Digest:
        return Digest(self._count, self._full.hexdigest(), self._facts.hexdigest())
