"""The rows of the side tables: names, documents, command ids, snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from ledger.errors import CorruptEntry
from ledger.persistence.entry import command_id_of
from ledger.persistence.merkle_log import KeyAbsent, Signed, Tail

Erasable = Literal["subjects", "documents"]
"""A table from which rows are erased."""
KEYS: Final[Mapping[Erasable, str]] = {"subjects": "subject", "documents": "digest"}
"""The key of each such table."""
ERASURES: Final[Mapping[Erasable, str]] = {
    "subjects": "e.stream = 'subject:' || subject AND CAST(e.topic AS text) LIKE 'SubjectErased.%'",
    "documents": "e.stream = 'document:' || digest AND CAST(e.topic AS text) LIKE 'DocumentErased.%'",
}
"""For each such table, the condition in SQL that an event `e` erases its row."""


IS_REGISTERED: Final = (
    "({0} = 'runner') <> EXISTS "
    "(SELECT 1 FROM events WHERE stream = 'subject:' || {1} AND version = 1)"
)
"""The condition that a subject is registered, and not erased if it is a runner: of a runner the
first event is its erasure. Its parameters are the kind and the id."""


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A name behind a surrogate id, and the salt of its commitment."""

    subject: str
    kind: str
    name: str
    salt: str


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document's text, with its digest and its size in bytes."""

    digest: str
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class CommandRow:
    """The positions that a command appended; `digest` identifies its name and fields."""

    command_id: str
    digest: str | None
    first_position: int
    last_position: int


COMMANDS: Final = (
    "SELECT c.command_id, c.digest, c.first_position, c.last_position, {} FROM commands c "
    "LEFT JOIN events e ON e.position = c.first_position WHERE c.command_id"
)
"""The rows for `commands_by_id`, up to a condition on the id; {} is how an entry is read."""


def commands_by_id(
    rows: Iterable[tuple[str, str | None, int, int, bytes | str | None]],
) -> dict[str, CommandRow]:
    """Rows of commands by id. `rows`: id, digest, first and last position, the first one's entry.

    Raises CorruptEntry if that entry is not of the command: a row that was put in by hand must not
    make a command or a trace look known.
    """
    found = {}
    for command_id, digest, first, last, entry in rows:
        if entry is None or command_id_of(entry) != command_id:
            raise CorruptEntry(
                f"command {command_id}: its row lists the positions {first} to {last}, but the "
                f"entry at position {first} is not of this command: the row was altered or put in "
                "by another program. Nothing was appended.",
                remedy="To list every such row: authledger log verify",
            )
        found[command_id] = CommandRow(command_id, digest, first, last)
    return found


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A stream's state at a version; `anchor` is the seal of who wrote it, over the entry too."""

    stream: str
    version: int
    anchor: str
    state: str


class Clock(Protocol):
    """The writer's clock, or what stands in its place."""

    def check(self, recorded_at: str | None) -> None:
        """Compare it with the last recorded time, under the append lock. Raises an error."""


@dataclass(frozen=True, slots=True)
class SideRows:
    """The side rows of an append, written in its transaction; and the conditions of the append.

    `commands`: id, digest and number of events, in the events' order. `subjects`: names to insert;
    `erased`: subjects whose names are deleted; `snapshots`: states of streams before the append.
    `documents`: texts to keep, unless they are kept or were erased; `erased_documents`: digests of
    those that are deleted. Nothing is deleted without an event that erases it.

    Conditions, or the append is a conflict: the subjects in `relied` still have names, and no
    stream has a later version than `versions` says. `clock` is held against the last recorded time.
    """

    commands: Sequence[tuple[str, str | None, int]] = ()
    subjects: Sequence[SubjectRow] = ()
    relied: Iterable[str] = ()
    versions: Mapping[str, int] = field(default_factory=dict)
    erased: Sequence[str] = ()
    snapshots: Sequence[SnapshotRow] = ()
    documents: Sequence[DocumentRow] = ()
    erased_documents: Sequence[str] = ()
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of an append: positions, the last recorded time; a checkpoint if one was due, or
    why there is none.

    The caller releases the checkpoint.
    """

    positions: Sequence[int] = ()
    recorded_at: str = ""
    signed: Signed | Tail | KeyAbsent | None = None

    def released(self) -> str | None:
        """Tell the signer that its checkpoint is committed; return it. Raises KeyUnusable."""
        return None if self.signed is None else self.signed.released()
