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
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from projections.history import rows, tables
from projections.projection import Projection, Stored
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
    columns = digested_columns(projection)
    facts = itemgetter(*(columns.index(name) for name in facts_columns(projection)))
    if isinstance(projection, Projection):
        return _digest((_line(row), _line(facts(row))) for row in found)
    place = itemgetter(columns.index("provider"), columns.index("account"))
    by_account = (
        [(_line(row), _line(facts(row))) for row in together]
        for _, together in groupby(found, place)
    )
    return _digest(chain.from_iterable(map(_sorted, by_account)))


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


def _line(row: Sequence[Any]) -> bytes:
    return to_json(row) + b"\n"


def _normalized(line: str) -> bytes:
    return line.encode() if "\\" not in line else _line(from_json(line))


def _sorted(lines: Sequence[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The lines of one account; both kinds in their own order."""
    return zip(sorted(line for line, _ in lines), sorted(facts for _, facts in lines), strict=True)


def _digest(lines: Iterable[tuple[bytes, bytes]]) -> Digest:
    full, facts, count = hashlib.sha256(), hashlib.sha256(), 0
    remaining = iter(lines)
    while chunk := list(islice(remaining, _CHUNK)):
        full.update(b"".join(line for line, _ in chunk))
        facts.update(b"".join(line for _, line in chunk))
        count += len(chunk)
    return Digest(count, full.hexdigest(), facts.hexdigest())
