"""The table of any projection, and its views: what both kinds of history have in common."""

from __future__ import annotations

from ledger.as_of import AsOf
from projections.dialect import Dialect
from projections.history import intervals, rows
from projections.projection import Column, Index, Projection, Stored


def create_table(
    projection: Stored, table: str, dialect: Dialect, *, temporary: bool = False
) -> str:
    """The table of one projection's history."""
    if isinstance(projection, Projection):
        return intervals.create_table(projection, table, dialect, temporary=temporary)
    return rows.create_table(projection, table, dialect, temporary=temporary)


def table_key(projection: Stored) -> tuple[str, ...]:
    """The columns that are unique in the table of a history."""
    if isinstance(projection, Projection):
        return intervals.table_key(projection)
    return rows.table_key(projection)


def create_indexes(projection: Stored, table: str) -> tuple[str, ...]:
    """The further indexes of a table. Over rows that are there already they cost less."""
    return tuple(
        f"CREATE INDEX {name} ON {table} ({', '.join(index.columns)})"
        + (f" WHERE {index.where}" if index.where else "")
        for name, index in _indexes(projection, table)
    )


def drop_indexes(projection: Stored, table: str) -> tuple[str, ...]:
    return tuple(f"DROP INDEX IF EXISTS {name}" for name, _ in _indexes(projection, table))


def _indexes(projection: Stored, table: str) -> list[tuple[str, Index]]:
    """The further indexes of a table, each with its name."""
    if isinstance(projection, Projection):
        found = intervals.indexes(projection)
    else:
        found = rows.indexes(projection)
    return [(f"{table}_by_{index.columns[0]}", index) for index in found]


def create_views(projection: Stored, table: str, dialect: Dialect) -> tuple[str, ...]:
    """The views over a table: the present, and the whole history."""
    return (
        f"CREATE VIEW {projection.name} AS {current(projection, table, dialect)}",
        f"CREATE VIEW {projection.name}_history AS SELECT * FROM {table}",
    )


def drop_views(projection: Stored) -> tuple[str, ...]:
    return (
        f"DROP VIEW IF EXISTS {projection.name}",
        f"DROP VIEW IF EXISTS {projection.name}_history",
    )


def current(projection: Stored, table: str, dialect: Dialect, *, also: str | None = None) -> str:
    """The present. `also`: a column of a folded projection that is not shown."""
    if isinstance(projection, Projection):
        return intervals.current(projection, table)
    return rows.current(projection, table, dialect, also=also)


def as_of(
    projection: Stored, table: str, when: AsOf, clock: str, *, also: str | None = None
) -> str:
    """The view as of a moment; `clock` is the time at which the position was recorded. `also`: a
    column of a folded projection that is not shown.
    """
    if isinstance(projection, Projection):
        return intervals.as_of(projection, table, when)
    return rows.as_of(projection, table, when, clock, also=also)


def digested(projection: Stored, table: str, position: int) -> str:
    """The rows of which the digest is taken, when that position was the last, in its order."""
    if isinstance(projection, Projection):
        key = ", ".join(column.name for column in projection.key)
        return f"{intervals.as_of(projection, table, AsOf(position))} ORDER BY {key}"
    return rows.digested(projection, table, position)


def order(columns: tuple[Column, ...]) -> str:
    """All columns; the databases differ in where they sort NULLs."""
    return ", ".join(f"{c.name} NULLS FIRST" if c.optional else c.name for c in columns)
