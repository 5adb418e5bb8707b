"""Counts the entries that a run of the program appended, for messages about later failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.execution.outcome import Committed

_opened: ContextVar[list[Committed]] = ContextVar("what the ledgers of this run have committed")


@contextmanager
def counting() -> Iterator[None]:
    """Begin a run: `appended` reports on the ledgers that are opened within the block."""
    token = _opened.set([])
    try:
        yield
    finally:
        _opened.reset(token)


def counted(ledger: Ledger) -> Ledger:
    """Return the same ledger. From now on, `appended` reports what it appends."""
    _opened.get([]).append(ledger.committed)
    return ledger


def appended() -> str:
    """A sentence with the number of appended entries and their positions; empty for none."""
    return " ".join(str(each) for each in _opened.get([]) if each.count)
