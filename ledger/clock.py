"""The writer's clock, held against the times that the ledger has. Neither is believed blindly.

    BEHIND_MAX   the clock may be so far before the last recorded time
    JUMP_MAX     and so far after it, unless a person says that the clock is right
    AHEAD_MAX    a trace may have happened so long after the clock's time

Recorded times never decrease, so nobody could go back from an entry that a wrong clock recorded in
the year 9999. The one exception is an entry that says so: `SET_BACK`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ledger.errors import ClockDisagrees, InvalidInput
from ledger.values import instant, instant_text

BEHIND_MAX: Final = timedelta(minutes=5)
"""A writer waits for the append lock after it read its clock, and clocks differ."""
AHEAD_MAX: Final = timedelta(minutes=5)
"""The cloud's clock may be so far ahead of the writer's."""
JUMP_MAX: Final = timedelta(days=366)
"""After a longer pause, a person says that the clock is right."""
SET_BACK: Final = "ClockSetBack.v1"
"""The topic of the one entry before which recorded times may have been later."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The writer's clock at an append, and how far after the last recorded time it may be."""

    at: datetime
    jump_max: timedelta | None = None
    """None: JUMP_MAX."""

    def check(self, recorded_at: str | None) -> None:
        """Compare it with the last recorded time; None if there is none. Raises ClockDisagrees."""
        if recorded_at is None:
            return
        last, jump_max = instant(recorded_at), self.jump_max or JUMP_MAX
        if last - self.at > BEHIND_MAX:
            raise ClockDisagrees(
                f"The clock of this computer says {instant_text(self.at)}, but the last entry was "
                f"recorded at {recorded_at}.",
                remedy="Set the clock. If the clock is right and the entry was recorded by a wrong "
                "one: authledger log set-clock-back --reason TEXT",
            )
        if self.at - last > jump_max:
            days = -((last - self.at) // timedelta(days=1))
            raise ClockDisagrees(
                f"The clock of this computer says {instant_text(self.at)}, which is {days} days "
                f"after the last entry was recorded ({recorded_at}).",
                remedy="Set the clock. If it is right: authledger --clock-tolerance "
                f"{days}d COMMAND, or AUTHLEDGER_CLOCK_TOLERANCE={days}d",
            )

    def check_trace(self, trace_id: str, effective_at: datetime) -> None:
        """Raises InvalidInput if a trace says that something happens later than now."""
        if effective_at - self.at > AHEAD_MAX:
            raise InvalidInput(
                f"The trace {trace_id} happened at {instant_text(effective_at)}, but the clock of "
                f"this computer says {instant_text(self.at)}. It was not appended, nor were those "
                "that were given with it.",
                remedy="Set the clock, or leave the trace out: its time cannot be right.",
            )
