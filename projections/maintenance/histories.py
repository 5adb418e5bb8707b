"""Writes the history of any projection into its table: all of it, or what is new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from projections.maintenance.intervals import IntervalWriter
from projections.maintenance.live_facts import ReadFacts
from projections.maintenance.row_writer import RowWriter
from projections.projection import FoldedProjection, Projection, Stored
from projections.stores.store import Store

Tables: TypeAlias = Mapping[Stored, str]
"""The table of each projection."""


def write_history(store: Store, tables: Tables, last: int, facts: ReadFacts) -> None:
    """Write the whole history up to a position into empty tables. Within a transaction only."""
    for projection, table in tables.items():
        if isinstance(projection, Projection):
            store.upkeep.fill(projection, table, last)
    if folded := _folded(tables):
        RowWriter(store.connection, folded, facts).write_all(last)


def continue_history(store: Store, tables: Tables, first: int, last: int, facts: ReadFacts) -> None:
    """Add the history between two positions, both included. Within a transaction only."""
    for projection, table in tables.items():
        if isinstance(projection, Projection):
            writer = IntervalWriter(store.connection, store.upkeep, projection, table)
            writer.add_changes(first, last)
            writer.write()
    if folded := _folded(tables):
        RowWriter(store.connection, folded, facts).add(first, last)


def _folded(tables: Tables) -> dict[FoldedProjection, str]:
    return {p: table for p, table in tables.items() if isinstance(p, FoldedProjection)}
