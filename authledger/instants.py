"""The forms of an instant in Python: a text as on the command line, a position, a time."""

from __future__ import annotations

from datetime import UTC, date, datetime

from ledger.as_of import parse_when
from ledger.errors import InvalidInput
from ledger.values import instant_text

When = str | int | date | datetime
"""`"2026-03-01T09:30:00Z"`, `"2026-03-01"`, `"-7d"`, `"@41"`, `"now"`; 41, a position; a `date`
(its first moment, in UTC); an aware `datetime`."""


def text_of(when: When) -> str:
    """The instant as the command line would write it. Raises InvalidInput."""
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise InvalidInput(
                f"The time {when.isoformat()} has no time zone, so it is not one instant.",
                remedy="Give it one: datetime(…, tzinfo=UTC).",
            )
        return _utc(when)
    if isinstance(when, date):
        return when.isoformat()
    if isinstance(when, int) and not isinstance(when, bool):
        return f"@{when}"
    if isinstance(when, str):
        return when
    raise InvalidInput(
        f"{when!r} is not a valid instant.",
        remedy="Give a position, a date, a datetime with its time zone, or a text: '2026-03-01'.",
    )


def time_of(when: str | date, now: datetime) -> datetime:
    """The time that is meant; a position is not one. Raises InvalidInput."""
    text = text_of(when)
    time = parse_when(text, now)
    if isinstance(time, int):
        raise InvalidInput(f"{text} is a position, and a time is needed here.")
    return time


def _utc(when: datetime) -> str:
    try:
        return instant_text(when.astimezone(UTC))
    except OverflowError as error:
        raise InvalidInput(f"The time {when.isoformat()} is outside the calendar.") from error
