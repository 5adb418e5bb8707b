"""Replays the streams of snapshots: each state must be the one that the stream's entries give.

A command decides on a snapshot instead of the entries before it. This check needs no key: it
compares the text, also of a snapshot whose seal is another user's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eventsourcing.persistence import StoredEvent
from pydantic_core import from_json

from ledger.account.snapshot import to_text, version_of
from ledger.account.state import State
from ledger.account.uses import Uses
from ledger.errors import LedgerError
from ledger.persistence.entry import decode
from ledger.persistence.raw_rows import StoredRows
from ledger.stream_states import empty_state, replayed
from ledger.verification.findings import Findings


def check_snapshots(rows: StoredRows, found: Findings) -> int:
    """Compare each snapshot with a replay of its stream.

    Returns how many were passed over, as commands do: another version of the program wrote them.
    """
    passed = 0
    for stream, version, text in rows.snapshots():
        state = empty_state(stream) if isinstance(stream, str) else None
        if state is not None and _is_of_another_program(text, type(state)):
            passed += 1
        elif what := _fault(rows, state, version, text):
            found.add(f"snapshot of {stream}", what)
    return passed


def _fault(rows: StoredRows, state: State | Uses | None, version: Any, text: Any) -> str:
    """The fault of a snapshot; empty if it has none. `state` is that of its stream, empty."""
    if state is None or not isinstance(version, int):
        return "it is of no account, and of no agency's uses"
    try:
        replayed(state, _entries(rows, state.stream, version), decode)
    except (LedgerError, ValueError) as error:
        return f"its stream cannot be replayed: {error}"
    if state.version != version:
        return f"it is of version {version}, but the stream has {state.version} entries up to there"
    if to_text(state) != text:
        return f"its state is not the one that the first {version} entries of the stream give"
    return ""


def _entries(rows: StoredRows, stream: str, last: int) -> Iterator[StoredEvent]:
    return (
        StoredEvent(stream, version, topic, entry)
        for version, topic, entry in rows.stream(stream, last)
    )


def _is_of_another_program(text: Any, kind: Any) -> bool:
    """Whether the text says that a program with other states wrote it; none of them is read."""
    try:
        named = from_json(text).get("state")
    except (ValueError, TypeError, AttributeError):
        return False
    return isinstance(named, str) and named != version_of(kind)
