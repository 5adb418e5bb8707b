"""The protocol that the recorder of every database implements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from ledger.persistence.as_is import AsIs
from ledger.persistence.merkle_log import CheckpointSigner, Log
from ledger.persistence.side_tables import (
    Appended,
    CommandRow,
    DocumentRow,
    Erasable,
    SideRows,
    SnapshotRow,
    SubjectRow,
)


class Recorder(Protocol):
    """Appends entries and reads them back by stream or by position.

    Positions are 1, 2, 3 … in the order of the commits; recorded times never decrease along them,
    except with an entry that sets the clock back.
    """

    log: Log
    has_runners: bool
    """Whether its new entries say who ran the process. Not if a file of an older format could not
    be migrated, because its disk is full: older programs may read it."""

    admit: Callable[[Sequence[StoredEvent]], None]
    """Checks what is about to be appended. A ledger sets it."""

    def database_user(self) -> str | None:
        """The session user of the database's connections; None if it has no users."""

    def append(self, stored_events: Sequence[StoredEvent], side_rows: SideRows) -> Appended:
        """Append in one transaction. Raises IntegrityError on a conflict."""

    def append_as_is(self, part: AsIs) -> None:
        """Store a part of another ledger byte for byte, in one transaction, unsigned.

        Raises Conflict if the part does not begin after the last position.
        """

    def append_lock(self) -> AbstractContextManager[None]:
        """Hold the append lock: nobody else appends until the block ends or this thread commits."""

    def check(self, side_rows: SideRows) -> None:
        """Raises IntegrityError if a stream or a subject that a decision relied on has changed."""

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign a checkpoint of the log as it is now; return the note."""

    def checkpoint(self) -> str | None:
        """The newest checkpoint, a signed note."""

    def tree_size(self) -> int:
        """How many leaves the log has."""

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """A tile of the log, as in tlog-tiles; more hashes than `width` if it has grown."""

    def insert_events(self, stored_events: Sequence[StoredEvent]) -> Sequence[int] | None:
        """Append without side tables: the library's interface."""

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

    def max_versions(self, streams: Iterable[str]) -> dict[str, int]:
        """The version of each stream's last event; 0 if it has none."""

    def select_streams(self, prefix: str) -> list[str]:
        """The streams whose names begin so, sorted."""

    def select_snapshot(self, stream: str) -> SnapshotRow | None:
        """A stream's snapshot, if it has one."""

    def select_commands(self, command_ids: Iterable[str]) -> dict[str, CommandRow]:
        """Those of these commands that were appended, by id. Raises CorruptEntry."""

    def select_subjects(self, kind: str, names: Iterable[str]) -> dict[str, SubjectRow]:
        """The subjects of a kind that are registered for these names, by name."""

    def subject_names(self, subjects: Iterable[str]) -> dict[str, str]:
        """The names behind surrogate ids; erased ones are absent."""

    def select_documents(self, digests: Iterable[str]) -> dict[str, DocumentRow]:
        """Those of these documents whose texts are kept, by digest."""

    def keep(self, documents: Sequence[DocumentRow]) -> int:
        """Keep texts to which events refer already, unless they were erased; return how many were
        not kept before.
        """

    def position_at(self, recorded_at: str) -> int:
        """The last position recorded at that time or before; 0 if there is none."""

    def commit_boundary(self, position: int) -> int:
        """The position itself if a command ends there, else the end of the command before it."""

    def wipe(self, table: Erasable) -> None:
        """Overwrite the bytes of erased rows, as far as this database can."""
