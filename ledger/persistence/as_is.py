"""The entries that a copy writes to its target: their bytes and positions are fixed already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from ledger.errors import Conflict
from ledger.persistence.numbering import Numbered
from ledger.persistence.side_tables import CommandRow, DocumentRow, SubjectRow

COMMAND: Final = attrgetter("command_id", "digest", "first_position", "last_position")
"""A command's row. Not by `astuple`, which copies each value deeply: there are many commands."""


@dataclass(frozen=True, slots=True)
class AsIs:
    """A part of another ledger, to be stored byte for byte.

    `rows` begin after the position `after`, which must be the last one in the target; `commands`
    are theirs. `subjects`: names of subjects that are registered in the target; `erased`: subjects
    whose names are deleted; `documents` and `erased_documents`: the same for texts by their digest;
    `note`: the newest checkpoint.
    """

    after: int
    rows: Sequence[Numbered] = ()
    commands: Sequence[CommandRow] = ()
    subjects: Sequence[SubjectRow] = ()
    erased: Sequence[str] = ()
    documents: Sequence[DocumentRow] = ()
    erased_documents: Sequence[str] = ()
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
