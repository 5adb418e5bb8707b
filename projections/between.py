"""The rows and the events that only one of two instants sees: they lie between the instants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.as_of import AsOf
from ledger.values import instant, instant_text
from projections.definitions.audit_trail import AUDIT_TRAIL
from projections.definitions.declared import FOLDED
from projections.history.rows import Instant, asked, begun_between
from projections.stores import name_index
from projections.stores.connection import Connection
from projections.stores.tracking import Tracking

_Rows = list[dict[str, Any]]


class Between:
    """Reads what lies between two instants, None being now; in either order."""

    def __init__(self, connection: Connection, tracking: Tracking) -> None:
        self._connection, self._tracking = connection, tracking

    def states(self, name: str, before: AsOf | None, after: AsOf | None) -> _Rows:
        """The rows of a folded view that began between two instants, sorted by `valid_from`."""
        projection = FOLDED[name]
        columns = (*(column.name for column in projection.columns), "valid_from")
        with self._connection.store_errors(), self._connection.snapshot(name):
            one, other = (self._instant(when) for when in (before, after))
            wheres = (begun_between(*each) for each in ((one, other), (other, one)))
            found = self._connection.execute(
                f"SELECT {', '.join(columns)} FROM {self._tracking.table(projection)} "
                f"WHERE {' OR '.join(wheres)} ORDER BY valid_from, position"
            ).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in found]

    def events(
        self,
        types: Iterable[str],
        before: AsOf | None,
        after: AsOf | None,
        *,
        provider: str | None = None,
        account: str | None = None,
    ) -> _Rows:
        """The rows of the trail between two instants, of some types, in order of time.

        An account's id and name, if events told both, find the same rows.
        """
        columns = tuple(column.name for column in AUDIT_TRAIL.columns)
        named = ", ".join(f"'{name}'" for name in types)
        with self._connection.store_errors(), self._connection.snapshot():
            one, other = (_sees(self._instant(when)) for when in (before, after))
            wheres, params = self._asked(provider, account)
            found = self._connection.execute(
                f"SELECT * FROM audit_trail AS r WHERE type IN ({named}) AND ({one}) <> ({other}) "
                f"AND {wheres} ORDER BY effective_at, position",
                params,
            ).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in found]

    def seen_until(self, when: AsOf | None) -> str:
        """The effective time up to which an instant sees events; of a position, its recording."""
        with self._connection.store_errors(), self._connection.snapshot():
            _, at, clock = self._instant(when)
            return at or str(self._connection.value(f"SELECT {clock}"))

    def _asked(self, provider: str | None, account: str | None) -> tuple[str, list[str]]:
        """Conditions on a provider and an account, and their parameters."""
        given = {"provider": provider, "account": account}
        wanted = {name: value for name, value in given.items() if value is not None}
        same = name_index.same_accounts(self._connection, account)
        return asked(wanted, wanted, accounts=same)

    def _instant(self, when: AsOf | None) -> Instant:
        if when is None:
            return Instant(self._tracking.reached(), None, self._connection.dialect.now)
        found = self._connection.value(
            "SELECT recorded_at FROM events WHERE position = ?", (when.position,)
        )
        clock = instant_text(instant(found)) if found else ""
        at = None if when.effective_at is None else instant_text(when.effective_at)
        return Instant(when.position, at, f"'{clock}'")


def _sees(when: Instant) -> str:
    in_time = "" if when.at is None else f" AND effective_at <= '{when.at}'"
    return f"position <= {when.position:d}{in_time}"
