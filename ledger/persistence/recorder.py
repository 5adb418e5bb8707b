"""What every ledger's database promises, whatever it is: the recorder's protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from ledger.persistence.as_is import AsIs
from ledger.persistence.merkle_log import CheckpointSigner, Log
from ledger.persistence.side_tables import Appended, Beside, CommandRow, SnapshotRow, SubjectRow


class Recorder(Protocol):
    """Appends entries and reads them back by stream or by position.

    Positions are 1, 2, 3 … in the order of the commits; recorded times never decrease along them.
    """

    log: Log

    def append(self, stored_events: Sequence[StoredEvent], beside: Beside) -> Appended:
        """Append in one transaction. Raises IntegrityError on a lost race."""

    def append_as_is(self, part: AsIs) -> None:
        """Keep a part of another ledger in one transaction: no time is stamped, nothing is signed.

        Raises Conflict if the last position is not the one that it follows on.
        """

    def append_lock(self) -> AbstractContextManager[None]:
        """Nobody else appends while it lasts, or until this thread has appended."""

    def check(self, beside: Beside) -> None:
        """Raises IntegrityError if what a decision relies on has changed meanwhile."""

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign the log as it is; the note."""

    def checkpoint(self) -> str | None:
        """The newest checkpoint, a signed note."""

    def tree_size(self) -> int:
        """How many leaves the log has."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the log, as tlog-tiles has it; more hashes than `width` if it has grown."""

    def insert_events(self, stored_events: Sequence[StoredEvent]) -> Sequence[int] | None:
        """The library's way to append."""

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream, by version."""

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """A page of history, by position."""

    def max_notification_id(self) -> int | None:
        """The last position."""

    def max_version(self, stream: str) -> int:
        """The version of a stream's last event; 0 if it has none."""

    def select_snapshot(self, stream: str) -> SnapshotRow | None:
        """A stream's snapshot, if it has one."""

    def select_commands(self, command_ids: Iterable[str]) -> dict[str, CommandRow]:
        """The commands among these that have been appended, by id."""

    def select_subjects(self, kind: str, names: Iterable[str]) -> dict[str, SubjectRow]:
        """The known subjects of a kind among these names, by name."""

    def subject_names(self, subjects: Iterable[str]) -> dict[str, str]:
        """The names behind surrogate ids; erased ones are absent."""

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the one before it."""

    def wipe(self) -> None:
        """Overwrite what was erased, as far as this database can."""
