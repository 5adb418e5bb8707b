"""The history of a projection that is one SELECT: half-open intervals of positions."""

from __future__ import annotations

from functools import lru_cache

from ledger.as_of import AsOf
from ledger.values import instant_text
from projections.dialect import Dialect
from projections.projection import Column, Index, Projection


def create_table(
    projection: Projection, table: str, dialect: Dialect, *, temporary: bool = False
) -> str:
    """The table of one projection's history."""
    columns = [
        *((column.name, f"{column.type} NOT NULL") for column in projection.key),
        ("from_position", "INTEGER NOT NULL"),
        ("until_position", "INTEGER"),
        ("effective_at", "TEXT NOT NULL"),
        *((column.name, f"{column.type} NOT NULL") for column in projection.values),
    ]
    for column in projection.counters:
        columns.append((column.name, "INTEGER NOT NULL"))
        columns.append((f"{column.name}_change", "INTEGER NOT NULL"))
    if projection.counters:
        columns.append(("latest_at", "TEXT NOT NULL"))
    return dialect.table(table, columns, table_key(projection), temporary=temporary)


def table_key(projection: Projection) -> tuple[str, ...]:
    """The columns that are unique in the table of a history."""
    return (*(column.name for column in projection.key), "from_position")


def indexes(projection: Projection) -> tuple[Index, ...]:
    """People ask for one account's rows in all regions."""
    return tuple(Index((column.name,)) for column in projection.key if column.name == "account")


@lru_cache
def changes(projection: Projection) -> str:
    """The changes between two positions, in order. Parameters: first and last position."""
    columns = _names((*projection.key, *projection.values, *projection.counters))
    return (
        f"SELECT position, effective_at, {columns} FROM ({projection.select}) AS changes "
        "WHERE position >= ? AND position <= ? ORDER BY position"
    )


@lru_cache
def find_open(projection: Projection, table: str) -> str:
    """The open interval of a key. Parameters: the key. Only late intervals come after it."""
    return (
        f"SELECT {_names(stored(projection))} FROM {table} WHERE {_is_key(projection)} "
        "AND until_position IS NULL ORDER BY from_position DESC LIMIT 1"
    )


@lru_cache
def close(projection: Projection, table: str) -> str:
    """End an interval. Parameters: the position that ends it, the key, its first position."""
    return (
        f"UPDATE {table} SET until_position = ? WHERE {_is_key(projection)} AND from_position = ?"
    )


def mark(projection: Projection, table: str) -> str:
    """Write all changes up to a position, with running sums. Parameter: that position.

    Late changes get the end of their interval, which is its beginning; `join` sets all others.
    """
    selected = ", ".join(
        [
            _names(projection.key),
            "position",
            "NULL"
            if projection.counters
            else "CASE WHEN effective_at < MAX(effective_at) OVER w THEN position END",
            "effective_at",
            *(column.name for column in projection.values),
            *(f"CAST(SUM({column.name}) OVER w AS BIGINT)" for column in projection.counters),
            *(column.name for column in projection.counters),
            *(["MAX(effective_at) OVER w"] if projection.counters else []),
        ]
    )
    return (
        f"INSERT INTO {table} ({_names(stored(projection))}) SELECT {selected} "
        f"FROM ({projection.select}) AS changes WHERE position <= ? WINDOW w AS "
        f"(PARTITION BY {_names(projection.key)} ORDER BY position ROWS UNBOUNDED PRECEDING)"
    )


def join(projection: Projection, marked: str, table: str) -> str:
    """Write marked changes as intervals. Each ends where the next one begins that is not late."""
    same_key = " AND ".join(f"later.{c.name} = {marked}.{c.name}" for c in projection.key)
    end = (
        f"COALESCE(until_position, (SELECT later.from_position FROM {marked} AS later "
        f"WHERE {same_key} AND later.from_position > {marked}.from_position "
        "AND later.until_position IS NULL ORDER BY later.from_position LIMIT 1))"
    )
    columns = [column.name for column in stored(projection)]
    selected = ", ".join(end if name == "until_position" else name for name in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {selected} FROM {marked} "
        f"ORDER BY {_names(projection.key)}, from_position"
    )


