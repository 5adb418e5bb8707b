"""The positions that a question to the views may mean: none after the one that they have reached.

Everything is read through the views' own connection, so a role that sees only the views can ask.
"""

from __future__ import annotations

from ledger.persistence.numbering import SET_BACKS, last_recorded_by
from projections.stores.connection import Connection
from projections.stores.tracking import Tracking


class Moments:
    """The positions of the views, in the form that `ledger.as_of.resolve` needs."""

    def __init__(self, connection: Connection, tracking: Tracking) -> None:
        self._connection, self._tracking = connection, tracking

    def max_notification_id(self) -> int:
        """The last position that the views have reached; the library's name for it."""
        return self._tracking.reached()

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""
        statement = "SELECT recorded_at FROM events WHERE position = ?"
        reached = self._tracking.reached()
        set_backs = self._connection.execute(SET_BACKS.format(events="entries")).fetchall()
        return last_recorded_by(
            recorded_at,
            reached,
            lambda position: self._connection.value(statement, (position,)),
            [position for (position,) in set_backs if position <= reached],
        )

    def latest(self) -> str:
        """The latest effective time of an event; empty if there is none."""
        found = self._connection.value("SELECT latest FROM time_blocks ORDER BY first DESC LIMIT 1")
        return found or ""

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the command before it.

        The events of a command are consecutive.
        """
        here, after = (self._command_at(each) for each in (position, position + 1))
        if here is None or here != after:
            return position
        before = self._connection.value(
            "SELECT position FROM events WHERE position < ? "
            "AND (command_id IS NULL OR command_id <> ?) ORDER BY position DESC LIMIT 1",
            (position, here),
        )
        return int(before or 0)

    def _command_at(self, position: int) -> str | None:
        statement = "SELECT command_id FROM events WHERE position = ?"
        found = self._connection.value(statement, (position,))
        return None if found is None else str(found)
