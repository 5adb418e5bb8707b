"""The results of writing: of a command, of observations, and of everything committed so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import local
from typing import Final

from ledger.errors import (
    OutcomeUnknown,
    StoreUnavailable,
    StreamChanged,
    VerificationFailed,
)
from ledger.messages import Recorded


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a command: the entries appended; if it was repeated, those of the first time.

    `checkpoint` is the receipt: the signed note over the log with these entries.
    """

    entries: tuple[Recorded, ...]
    checkpoint: str | None = None
    note: str = ""
    repeated: bool = False
    dry_run: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether the command was recorded as neither carried out nor refused: the ledger cannot
        know which it was.
        """
        return any(getattr(each.event, "outcome", None) == "unknown" for each in self.entries)


CONFLICTS_MAX: Final = 20
"""So many conflicts are listed; all are counted."""


@dataclass(slots=True)
class Observed:
    """The result of observing: numbers of traces, and of entries appended."""

    new_traces: int = 0
    known_traces: int = 0
    entries: int = 0
    completed_traces: int = 0
    """How many known traces were completed by documents or ids that their entries lacked."""
    texts_kept_again: int = 0
    """How many texts are kept from now on to which known entries referred already."""
    conflicts: int = 0
    """How many traces were known with other content: what they say is kept, but not believed."""
    conflicting: list[str] = field(default_factory=list)
    """The first CONFLICTS_MAX of these, each as its file and its id."""
    by_type: Counter[str] = field(default_factory=Counter)


_NOTHING: Final = "Nothing was appended."
_UNDONE: Final = (StoreUnavailable, StreamChanged, VerificationFailed)
"""Errors that must say whether anything was appended."""


class _Calls(local):
    """The calls of this thread: commits of other threads do not belong to them."""

    def __init__(self) -> None:
        self.open: list[Committed] = []


@dataclass(slots=True, eq=False)
class Committed:
    """Counts the entries that were committed, and keeps their first and last position.

    A failure after a commit cannot undo it. So the note in an error about the append is made here,
    from the commits themselves, and not by the step that failed.
    """

    count: int = 0
    first: int = 0
    last: int = 0
    _calls: _Calls = field(default_factory=_Calls, repr=False)

    def add(self, positions: Sequence[int]) -> None:
        """Add positions whose transaction was just committed, in ascending order."""
        if not positions:
            return
        for each in (self, *self._calls.open):
            each.first = each.first or positions[0]
            each.last = positions[-1]
            each.count += len(positions)

    @contextmanager
    def call(self, *, or_nothing: bool = True) -> Iterator[None]:
        """Adds a note to every error that leaves the block: the positions committed within it.

        `or_nothing`: also say that nothing was appended, if that is certain.
        """
        within = Committed()
        self._calls.open.append(within)
        try:
            yield
        except BaseException as error:
            within._note(error, or_nothing=or_nothing)
            raise
        finally:
            self._calls.open.remove(within)

    def __str__(self) -> str:
        if not self.count:
            return _NOTHING
        what = "1 entry was" if self.count == 1 else f"{self.count} entries were"
        if self.first == self.last:
            return f"{what} appended, at position {self.first}."
        where = f"positions {self.first} to {self.last}"
        among = "" if self.last - self.first + 1 == self.count else "among "
        return f"{what} appended, {among}{where}."

    def _note(self, error: BaseException, *, or_nothing: bool) -> None:
        is_undone = isinstance(error, _UNDONE) and not isinstance(error, OutcomeUnknown)
        says = self.count or (or_nothing and is_undone)
        if says and str(self) not in getattr(error, "__notes__", ()):
            error.add_note(str(self))
