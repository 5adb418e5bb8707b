"""The tree of errors. Only the command line's outermost layer turns them into exit codes.

LedgerError
├── InvalidInput            the request cannot be understood                         exit 2
│   └── WrongThread           an object is used by a thread that did not open it
├── Refused                 the rules forbid it; the attempt is recorded            exit 3
├── NotFound                no such agency, policy, position, …                     exit 4
├── Conflict                another writer was faster, or an id is taken            exit 5
│   ├── StreamChanged         the stream grew while the decision was taken
│   └── CommandIdReused       the command id belongs to another command, or another actor
├── VerificationFailed      stored bytes are not what was written                   exit 6
│   ├── UnknownTopic          an entry's topic is not in the closed catalogue
│   ├── CorruptEntry          an entry cannot be read as one
│   ├── SchemaAltered         the database's tables are not those that this program makes
│   └── LogForked             the log differs from what its key signed
├── StoreUnavailable        the ledger cannot be read or written at present         exit 7
│   ├── LedgerReplaced        another file has the ledger's name, or none has it
│   ├── ClockDisagrees        the writer's clock and the last recorded time are too far apart
│   ├── KeyUnusable           the log's signing key cannot be used, or must not be
│   ├── NotALedger            the file is not a ledger
│   ├── NewerFormat           written by a newer version of this program
│   ├── StoreLocked           another process holds the lock for too long
│   ├── StoreReadOnly         the file or its folder cannot be written
│   ├── StoreForbidden        the database does not allow this role to do it
│   ├── StoreFull             the disk is full
│   ├── OutcomeUnknown        the connection was lost at the commit
│   └── QueryTimedOut         a query was stopped at its time limit
├── ConditionNotMet         a condition that was asked for does not hold            exit 8
└── DoneInPart              one part was done, another could not be                 exit 9
"""

from __future__ import annotations

from typing import Any


class LedgerError(Exception):
    """A failure that a person can do something about.

    `entries` are those that the failing command appended nevertheless. The notes of the error
    (PEP 678) say what its call had appended.
    """

    entries: tuple[Any, ...] = ()

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return " ".join(filter(None, (self.message, *getattr(self, "__notes__", ()), self.remedy)))


class InvalidInput(LedgerError):
    """The request cannot be understood."""


class WrongThread(InvalidInput):
    """An object is used by a thread that did not open it."""


class Refused(LedgerError):
    """The rules forbid it. The attempt is recorded: `entries`, empty after a dry run."""

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        entries: tuple[Any, ...] = (),
        dry_run: bool = False,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.entries = entries
        self.dry_run = dry_run


class NotFound(LedgerError):
    """The agency, policy, position, … is not in this ledger."""


class Conflict(LedgerError):
    """Another writer was faster, or an id is taken."""


class StreamChanged(Conflict):
    """The stream grew while the decision was taken, again and again."""


class CommandIdReused(Conflict):
    """The command id belongs to another command, or to another actor."""


class VerificationFailed(LedgerError):
    """Stored bytes are not what was written."""


class UnknownTopic(VerificationFailed):
    """An entry's topic is not in the closed catalogue of topics."""


class CorruptEntry(VerificationFailed):
    """An entry cannot be read as one."""


class SchemaAltered(VerificationFailed):
    """The tables, views, triggers or indexes are not those that this program makes."""


class LogForked(VerificationFailed):
    """The log differs from what its key signed: the ledger was restored or rewritten."""


class StoreUnavailable(LedgerError):
    """The ledger cannot be read or written at present."""


class LedgerReplaced(StoreUnavailable):
    """The ledger's file was moved, deleted or replaced while it was open."""


class ClockDisagrees(StoreUnavailable):
    """The writer's clock and the ledger's last recorded time are too far apart."""


class KeyUnusable(StoreUnavailable):
    """The log's signing key cannot be used, or must not be."""


class NotALedger(StoreUnavailable):
    """The file is not a ledger."""


class NewerFormat(StoreUnavailable):
    """The file was written by a newer version of this program."""


class StoreLocked(StoreUnavailable):
    """Another process holds the lock for too long."""


class StoreReadOnly(StoreUnavailable):
    """The file or its folder cannot be written."""


class StoreForbidden(StoreUnavailable):
    """The database does not allow this role to do it."""


class StoreFull(StoreUnavailable):
    """The disk is full."""


class OutcomeUnknown(StoreUnavailable):
    """The connection was lost at the commit: it is not known whether the commit took place."""


class QueryTimedOut(StoreUnavailable):
    """A query was stopped at its time limit."""


class ConditionNotMet(LedgerError):
    """A condition that the user asked for does not hold. The question itself was answered."""


class DoneInPart(LedgerError):
    """One part was done and another could not be, such as records that cannot be read."""
