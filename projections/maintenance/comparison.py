"""Compares the live views with the events where nothing may be written.

On a standby, or for a role that only reads, not even a temporary table can be made. So the present
of each projection is one SELECT over the events, and the rows of the folded ones are folded in this
process, account by account. Their digests are compared with the live views', in one snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence

from projections.maintenance.digest import Digest, digest_of_select, digest_of_table
from projections.maintenance.facts import accounts, learned
from projections.maintenance.folded_present import folded_digests
from projections.maintenance.present import sorted_present
from projections.maintenance.rebuild import OnProgress, Rebuilt
from projections.projection import FoldedProjection, Projection, Stored
from projections.stores.connection import Connection
from projections.stores.tracking import Tracking


def compare_all(
    connection: Connection, wanted: Sequence[Stored], on_progress: OnProgress | None
) -> tuple[Rebuilt, ...]:
    """Digest the live views, and the events up to the position that each view has reached."""
    compared = []
    with connection.snapshot(*(projection.name for projection in wanted)):
        known = Tracking(connection).tracked()
        position = min(known[projection.name].position for projection in wanted)
        folded = _folded_at(connection, wanted, position)
        for projection in wanted:
            before = digest_of_table(connection, projection, known[projection.name].table, position)
            if isinstance(projection, FoldedProjection):
                after = folded[projection.name]
            else:
                after = digest_of_select(connection, projection, _present_at(projection, position))
            compared.append(Rebuilt.of(projection, position, before, after))
            if on_progress:
                on_progress(projection.name, position, position)
    return tuple(compared)


def _present_at(projection: Projection, position: int) -> str:
    """The SELECT for the present rows when that position was the last: it sees no later events."""
    return (
        f"WITH events AS (SELECT * FROM events WHERE position <= {position:d}) "
        f"{sorted_present(projection)}"
    )


def _folded_at(
    connection: Connection, wanted: Sequence[Stored], position: int
) -> dict[str, Digest]:
    """The digests of the folded projections when that position was the last."""
    folded = [projection for projection in wanted if isinstance(projection, FoldedProjection)]
    if not folded:
        return {}
    return folded_digests(
        folded,
        (
            (account, [each.fact for each in learned(connection, account, position)])
            for account in accounts(connection, position)
        ),
    )
