"""The SQL by which a projection's history is kept and asked: composed from its declaration.

All statements are made of names that the code declares, never of data.
"""

from __future__ import annotations

from ledger.asof import AsOf
from ledger.values import instant_text
from projections.projection import Column, Projection


def create_table(projection: Projection, table: str) -> str:
    """The table of one projection's history."""
    columns = [
        *(f"{column.name} {column.type} NOT NULL" for column in projection.key),
        "from_position INTEGER NOT NULL",
        "until_position INTEGER",
        "effective_at TEXT NOT NULL",
        *(f"{column.name} {column.type} NOT NULL" for column in projection.values),
        *(
            f"{column.name} INTEGER NOT NULL, {column.name}_change INTEGER NOT NULL"
            for column in projection.counters
        ),
        *(["latest_at TEXT NOT NULL"] if projection.counters else []),
        f"PRIMARY KEY ({_names(projection.key)}, from_position)",
    ]
    return f"CREATE TABLE {table} ({', '.join(columns)}) STRICT, WITHOUT ROWID"


def create_views(projection: Projection, table: str) -> tuple[str, ...]:
    """The names under which a table is read: the present, and the whole history."""
    return (
        f"CREATE VIEW {projection.name} AS {current(projection, table)}",
        f"CREATE VIEW {projection.name}_history AS SELECT * FROM {table}",
    )


def drop_views(projection: Projection) -> tuple[str, ...]:
    return (
        f"DROP VIEW IF EXISTS {projection.name}",
        f"DROP VIEW IF EXISTS {projection.name}_history",
    )


def stage(projection: Projection, table: str) -> tuple[str, ...]:
    """Put the changes between two positions beside the history, each with its interval.

    Parameters of the second statement: first and last position. A change that is older than the
    latest known of its key before it gets an empty interval: it is history, never the present.
    """
    key = _names(projection.key)
    opened = (
        f"LEFT JOIN {table} o ON {_same_key(projection, 'c', 'o')} AND o.until_position IS NULL"
    )
    earlier = f"OVER (PARTITION BY {key} ORDER BY position"
    changes = f"SELECT * FROM ({projection.select}) WHERE position >= :first AND position <= :last"
    if projection.counters:
        sums = ", ".join(
            f"COALESCE(o.{c.name}, 0) + SUM(c.{c.name}) OVER (PARTITION BY "
            f"{_names(projection.key, 'c')} ORDER BY c.position) AS {c.name}, "
            f"c.{c.name} AS {c.name}_change"
            for c in projection.counters
        )
        staged = (
            f"SELECT {_names(projection.key, 'c')}, c.position AS from_position, "
            f"LEAD(c.position) OVER (PARTITION BY {_names(projection.key, 'c')} "
            f"ORDER BY c.position) AS until_position, c.effective_at, {sums}, "
            f"MAX(COALESCE(o.latest_at, ''), MAX(c.effective_at) OVER (PARTITION BY "
            f"{_names(projection.key, 'c')} ORDER BY c.position)) AS latest_at, 0 AS late "
            f"FROM ({changes}) c {opened}"
        )
    else:
        values = _names(projection.values)
        staged = (
            f"SELECT {key}, position AS from_position, CASE WHEN late THEN position ELSE "
            f"LEAD(position) OVER (PARTITION BY {key}, late ORDER BY position) END "
            f"AS until_position, effective_at, {values}, late FROM ("
            f"SELECT *, effective_at < MAX(COALESCE(open_at, ''), COALESCE(MAX(effective_at) "
            f"{earlier} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '')) AS late FROM ("
            f"SELECT c.*, o.effective_at AS open_at FROM ({changes}) c {opened}))"
        )
    return ("DROP TABLE IF EXISTS temp.staged", f"CREATE TEMP TABLE staged AS {staged}")


def merge(projection: Projection, table: str) -> tuple[str, ...]:
    """Close the intervals that staged changes end, then insert those."""
    columns = _names(_stored(projection))
    return (
        (
            f"UPDATE {table} AS o SET until_position = c.from_position FROM ("
            f"SELECT {_names(projection.key)}, MIN(from_position) AS from_position FROM staged "
            f"WHERE NOT late GROUP BY {_names(projection.key)}) c "
            f"WHERE {_same_key(projection, 'c', 'o')} AND o.until_position IS NULL"
        ),
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM staged",
    )


def current(projection: Projection, table: str) -> str:
    """The present: the open intervals."""
    return f"SELECT {_shown(projection)} FROM {table} WHERE until_position IS NULL"


def as_of(projection: Projection, table: str, when: AsOf) -> str:
    """The view as it was: what was known at a position, or was true at an effective time by what
    was known at it.
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
        sums = ", ".join(f"SUM({c.name}_change) AS {c.name}" for c in projection.counters)
        return (
            f"SELECT {key}, {sums}, MAX(effective_at) AS since, MAX(from_position) AS position "
            f"FROM {table} WHERE {bounds} GROUP BY {key}"
        )
    return (
        f"SELECT {_shown(projection)} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {key} "
        f"ORDER BY effective_at DESC, from_position DESC) AS latest FROM {table} "
        f"WHERE {bounds}) WHERE latest = 1"
    )


def sorted_current(projection: Projection, table: str) -> str:
    """The present rows in the order in which they are digested."""
    columns = _names((*projection.key, *projection.values, *projection.counters))
    return (
        f"SELECT {columns}, {_since(projection)}, from_position FROM {table} "
        f"WHERE until_position IS NULL ORDER BY {_names(projection.key)}"
    )


def _shown(projection: Projection) -> str:
    columns = _names((*projection.key, *projection.values, *projection.counters))
    return f"{columns}, {_since(projection)} AS since, from_position AS position"


def _since(projection: Projection) -> str:
    """When the present came to be: of a sum, when the latest of what is summed happened."""
    return "latest_at" if projection.counters else "effective_at"


def _stored(projection: Projection) -> tuple[Column, ...]:
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


def _names(columns: tuple[Column, ...], table: str = "") -> str:
    return ", ".join(f"{table}.{column.name}" if table else column.name for column in columns)


def _same_key(projection: Projection, left: str, right: str) -> str:
    return " AND ".join(f"{left}.{c.name} = {right}.{c.name}" for c in projection.key)
