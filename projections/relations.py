"""The SELECT of a view, now or as of a moment, in which conditions reach as far down as they may.

A derived view reads other relations. Where it keeps a column of one (`DerivedView.over`), only the
rows of that relation count that fit the conditions on the column, so only those are read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from ledger.as_of import AsOf
from ledger.values import instant, instant_text
from projections.definitions.declared import FOLDED, PROJECTIONS, VIEWS
from projections.history import rows, tables
from projections.projection import EVENTS, HISTORY, FoldedProjection
from projections.stores.connection import Connection
from projections.stores.tracking import Tracking


class Conditions(NamedTuple):
    """The conditions on the rows of an answer: values by column, and words for the account."""

    columns: Collection[str]
    """Those of the answer."""
    wanted: Mapping[str, str]
    accounts: Collection[tuple[str, str]] = ()

    def on(self, kept: Collection[str]) -> tuple[str, list[str]]:
        """The conditions on some of the columns, in SQL on rows `r`, and their parameters.

        Where an answer has an empty text, a relation may have NULL: then the value is not compared.
        """
        wanted = {name: value for name, value in self.wanted.items() if name in kept and value}
        return rows.asked(self.columns, wanted, accounts=self.accounts) if wanted else ("", [])


ANY: Final = Conditions((), {})


class Relations:
    """Composes the SELECTs of views over the live tables."""

    def __init__(self, connection: Connection, tracking: Tracking) -> None:
        self._connection, self._tracking = connection, tracking

    def answer(
        self, name: str, as_of: AsOf | None, asked: Conditions = ANY
    ) -> tuple[str, list[str]]:
        """`WITH … answer AS (…)`, and its parameters: the view as it was at a moment, or is now.

        It may still have rows that do not fit the conditions.
        """
        if name in PROJECTIONS:
            thing = rows.THING.name if name in FOLDED else None
            return f"WITH answer AS ({self._select(name, as_of, also=thing)})", []
        view, inner, params = VIEWS[name], [], []
        for relation, kept in view.over.items():
            select = self._select(relation, as_of)
            wheres, given = asked.on(kept)
            if wheres:
                select = f"SELECT * FROM ({select}) AS r WHERE {wheres}"
            inner.append(f"{relation} AS ({select})")
            params += given
        inner.append(f"answer AS ({view.select(self._connection.dialect)})")
        return f"WITH {', '.join(inner)}", params

    def _select(self, name: str, as_of: AsOf | None, *, also: str | None = None) -> str:
        if name == EVENTS:
            return self._events(as_of)
        projection = PROJECTIONS[name.removesuffix(HISTORY)]
        table = self._tracking.table(projection)
        if name.endswith(HISTORY) and isinstance(projection, FoldedProjection):
            clock = self._recorded_at(as_of.position) if as_of else None
            return rows.history(projection, table, as_of, clock)
        if as_of is None:
            return tables.current(projection, table, self._connection.dialect, also=also)
        clock = self._recorded_at(as_of.position)
        return tables.as_of(projection, table, as_of, clock, also=also)

    def _events(self, as_of: AsOf | None) -> str:
        """The events up to the position that the views have reached, or to a moment."""
        position = as_of.position if as_of else self._tracking.reached()
        at = as_of.effective_at if as_of else None
        in_time = "" if at is None else f" AND effective_at <= '{instant_text(at)}'"
        all_events = self._connection.dialect.events
        return f"SELECT * FROM {all_events} WHERE position <= {position:d}{in_time}"

    def _recorded_at(self, position: int) -> str:
        """When the ledger learned the event at a position: what had expired then, had expired."""
        found = self._connection.value(
            "SELECT recorded_at FROM events WHERE position = ?", (position,)
        )
        return instant_text(instant(found)) if found else ""
