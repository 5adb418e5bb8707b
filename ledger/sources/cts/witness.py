"""CTS traces of CTS itself → facts: who changed what is recorded.

| call | the recording was |
|---|---|
| createTracker, deleteTracker | created, deleted |
| updateTracker with the status `disabled` or `enabled` | stopped, started |
| any other updateTracker | changed |
| deleteAgency of `cts_admin_trust` | deleted: no trace is transferred to a bucket any more |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

from ledger.account.witness import RecordingChanged
from ledger.sources.cts.trace import CtsTrace, Handles
from ledger.sources.fields import text

AGENCY: Final = "cts_admin_trust"
"""CTS's own agency: through it traces get into a bucket."""
MANAGEMENT_TRACKER: Final = "system"
"""The name of the tracker that an account has if a call names none."""

WORDS_MAX: Final = 12
WORD_CHARS_MAX: Final = 40

Change = Literal["started", "stopped", "created", "deleted", "changed"]
_BY_STATUS: Final[dict[str, Change]] = {"disabled": "stopped", "enabled": "started"}


def witness_deleted(trace: CtsTrace, agency: Handles) -> tuple[RecordingChanged, ...]:
    """The change of the recording by the deletion of an agency: none, unless it is CTS's own."""
    return (_changed(trace, AGENCY, "deleted"),) if agency.name == AGENCY else ()


def _changed(trace: CtsTrace, recorder: str, change: Change) -> RecordingChanged:
    return RecordingChanged(
        recorder=recorder,
        change=change,
        region=trace.stated_region(),
        detail=_detail(trace),
        outcome="carried-out" if trace.succeeded else "refused",
        why=None if trace.succeeded else trace.why(),
    )


def _detail(trace: CtsTrace) -> str:
    """The trace's name, the fields that it sets without their values, and what is left out."""
    left_out = trace.request.get("management_event_selector")
    services = left_out.get("exclude_service") if isinstance(left_out, dict) else None
    named = _short(services) if isinstance(services, list) else []
    fields = ", ".join(sorted(key for key in _short(trace.request) if key.isidentifier()))
    words = (fields, f"without {', '.join(named)}" if named else "")
    return ": ".join((trace.name, "; ".join(filter(None, words)))).removesuffix(": ")


def _short(words: Iterable[object]) -> list[str]:
    """The first words that fit into a line together."""
    found = (word for each in words if (word := text(each)) and word.isprintable())
    return [word for word in found if len(word) <= WORD_CHARS_MAX][:WORDS_MAX]


def _tracker(trace: CtsTrace) -> str:
    named = trace.asked("tracker_name") or trace.resource.name
    return named or trace.resource.id or MANAGEMENT_TRACKER


def _of(change: Change) -> Callable[[CtsTrace], RecordingChanged]:
    return lambda trace: _changed(trace, _tracker(trace), change)


def _update(trace: CtsTrace) -> RecordingChanged:
    status = (trace.asked("status") or "").lower()
    return _changed(trace, _tracker(trace), _BY_STATUS.get(status, "changed"))


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], RecordingChanged]]] = {
    "createTracker": _of("created"),
    "updateTracker": _update,
    "deleteTracker": _of("deleted"),
}
