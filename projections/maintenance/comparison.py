"""Compares the live views with the events where nothing may be written.

On a standby, or for a role that only reads, not even a temporary table can be made. So the present
of each projection is one SELECT over the events, and its digest is compared with the live view's,
in one snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence

from projections.maintenance.digest import digest_of_select, digest_of_table
from projections.maintenance.present import sorted_present
from projections.maintenance.rebuild import OnProgress, Rebuilt
from projections.projection import Projection
from projections.stores.connection import Connection
from projections.stores.tracking import Tracking


def compare_all(
    connection: Connection, wanted: Sequence[Projection], on_progress: OnProgress | None
) -> tuple[Rebuilt, ...]:
    """Digest the live views, and the events up to the position that each view has reached."""
    compared = []
    with connection.snapshot(*(projection.name for projection in wanted)):
        known = Tracking(connection).tracked()
        for projection in wanted:
            live = known[projection.name]
            _, before = digest_of_table(connection, projection, live.table)
            rows, after = digest_of_select(connection, _present_at(projection, live.position))
            compared.append(Rebuilt(projection.name, live.position, rows, before, after))
            if on_progress:
                on_progress(projection.name, live.position, live.position)
    return tuple(compared)


def _present_at(projection: Projection, position: int) -> str:
    """The SELECT for the present rows when that position was the last: it sees no later events."""
    return (
        f"WITH events AS (SELECT * FROM events WHERE position <= {position:d}) "
        f"{sorted_present(projection)}"
    )
