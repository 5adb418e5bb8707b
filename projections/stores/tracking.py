"""How far each projection has come, by the table `tracking`; and how a history is recognised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from ledger.persistence.entry import command_id_of
from projections.definitions.declared import PROJECTIONS, RETIRED
from projections.projection import Stored
from projections.stores.connection import Connection


@dataclass(frozen=True, slots=True)
class Tracked:
    """How far a projection has come.

    `anchor` is a digest of the entry at `position`; `fingerprint` is the declaration's for which
    the table was made.
    """

    name: str
    position: int
    anchor: str
    fingerprint: str
    generation: int

    @property
    def table(self) -> str:
        """The table that holds the live generation."""
        return f"{self.name}_{self.generation}"

    @property
    def successor(self) -> str:
        """The table that the next generation will have."""
        return replace(self, generation=self.generation + 1).table


class Tracking:
    """Reads and advances the positions of the projections."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last_position(self) -> int:
        """The ledger's last position."""
        return self._connection.value("SELECT max(position) FROM entries") or 0

    def end_of_command(self, position: int) -> int:
        """The position of the last event of the command, or the trace, that is stored there.

        Its events are consecutive; views never show half of them.
        """
        command = self._command_at(position)
        if command is not None:
            while self._command_at(position + 1) == command:
                position += 1
        return position

    def _command_at(self, position: int) -> str | None:
        entry = self._connection.value("SELECT entry FROM entries WHERE position = ?", (position,))
        return None if entry is None else command_id_of(entry)

    def anchor(self, position: int) -> str | None:
        """A digest of the entry at a position; None if there is no such entry."""
        entry = self._connection.value("SELECT entry FROM entries WHERE position = ?", (position,))
        return None if entry is None else hashlib.sha256(str(entry).encode()).hexdigest()[:16]

    def reached(self) -> int:
        """The position that all projections have reached."""
        return int(self._connection.value("SELECT COALESCE(min(position), 0) FROM tracking"))

    def advance(self, position: int) -> None:
        """Note that every projection has reached a position."""
        self._connection.execute(
            "UPDATE tracking SET position = ?, anchor = ? WHERE position < ?",
            (position, self.anchor(position), position),
        )

    def tracked(self) -> dict[str, Tracked]:
        """How far each projection has come, by name."""
        return self.rows()[0]

    def table(self, projection: Stored) -> str:
        """The table that holds the projection's live generation."""
        return self.tracked()[projection.name].table

    def rows(self) -> tuple[dict[str, Tracked], list[Any]]:
        """How far each projection has come, by name; and the names in all other rows.

        Statements are composed from the first. So a row counts only if the code declares its name,
        or once did, and its generation is a number: whatever else is in the table is data.
        """
        known, others = {}, []
        for row in self._connection.execute(
            "SELECT name, position, anchor, fingerprint, generation FROM tracking"
        ).fetchall():
            if (row[0] in PROJECTIONS or row[0] in RETIRED) and isinstance(row[4], int):
                known[row[0]] = Tracked(*row)
            else:
                others.append(row[0])
        return known, others
