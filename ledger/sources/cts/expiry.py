"""When an agency ends by itself, as CTS traces tell it.

| stated | the end |
|---|---|
| `expire_time` in the response | that time; without a zone it is in UTC |
| the request's duration `ONEDAY`, or a number of days | so many days after the call |
| the response's duration `24` | one day after the call: a day has 24 hours |
| duration `FOREVER`; in the response null, if `expire_time` is null too | never |
| any other duration | not known: nothing is guessed |
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from ledger.sources.cts.trace import CtsTrace
from ledger.sources.fields import Record, text, within
from ledger.values import instant, later

FOREVER: Final = "FOREVER"
_ONE_DAY: Final = "ONEDAY"
_ONE_DAY_IN_HOURS: Final = "24"


class Expiry(NamedTuple):
    """The cloud's word for how long the agency lives, and its end; None: it has none."""

    duration: str | None
    expires_at: datetime | None


def expiry_of(trace: CtsTrace) -> Expiry | None:
    """The end that a call sets, or that its response shows; None if it is not known."""
    asked, shown = _agency(trace.request), _agency(trace.response)
    duration = _word(asked.get("duration")) or _word(shown.get("duration"))
    stated = moment(shown.get("expire_time"))
    if stated is not None:
        return Expiry(duration, stated)
    if duration is None:
        nulls = [shown.get(key, "absent") for key in ("duration", "expire_time")]
        return Expiry(FOREVER, None) if nulls == [None, None] else None
    if duration.upper() == FOREVER:
        return Expiry(duration, None)
    end = _end(trace.at, _days(_word(asked.get("duration")), duration))
    return Expiry(duration, end) if end is not None else None


def sets_expiry(trace: CtsTrace) -> bool:
    """Whether the request tells a duration. A response shows the one that stayed, too."""
    return _word(_agency(trace.request).get("duration")) is not None


def moment(value: object) -> datetime | None:
    """A time of IAM: RFC 3339, or the same without a zone, in UTC; None for anything else."""
    word = text(value) or ""
    for written in (word, f"{word}Z"):
        try:
            return instant(written)
        except ValueError:
            continue
    return None


def _agency(body: Record) -> dict[str, Any]:
    """The agency in a body; the body itself if it has none within."""
    return within(body, "agency") or dict(body)


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, int) else text(value)


def _days(asked: str | None, shown: str) -> int | None:
    """How many days; None if the word is not known."""
    if asked is None:
        return 1 if shown == _ONE_DAY_IN_HOURS else None
    if asked.upper() == _ONE_DAY:
        return 1
    return int(asked) or None if asked.isascii() and asked.isdigit() else None


def _end(at: datetime, days: int | None) -> datetime | None:
    try:
        return later(at, timedelta(days=days)) if days is not None else None
    except (ValueError, OverflowError):
        return None
