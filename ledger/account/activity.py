"""Activity: what agencies did, by traces of any service in which an agency is the actor."""

from __future__ import annotations

from typing import ClassVar

from ledger.account.decision import Decisions
from ledger.account.meaning import Meaning, Meanings
from ledger.account.wording import called, clock, in_region
from ledger.messages import DomainEvent, StreamKind
from ledger.values import AgencyName, Digest, Instant, Line, Region, ServiceCode


class AgencyActed(DomainEvent):
    """The agency called an action of a service on one day, as one source file tells it.

    The numbers are those of this file. A file that is read again is the same fact.
    """

    TOPIC = "AgencyActed.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region | None = None
    service: ServiceCode
    action: Line
    succeeded: int
    """How many calls succeeded."""
    refused: int
    """How many calls were refused or failed."""
    first_at: Instant
    last_at: Instant
    file_digest: Digest
    """The SHA-256 of the file's bytes."""


def _sentence(event: AgencyActed, _: str) -> str:
    calls = event.succeeded + event.refused
    times = "once" if calls == 1 else f"{calls} times"
    refused = f", {event.refused} of them refused" if event.refused else ""
    when = f"from {clock(event.first_at)} to {clock(event.last_at)}"
    return (
        f"{called(event)} called {event.service}:{event.action}{in_region(event.region)} "
        f"{times}{refused}, {when}"
    )


DECIDE: Decisions = {}
EVENTS: Meanings = {AgencyActed: Meaning(_sentence, "counts as uses of the agency")}
