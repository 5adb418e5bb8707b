"""The way out of a ledger that holds a time of the future: the times of its entries begin anew.

A wrong clock recorded entries at a later time than now. They stay as they are. From this entry on,
recorded times never decrease again.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.account.meaning import Meaning, Meanings
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Instant, instant_text


class ClockSetBack(DomainEvent):
    """Recorded times begin anew with this entry's: those before it, up to a time, were wrong."""

    TOPIC = "ClockSetBack.v1"
    STREAM: ClassVar[StreamKind] = "clock"

    recorded_until: Instant
    """The recorded time of the entry before it."""


EVENTS: Meanings = {
    ClockSetBack: Meaning(
        lambda event, who: (
            f"{who} set the ledger's clock back: entries had been recorded up to "
            f"{instant_text(event.recorded_until)}"
        ),
        "recorded times begin anew; earlier entries stay as they are",
    ),
}
