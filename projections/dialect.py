"""The differences between the databases' SQL; all other SQL is one text for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """The SQL of one database. All of them compare texts by their bytes.

    `text`, `integer` and `blob` are column types. `table_options` ends a CREATE TABLE, so that rows
    are stored in the order of the key, and `row_options` one of rows that have a
    number of their own instead. `joined` aggregates texts, and `numbers` integers, sorted,
    comma-separated. `member` is a text inside an entry.
    `without_index` is a column for whose condition no index may be used. `now` is the present
    time, written as the ledger writes times. `stores_views_of_events`: whether the views' database
    has the events, so that views over them can be stored there. `events` is the relation of all
    events, by a name that a WITH clause cannot hide. `stored` is the name of a view that is stored,
    and not of one that only this connection has. `sorts_rows_well`: sorting all entries costs less
    than looking each account's up, for which a statement may be a round trip.
    """

    text: str
    integer: str
    blob: str
    table_options: str
    row_options: str
    joined: str
    numbers: str
    member: str
    without_index: str
    now: str
    stores_views_of_events: bool
    events: str
    stored: str
    sorts_rows_well: bool

    def table(
        self,
        name: str,
        columns: Iterable[tuple[str, str]],
        key: Sequence[str],
        *,
        temporary: bool = False,
        has_indexes: bool = False,
    ) -> str:
        """A CREATE TABLE. Each column is a name and `TEXT` or `INTEGER`, with its constraints.

        `has_indexes`: further ones beside the long key, which they then need not repeat.
        """
        lines = [*self._columns(columns), f"PRIMARY KEY ({', '.join(key)})"]
        what = "CREATE TEMP TABLE" if temporary else "CREATE TABLE"
        options = self.row_options if has_indexes else self.table_options
        return f"{what} {name} ({', '.join(lines)}){options}"

    def rows(self, name: str, columns: Iterable[tuple[str, str]], key: str) -> str:
        """A CREATE TABLE of wide rows, which are stored in the order of one whole number."""
        lines = [*self._columns(columns), f"PRIMARY KEY ({key})"]
        return f"CREATE TABLE {name} ({', '.join(lines)}){self.row_options}"

    def _columns(self, columns: Iterable[tuple[str, str]]) -> Iterator[str]:
        types = {"TEXT": self.text, "INTEGER": self.integer, "BLOB": self.blob}
        for column, type_ in columns:
            kind, _, rest = type_.partition(" ")
            yield f"{column} {types[kind]} {rest}".rstrip()


SQLITE: Final = Dialect(
    text="TEXT",
    integer="INTEGER",
    blob="BLOB",
    table_options=" STRICT, WITHOUT ROWID",
    row_options=" STRICT",
    # The rows are sorted already; only SQLite 3.44 and later can sort within an aggregate.
    joined="group_concat({0}, ',')",
    numbers="group_concat({0}, ',')",
    member="({0} ->> '{1}')",
    without_index="+{0}",
    now="strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
    stores_views_of_events=False,
    events="temp.events",
    stored="main.{0}",
    sorts_rows_well=False,
)
POSTGRES: Final = Dialect(
    text='TEXT COLLATE "C"',
    integer="BIGINT",
    blob="BYTEA",
    table_options="",
    row_options="",
    joined="string_agg({0}, ',' ORDER BY {0})",
    numbers="string_agg(CAST({0} AS TEXT), ',' ORDER BY {0})",
    member="({0}::json ->> '{1}')",
    without_index="{0}",  # Its planner knows which values are rare.
    now="""to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    stores_views_of_events=True,
    events="views.events",
    stored="{0}",
    sorts_rows_well=True,
)
