"""What is kept beside the events: names, command ids, snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.persistence.merkle_log import Signed


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A name behind a surrogate id, and the salt of its commitment."""

    subject: str
    kind: str
    name: str
    salt: str


@dataclass(frozen=True, slots=True)
class CommandRow:
    """Which positions a command appended; the digest tells it from another with the same id."""

    command_id: str
    digest: str | None
    first_position: int
    last_position: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A stream's state at a version; `anchor` is a digest of the entry there."""

    stream: str
    version: int
    anchor: str
    state: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What is written beside the events, in their transaction.

    `commands`: id, digest and number of events, in the events' order. `subjects`: names to keep;
    `relied`: subjects whose names are believed to be kept; `versions`: streams that a decision
    relies on, and the last version that it knows; `erased`: subjects to forget; `snapshots`:
    states of streams as they were before.
    """

    commands: Sequence[tuple[str, str | None, int]] = ()
    subjects: Sequence[SubjectRow] = ()
    relied: Iterable[str] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    erased: Sequence[str] = ()
    snapshots: Sequence[SnapshotRow] = ()


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append committed: the positions, when the last was recorded, and the checkpoint
    that covers them, if one was due. The caller releases the checkpoint.
    """

    positions: Sequence[int] = ()
    recorded_at: str = ""
    signed: Signed | None = None

    def released(self) -> str | None:
        """Tell the signer that its checkpoint is committed; return it. Raises KeyUnusable."""
        return None if self.signed is None else self.signed.released()
