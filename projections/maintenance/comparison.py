"""Compares the live views with the events where nothing may be written.

On a standby, or for a role that only reads, not even a temporary table can be made. So the present
of each projection is one SELECT over the events, and the rows of the folded ones are folded in this
process, account by account. Their digests are compared with the live views', in one snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ledger.folding import derive, rules_of
from projections.maintenance.digest import (
    Digest,
    digest_of_rows,
    digest_of_select,
    digest_of_table,
)
from projections.maintenance.facts import accounts, learned
from projections.maintenance.present import sorted_present
from projections.maintenance.rebuild import OnProgress, Rebuilt
from projections.maintenance.spans import Shown, cells_of
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
        for projection in wanted:
            live = known[projection.name]
            before = digest_of_table(connection, projection, live.table, live.position)
            after = _digest_of_events(connection, projection, live.position)
            compared.append(Rebuilt.of(projection, live.position, before, after))
            if on_progress:
                on_progress(projection.name, live.position, live.position)
    return tuple(compared)


def _digest_of_events(connection: Connection, projection: Stored, position: int) -> Digest:
    if isinstance(projection, Projection):
        return digest_of_select(connection, projection, _present_at(projection, position))
    return digest_of_rows(projection, _folded_at(connection, projection, position))


def _present_at(projection: Projection, position: int) -> str:
    """The SELECT for the present rows when that position was the last: it sees no later events."""
    return (
        f"WITH events AS (SELECT * FROM events WHERE position <= {position:d}) "
        f"{sorted_present(projection)}"
    )


def _folded_at(
    connection: Connection, projection: FoldedProjection, position: int
) -> Iterator[tuple[Any, ...]]:
    """The rows of a folded projection when that position was the last, account by account."""
    shown = Shown(projection)
    for account in accounts(connection, position):
        facts = [each.fact for each in learned(connection, account, position)]
        for span in derive(facts, rules_of(account.provider)):
            if span.subject == projection.subject:
                yield shown.digested(cells_of(account, span))
