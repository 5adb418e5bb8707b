"""The witness: the cloud's own recording. While it is off, no trace reports anything."""

from __future__ import annotations

from typing import ClassVar, Literal

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Line, Region


class RecordingChanged(DomainEvent):
    """Somebody changed what the cloud records, or tried to."""

    TOPIC = "RecordingChanged.v1"
    STREAM: ClassVar[StreamKind] = "other"

    recorder: Line
    """The trail or the tracker, as the trace names it."""
    change: Literal["started", "stopped", "created", "deleted", "changed"]
    region: Region | None = None
    detail: Line | None = None
    outcome: Literal["carried-out", "refused"] = "carried-out"
    why: Line | None = None


def _sentence(event: RecordingChanged, who: str) -> str:
    detail = f": {event.detail}" if event.detail else ""
    if event.outcome == "refused":
        why = f": {event.why}" if event.why else ""
        return f"{who} asked that the recording by {event.recorder} be {event.change}: refused{why}"
    return f"the recording by {event.recorder} was {event.change} by {who}{detail}"


DECIDE: Decisions = {}
EVENTS: Meanings = {RecordingChanged: Meaning(_sentence, ON_RECORD_ONLY)}