def write(projection: Projection, table: str) -> str:
    """Write all changes up to a position as intervals, in one statement. Parameter: that position.

    The result of `mark` and `join`, for a database in which a second window costs little: it looks
    for the next change separately among the late ones and among the others.
    """
    key, columns = _names(projection.key), _names(stored(projection))
    window = f"WINDOW w AS (PARTITION BY {key} ORDER BY position ROWS UNBOUNDED PRECEDING)"
    changes = f"FROM ({projection.select}) AS changes WHERE position <= ? {window}"
    if projection.counters:
        sums = ", ".join(
            (
                *(f"CAST(SUM({c.name}) OVER w AS BIGINT)" for c in projection.counters),
                *(c.name for c in projection.counters),
            )
        )
        return (
            f"INSERT INTO {table} ({columns}) SELECT {key}, position, LEAD(position) OVER w, "
            f"effective_at, {sums}, MAX(effective_at) OVER w {changes}"
        )
    return (
        f"INSERT INTO {table} ({columns}) SELECT {key}, position, CASE WHEN is_late THEN position "
        f"ELSE LEAD(position) OVER (PARTITION BY {key}, is_late ORDER BY position) END, "
        f"effective_at, {_names(projection.values)} FROM (SELECT changes.*, "
        f"effective_at < MAX(effective_at) OVER w AS is_late {changes}) AS marked"
    )


def current(projection: Projection, table: str) -> str:
    """The present: the open intervals."""
    return f"SELECT {_shown(projection)} FROM {table} WHERE until_position IS NULL"


def as_of(projection: Projection, table: str, when: AsOf) -> str:
    """The view as it was known at a position; with an effective time, as it was true at that time
    by the knowledge of that position.
    """
    if when.effective_at is None:
        return (
            f"SELECT {_shown(projection)} FROM {table} WHERE from_position <= {when.position:d} "
            f"AND (until_position IS NULL OR until_position > {when.position:d})"
        )
    bounds = (
        f"from_position <= {when.position:d} AND effective_at <= "
        f"'{instant_text(when.effective_at)}'"
    )
    key = _names(projection.key)
    if projection.counters:
        sums = ", ".join(
            f"CAST(SUM({c.name}_change) AS BIGINT) AS {c.name}" for c in projection.counters
        )
        return (
            f"SELECT {key}, {sums}, MAX(effective_at) AS since, MAX(from_position) AS position "
            f"FROM {table} WHERE {bounds} GROUP BY {key}"
        )
    return (
        f"SELECT {_shown(projection)} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {key} "
        f"ORDER BY effective_at DESC, from_position DESC) AS latest FROM {table} "
        f"WHERE {bounds}) AS known WHERE latest = 1"
    )


def _shown(projection: Projection) -> str:
    columns = _names((*projection.key, *projection.values, *projection.counters))
    return f"{columns}, {_since(projection)} AS since, from_position AS position"


def _since(projection: Projection) -> str:
    """The column with the time of the latest change; of counters, of the latest event counted."""
    return "latest_at" if projection.counters else "effective_at"


def stored(projection: Projection) -> tuple[Column, ...]:
    changes = (Column(f"{c.name}_change", c.doc, "INTEGER") for c in projection.counters)
    interval = ("from_position", "until_position", "effective_at")
    latest = (Column("latest_at", ""),) if projection.counters else ()
    return (
        *projection.key,
        *(Column(name, "") for name in interval),
        *projection.values,
        *projection.counters,
        *changes,
        *latest,
    )


def _names(columns: tuple[Column, ...]) -> str:
    return ", ".join(column.name for column in columns)


def _is_key(projection: Projection) -> str:
    return " AND ".join(f"{column.name} = ?" for column in projection.key)
