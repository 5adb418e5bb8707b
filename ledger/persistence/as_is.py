"""What a copy hands to a ledger: entries whose bytes and positions are settled already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from ledger.errors import Conflict
from ledger.persistence.numbering import Numbered
from ledger.persistence.side_tables import CommandRow, SubjectRow

COMMAND: Final = attrgetter("command_id", "digest", "first_position", "last_position")
"""A command as its row: there are as many as entries, and `astuple` copies each value deeply."""


@dataclass(frozen=True, slots=True)
class AsIs:
    """A part of another ledger, to be kept exactly as it is there.

    `rows` follow on the position `after`, which must be the last here; with them their `commands`.
    `subjects`: names of those who are registered here; `erased`: subjects to forget; `note`: the
    checkpoint.
    """

    after: int
    rows: Sequence[Numbered] = ()
    commands: Sequence[CommandRow] = ()
    subjects: Sequence[SubjectRow] = ()
    erased: Sequence[str] = ()
    note: str | None = None

    @property
    def last(self) -> int:
        return self.rows[-1].position if self.rows else self.after


def another_writer(after: int, last: int) -> Conflict:
    """The error that another process appended to the target of a copy."""
    return Conflict(
        f"Another writer appended to the target during the copy: its last position is {last}, not "
        f"{after}.",
        remedy=f"Up to position {after} the copy is complete. Copy again to a target that nobody "
        "else writes to.",
    )
