"""Where in the history a question to the views stands: no further than they have come.

It is read through the views' own connection, so that whoever sees them alone can ask.
"""

from __future__ import annotations

from ledger.persistence.numbering import last_recorded_by
from projections.stores.store import Store


class Moments:
    """What `ledger.as_of` needs of a ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def max_notification_id(self) -> int:
        """The last position that the views know; the library's name for it."""
        return self._store.reached()

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""
        return last_recorded_by(
            recorded_at,
            self._store.reached(),
            lambda position: self._store.value(
                "SELECT recorded_at FROM events WHERE position = ?", (position,)
            ),
        )

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the one before it.

        The events of a command stand together.
        """
        here, after = (self._command_at(each) for each in (position, position + 1))
        if here is None or here != after:
            return position
        before = self._store.value(
            "SELECT position FROM events WHERE position < ? "
            "AND (command_id IS NULL OR command_id <> ?) ORDER BY position DESC LIMIT 1",
            (position, here),
        )
        return int(before or 0)

    def _command_at(self, position: int) -> str | None:
        found = self._store.value("SELECT command_id FROM events WHERE position = ?", (position,))
        return None if found is None else str(found)
