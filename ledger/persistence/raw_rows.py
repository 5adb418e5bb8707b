"""Raw, unvalidated rows of a ledger, for verification and copying: what every database offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from ledger.persistence.columns import COLUMNS

PAGE: Final = 2_560
"""Ten tiles of leaves."""
BESIDE: Final = tuple(name for name in COLUMNS if name not in {"position", "entry"})
"""The columns that stand behind the entry in the text of a row."""

Row = Sequence[Any]
"""COLUMNS, in their order."""


class AnotherLedger(Exception):
    """What lies under the ledger's name now is not what was seen there before."""


class StoredRows(Protocol):
    """All rows of a ledger within one read transaction."""

    @property
    def alone_max(self) -> int:
        """About so many events are read before starting other processes has paid for itself."""

    @property
    def comma(self) -> str:
        """What stands between two columns in the text of a row."""

    def moment(self) -> str:
        """By which `stored_rows` recognises the ledger again, for another process or thread."""

    # -- events ----------------------------------------------------------------------------------

    def extent(self) -> tuple[Any, Any, int]:
        """The first position, the last, and how many rows there are."""

    def page(self, after: int, count: int) -> Sequence[tuple[int, str, str]]:
        """Of so many rows that follow on a position: position, topic, and one text of all else.

        The text is the entry and, behind it, a JSON array of the entry's type ("text") and BESIDE.
        It is empty, or another, where a value is not of the type that it should be.
        """

    def row(self, position: int) -> Row:
        """All of it; what is no UTF-8 comes with its bytes escaped. Empty if there is none."""

    def whole(self, after: int) -> Iterator[Sequence[Row]]:
        """All rows that follow on a position, a page at a time."""

    def recorded_before(self, position: int) -> str:
        """The last recorded time up to a position; empty if there is none."""

    def broken_streams(self, last: int) -> Iterable[tuple[bytes | None, Any, Any, int]]:
        """Streams whose versions up to a position are not 1, 2, 3 …: name, first, last, count."""

    # -- beside them -----------------------------------------------------------------------------

    def tile(self, level: int, index: int) -> object:
        """What is stored as a tile; None if nothing is."""

    def tiles(self) -> int:
        """How many tiles there are."""

    def commands(self, last: int) -> Iterable[tuple[bytes | None, Any, Any, bool]]:
        """Those that begin up to a position, in the order of their first ones: id, first and last
        position, and whether the id is a text.
        """

    def commands_after(self, after: int) -> Iterable[tuple[bytes, bytes | None, int, int]]:
        """Those that begin after a position: id, digest, first and last position."""

    def note(self) -> bytes | None:
        """The newest checkpoint, a signed note; None if there is none."""

    def unnamed(self, first: int, last: int, limit: int) -> Iterable[tuple[int, bytes | None]]:
        """Positions between these whose entry names a command that does not claim them."""

    def subjects(self) -> Iterable[tuple[Any, Any, Any, Any, bytes | None]]:
        """Subject, kind, name and salt as they are kept, and the entry that registered it."""

    def index_faults(self) -> Iterable[str]:
        """What the database says of indexes that do not agree with their tables."""
