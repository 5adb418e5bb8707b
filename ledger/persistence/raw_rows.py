"""Raw, unvalidated rows, for verification and copying: the protocol of both databases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from ledger.persistence.schema_difference import Difference
from ledger.persistence.side_tables import ERASURES

PAGE: Final = 2_560
"""Ten tiles of leaves."""

Row = Sequence[Any]
"""The columns of the table, in the order of COLUMNS."""


NAMES_ERASED: Final = f"SELECT subject FROM subjects WHERE EXISTS (SELECT 1 FROM events e WHERE {ERASURES['subjects']})"
NAMES_MISSING: Final = (
    "SELECT subject FROM (SELECT substr(stream, 9) AS subject FROM events "
    "WHERE stream > 'subject:' AND stream < 'subject;' AND CAST(topic AS text) LIKE 'SubjectRegistered.%') AS r "
    "WHERE NOT EXISTS (SELECT 1 FROM subjects s WHERE s.subject = r.subject) "
    f"AND NOT EXISTS (SELECT 1 FROM events e WHERE {ERASURES['subjects']})"
)


class AnotherLedger(Exception):
    """The file under the ledger's name is not the one that was opened before."""


class StoredRows(Protocol):
    """All rows of a ledger within one read transaction."""

    @property
    def one_process_max(self) -> int:
        """Up to so many events, one process is faster than several."""

    def moment(self) -> str:
        """A text by which `stored_rows` opens the same ledger in another process or thread."""

    def schema_differences(self) -> Sequence[Difference]:
        """The objects of the ledger's database that are not as this program makes them."""

    # -- events ----------------------------------------------------------------------------------

    def extent(self) -> tuple[Any, Any, int]:
        """The first position, the last, and how many rows there are."""

    def page(self, after: int, count: int) -> Sequence[Row]:
        """So many whole rows after a position; bytes that are not UTF-8 are escaped."""

    def row(self, position: int) -> Row:
        """A whole row; bytes that are not UTF-8 are escaped. Empty if there is no such row."""

    def whole(self, after: int) -> Iterator[Sequence[Row]]:
        """All rows after a position, a page at a time."""

    def recorded_before(self, position: int) -> str:
        """The last recorded time up to a position; empty if there is none."""

    def broken_streams(self, last: int) -> Iterable[tuple[bytes | None, Any, Any, int]]:
        """Streams whose versions up to a position are not 1, 2, 3 …: name, first, last, count."""

    # -- side tables ----------------------------------------------------------------------------

    def tile(self, level: int, index: int) -> object:
        """The value stored for a tile; None if there is none."""

    def tiles(self) -> int:
        """How many tiles there are."""

    def commands(self, last: int) -> Iterable[tuple[bytes | None, Any, Any, bool]]:
        """The commands that begin up to a position, sorted by their first one: id, first and last
        position, and whether the id is a text.
        """

    def stray_commands(self) -> Iterable[tuple[bytes | None, Any, Any]]:
        """The commands that begin at no position: id, first and last position."""

    def commands_after(self, after: int) -> Iterable[tuple[bytes, bytes | None, int, int]]:
        """The commands that begin after a position: id, digest, first and last position."""

    def note(self) -> bytes | None:
        """The newest checkpoint, a signed note; None if there is none."""

    def entries(self, first: int, last: int) -> Iterable[tuple[int, bytes]]:
        """The positions between two, both included, and their entries."""

    def extent_of(self, command_id: str) -> tuple[Any, Any] | None:
        """The first and the last position that are stored of a command; None if it is not there."""

    def subjects(self) -> Iterable[tuple[Any, Any, Any, Any, bytes | None]]:
        """Subject, kind, name and salt as stored, and the entry that registered the subject."""

    def names_erased(self) -> Iterable[tuple[Any]]:
        """The subjects whose names are stored, though an entry erases them."""

    def names_missing(self) -> Iterable[tuple[Any]]:
        """The subjects that an entry registers and none erases, and that have no stored name."""

    def documents(self) -> Iterable[tuple[Any, Any, Any]]:
        """Digest, size and text as stored. None in a ledger of an older format."""

    def snapshots(self) -> Iterable[tuple[Any, Any, Any]]:
        """Stream, version and state as stored."""

    def stream(self, stream: str, last: int) -> Iterable[tuple[int, str, bytes]]:
        """The version, topic and entry of a stream's entries up to a version, in order."""

    def index_faults(self) -> Iterable[str]:
        """The database's messages about indexes that do not agree with their tables."""
