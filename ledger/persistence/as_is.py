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


def went_on(after: int, last: int) -> Conflict:
    """Somebody else appended to what is being copied into."""
    return Conflict(
        f"The ledger that is copied to went on by itself: its last position is {last}, not {after}.",
        remedy="Copy to a ledger that nobody else writes to; what was copied is whole.",
    )
