"""The time that a question is about: a position, an effective time, or what was known then."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ledger.errors import InvalidInput
from ledger.values import instant, instant_text, later

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HELP = "Write RFC 3339 (2026-03-01T09:30:00Z), a day (2026-03-01), now, -7d, -12h, or @POSITION."


class Positions(Protocol):
    """The part of a ledger that `resolve` needs."""

    def max_notification_id(self) -> int | None: ...
    def position_at(self, recorded_at: str) -> int: ...
    def commit_boundary(self, position: int) -> int: ...


@dataclass(frozen=True, slots=True)
class AsOf:
    """A resolved question: what was known at `position`; if given, also true at `effective_at`."""

    position: int
    effective_at: datetime | None = None
    within: int | None = field(default=None, compare=False)
    """The position that was asked for, if it is within a transaction; `position` is before that."""

    def __str__(self) -> str:
        known = f"as known at position {self.position}"
        if self.within is not None:
            known += f", because position {self.within} is within a transaction"
        if self.effective_at is None:
            return known
        return f"as of {instant_text(self.effective_at)}, {known}"


def parse_when(text: str, now: datetime) -> int | datetime:
    """`@position`, or an instant. Raises InvalidInput, which shows the forms."""
    text = text.strip()
    if match := re.fullmatch(r"@([0-9]{1,18})", text):
        return int(match[1])
    if text == "now":
        return now
    try:
        if match := re.fullmatch(r"-([0-9]{1,6})([smhdw])", text):
            return later(now, -timedelta(**{_UNITS[match[2]]: int(match[1])}))
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        return instant(text)
    except ValueError as error:
        # Of a text in another form, the error says nothing that the remedy does not say.
        why = "" if "RFC 3339" in str(error) else f": {error}"
        raise InvalidInput(f"{text!r} is not a valid time{why}.", remedy=_HELP) from error


def parse_duration(text: str) -> timedelta:
    """A duration such as 90s, 5m, 12h, 400d or 8w. Raises InvalidInput."""
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", text.strip())
    if match is None:
        raise InvalidInput(
            f"{text!r} is not a valid duration.", remedy="Write 90s, 5m, 12h, 400d or 8w."
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def resolve(
    ledger: Positions, as_of: str | None, known_at: str | None, now: datetime
) -> AsOf | None:
    """Turn `--as-of` and `--known-at` into one question; None means now.

    A position within a transaction becomes the end of the transaction before it: an answer never
    shows half of a transaction. Raises InvalidInput, also for a time that has not come yet.
    """
    if as_of is not None and as_of.strip() == "now" and known_at is None:
        as_of = None
    if as_of is None and known_at is None:
        return None
    as_of_when = None if as_of is None else _past(parse_when(as_of, now), now)
    if isinstance(as_of_when, int):
        if known_at is not None:
            raise InvalidInput(
                "--as-of @POSITION and --known-at exclude each other: both say what was known.",
                remedy="With --known-at, give --as-of a time.",
            )
        return _known_at(ledger, as_of_when)
    known = None if known_at is None else _past(parse_when(known_at, now), now)
    if isinstance(known, int):
        return _known_at(ledger, known, as_of_when)
    if known is None:
        position = ledger.max_notification_id() or 0
    else:
        position = ledger.commit_boundary(ledger.position_at(instant_text(known)))
    return AsOf(position, as_of_when)


def _past(when: int | datetime, now: datetime) -> int | datetime:
    """Raises InvalidInput for a time after now: nothing is known of it."""
    if isinstance(when, datetime) and when > now:
        raise InvalidInput(
            f"{instant_text(when)} has not come yet: the clock says {instant_text(now)}.",
            remedy="Leave the time out to ask about now.",
        )
    return when


def _known_at(ledger: Positions, position: int, effective_at: datetime | None = None) -> AsOf:
    last = ledger.max_notification_id() or 0
    if position > last:
        raise InvalidInput(f"Position {position} is not written yet. The last position is {last}.")
    boundary = ledger.commit_boundary(position)
    return AsOf(boundary, effective_at, position if position != boundary else None)
