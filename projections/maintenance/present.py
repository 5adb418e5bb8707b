"""The present of a projection directly from the events, in SQL that runs unchanged on every engine.

One statement around the projection's own SELECT has the same result as the runner, which adds one
change after another: of each key the change with the greatest (effective_at, position); counters
are summed.

A window costs a sort of the changes. The engines that use this statement sort as quickly as they
aggregate (docs/decisions/0022). The runner on SQLite does not use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from projections.projection import Column, Projection


def sorted_present(
    projection: Projection, selected: Callable[[Iterable[str]], str] = ", ".join
) -> str:
    """The present rows, sorted by key: key, values or counters, since, position.

    `selected` composes the list of selected expressions from the columns' names.
    """
    columns = (*projection.key, *projection.values, *projection.counters)
    names = (*(column.name for column in columns), "since", "position")
    select = _sums(projection) if projection.counters else _latest(projection)
    return f"SELECT {selected(names)} FROM ({select}) AS present ORDER BY {_names(projection.key)}"


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
