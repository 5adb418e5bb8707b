"""What this run of the program appended, for every message about what failed afterwards."""

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
    """Begins a run: within the block, the ledgers that are opened are counted."""
    token = _opened.set([])
    try:
        yield
    finally:
        _opened.reset(token)


def counted(ledger: Ledger) -> Ledger:
    """The same ledger; what it appends is counted from now on."""
    _opened.get([]).append(ledger.committed)
    return ledger


def appended() -> str:
    """A sentence that says what was appended and at which positions; empty if nothing was."""
    return " ".join(str(each) for each in _opened.get([]) if each.count)
