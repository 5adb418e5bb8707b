"""Holds the live views against the events alone, where nothing may be written: on a standby, or for
a role that only reads.

No table can be made there, not even a temporary one, so the present of each projection is one
SELECT over the events, and its digest is compared with the live one's. Both are of one moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from projections.maintenance.present import sorted_present
from projections.maintenance.rebuild import OnProgress, Rebuilt, digest, digest_of_rows
from projections.projection import Projection
from projections.stores.store import Store


def compare_all(
    store: Store, wanted: Sequence[Projection], on_progress: OnProgress | None
) -> tuple[Rebuilt, ...]:
    """What the live views hold, and what the events say at the position that they stand at."""
    compared = []
    with store.unchanging(*(projection.name for projection in wanted)):
        known = store.tracked()
        for projection in wanted:
            live = known[projection.name]
            _, before = digest(store, projection, live.table)
            rows, after = digest_of_rows(store, _present_at(projection, live.position))
            compared.append(Rebuilt(projection.name, live.position, rows, before, after))
            if on_progress:
                on_progress(projection.name, live.position, live.position)
    return tuple(compared)


def _present_at(projection: Projection, position: int) -> str:
    """The present rows when that position was the last: of later events the SELECT sees nothing."""
    return (
        f"WITH events AS (SELECT * FROM events WHERE position <= {position:d}) "
        f"{sorted_present(projection)}"
    )
