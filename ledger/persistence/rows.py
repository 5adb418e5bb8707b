"""What is kept beside the events: names, command ids, snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


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
    """What an append did: the positions, when the last was recorded, and the signed checkpoint
    that covers them, if one was due.
    """

    positions: Sequence[int] = ()
    recorded_at: str = ""
    checkpoint: str | None = None
