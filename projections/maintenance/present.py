"""The present of a projection straight from the events, in SQL that every engine runs as it is.

What the runner folds change by change is here one statement around the projection's own SELECT:
of each key the change with the greatest (effective_at, position), which is what is left when a
change counts only if it is not earlier than the latest one known; counters are summed.

Counting in windows costs a sort of the changes, which the engines that this is for do as quickly as
any aggregate (docs/decisions/0022); the runner, on SQLite, does without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from projections.projection import Column, Projection


def sorted_present(projection: Projection, told: Callable[[Iterable[str]], str] = ", ".join) -> str:
    """The present rows, sorted by key: key, values or counters, since, position.

    `told` makes of the columns' names what is selected.
    """
    columns = (*projection.key, *projection.values, *projection.counters)
    names = (*(column.name for column in columns), "since", "position")
    select = _sums(projection) if projection.counters else _latest(projection)
    return f"SELECT {told(names)} FROM ({select}) AS present ORDER BY {_names(projection.key)}"


def _latest(projection: Projection) -> str:
    key = _names(projection.key)
    return f"""
        SELECT {key}, {_names(projection.values)}, effective_at AS since, position
        FROM (
            SELECT changes.*, ROW_NUMBER() OVER (
                PARTITION BY {key} ORDER BY effective_at DESC, position DESC
            ) AS latest
            FROM ({projection.select}) AS changes
        ) AS ranked
        WHERE latest = 1
    """


def _sums(projection: Projection) -> str:
    sums = ", ".join(f"CAST(SUM({c.name}) AS BIGINT) AS {c.name}" for c in projection.counters)
    key = _names(projection.key)
    return f"""
        SELECT {key}, {sums}, MAX(effective_at) AS since, MAX(position) AS position
        FROM ({projection.select}) AS changes
        GROUP BY {key}
    """


def _names(columns: tuple[Column, ...]) -> str:
    return ", ".join(column.name for column in columns)
