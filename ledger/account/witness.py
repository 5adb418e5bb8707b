"""The witness: the cloud's own recording. While it is off, no trace reports anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final, Literal, NamedTuple

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.account.truth.rules import AWS
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Line, Region

MANAGEMENT_EVENTS: Final = "management events: "
"""Before it in the detail of a change stand other words, after it the events that are recorded."""
NOTHING: Final = "none"
_NO_CHANGES: Final = (NOTHING, "ReadOnly")


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


class Switch(NamedTuple):
    """The part of a recording that a change switches: the recorder, or the events let through."""

    part: Literal["recorder", "events"]
    is_on: bool


def switches(event: RecordingChanged, provider: str) -> Iterator[Switch]:
    """The parts that a change switched on or off, if it was carried out.

    Only the recording of changes counts. A recorder that is created records at once, but at AWS
    only when it is started.
    """
    if event.change in ("stopped", "deleted"):
        yield Switch("recorder", is_on=False)
    elif event.change == "started" or (event.change == "created" and provider != AWS.provider):
        yield Switch("recorder", is_on=True)
    _, is_stated, events = (event.detail or "").partition(MANAGEMENT_EVENTS)
    if is_stated:
        yield Switch("events", is_on=events.partition(",")[0] not in _NO_CHANGES)


DECIDE: Decisions = {}
EVENTS: Meanings = {RecordingChanged: Meaning(_sentence, ON_RECORD_ONLY)}
