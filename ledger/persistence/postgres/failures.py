"""Translates PostgreSQL's errors for a ledger. An error is recognised by its SQLSTATE."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventsourcing.persistence import PersistenceError

from ledger.errors import (
    StoreForbidden,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnavailable,
)

Meaning = tuple[type[StoreUnavailable], str, str]

_UNREACHABLE: Final = (
    StoreUnavailable,
    "The ledger {ledger} cannot be reached: {said}.",
    "Check that the server runs, and check host, port, database, role and password.",
)
_UNFORESEEN: Final = (
    StoreUnavailable,
    "The ledger {ledger} cannot be used: {said}.",
    "Check the server's log.",
)
_DAMAGED: Final = (
    StoreUnavailable,
    "The ledger {ledger} is damaged: {said}.",
    "Check the server's log, and restore a copy or use a standby.",
)
_NOT_ALLOWED: Final = (
    StoreForbidden,
    "The role has no right to do this in the ledger {ledger}: {said}.",
    (
        "A role that may only read the views can use `authledger view`, `audit trail` and `query`. "
        "To read entries, proofs and exports, it needs pg_read_all_data. To append, it needs "
        "`authledger database grant --writer ROLE`, by the owner."
    ),
)
_MEANINGS: Final[dict[str, Meaning]] = {
    "55P03": (
        StoreLocked,
        "The ledger {ledger} is locked by another process.",
        "Try again when that process has finished.",
    ),
    "40": (
        StoreLocked,
        "The server of the ledger {ledger} gave up this transaction for another: {said}.",
        "Try again.",
    ),
    "57014": (
        StoreLocked,
        "The server stopped a statement on the ledger {ledger}: {said}.",
        "Try again, or raise the server's statement_timeout.",
    ),
    "53100": (
        StoreFull,
        "The disk that holds the ledger {ledger} is full.",
        "Free some space, and try again.",
    ),
    "53": (
        StoreUnavailable,
        "The server of the ledger {ledger} is out of a resource: {said}.",
        "Try again later, or raise the server's limits.",
    ),
    "25006": (
        StoreReadOnly,
        "The ledger {ledger} cannot be written: the server is a standby, or read-only.",
        "Name the primary with --ledger, or both servers with target_session_attrs=read-write.",
    ),
    "42501": _NOT_ALLOWED,
    "42P01": (
        StoreUnavailable,
        "The ledger {ledger} lacks a table: {said}.",
        "If an older version made the ledger, its owner migrates it: authledger database init",
    ),
    "28": _UNREACHABLE,
    "3D000": _UNREACHABLE,
    "08": _UNREACHABLE,
    "57P": _UNREACHABLE,
    "25P03": _UNREACHABLE,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "58": (
        StoreUnavailable,
        "The server of the ledger {ledger} could not read or write: {said}.",
        "Check the server's disk and its log.",
    ),
}
_MOST_SPECIFIC_FIRST: Final = sorted(_MEANINGS, key=len, reverse=True)


def store_error(ledger: str, error: BaseException) -> StoreUnavailable:
    """The ledger's own error for one of psycopg's."""
    kind, message, remedy = meaning_of(error)
    said = str(error).partition("\n")[0].strip().rstrip(".")
    return kind(message.format(ledger=ledger, said=said), remedy=remedy)


@contextmanager
def as_store_errors(ledger: str) -> Iterator[None]:
    """Turn the failures of PostgreSQL into StoreUnavailable and its kinds."""
    try:
        yield
    except PersistenceError as error:
        if not is_from_postgres(error.__cause__):
            raise
        raise store_error(ledger, error.__cause__ or error) from error


def is_forbidden(error: BaseException | None) -> bool:
    """Whether a write failed because the role or the server may only read."""
    return getattr(error, "sqlstate", None) in ("42501", "25006")


def is_from_postgres(error: BaseException | None) -> bool:
    """Whether an error is psycopg's. It does not import psycopg, which may not be installed."""
    return type(error).__module__.partition(".")[0] == "psycopg"


def meaning_of(error: BaseException) -> Meaning:
    """The meaning of one of psycopg's errors.

    An error without a code is about a connection that was lost or could not be made.
    """
    code = getattr(error, "sqlstate", None)
    if code is None:
        names = {kind.__name__ for kind in type(error).__mro__}
        return _UNREACHABLE if names & {"OperationalError", "InterfaceError"} else _UNFORESEEN
    found = next((each for each in _MOST_SPECIFIC_FIRST if code.startswith(each)), None)
    return _UNFORESEEN if found is None else _MEANINGS[found]
