"""The present of a projection straight from the events, in SQL that every engine runs as it is.

What the runner folds change by change is here one statement around the projection's own SELECT:
of each key the change with the greatest (effective_at, position), which is what is left when a
change counts only if it is not earlier than the latest one known; counters are summed.

The latest is found by an aggregate and a join and not by a window function, which would sort all
changes by all columns of the key (docs/decisions/0022). Times have a fixed width, and so have
positions once 10^18 is added: the greatest text is the latest change.
"""

from __future__ import annotations

from projections.projection import Column, Projection

_ADDED = 10**18
_WIDTH = len("2026-03-01T09:30:00.000000Z")


def sorted_present(projection: Projection) -> str:
    """The present rows, sorted by key: key, values or counters, since, position."""
    return _sums(projection) if projection.counters else _latest(projection)


def _latest(projection: Projection) -> str:
    told = _names((*projection.key, *projection.values), "changes.")
    latest = f"MAX(effective_at || CAST({_ADDED} + position AS VARCHAR(19)))"
    return f"""
        WITH changes AS ({projection.select}),
        latest AS (
            SELECT CAST(SUBSTR({latest}, {_WIDTH + 1}) AS BIGINT) - {_ADDED} AS position
            FROM changes
            GROUP BY {_names(projection.key)}
        )
        SELECT {told}, changes.effective_at AS since, changes.position AS position
        FROM changes JOIN latest ON changes.position = latest.position
        ORDER BY {_names(projection.key, "changes.")}
    """


def _sums(projection: Projection) -> str:
    sums = ", ".join(f"CAST(SUM({c.name}) AS BIGINT) AS {c.name}" for c in projection.counters)
    key = _names(projection.key)
    return f"""
        SELECT {key}, {sums}, MAX(effective_at) AS since, MAX(position) AS position
        FROM ({projection.select}) AS changes
        GROUP BY {key}
        ORDER BY {key}
    """


def _names(columns: tuple[Column, ...], relation: str = "") -> str:
    return ", ".join(f"{relation}{column.name}" for column in columns)
