"""The validated words of the domain: account, region, service, agency, policy, times.

Region ids and names are opaque: the cloud gives them, in any script. Only characters are refused
that could break a stream's name (a colon in an account), a line (control characters) or the
canonical bytes (lone surrogates, which pydantic refuses in every string).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints

from ledger.errors import InvalidInput

ALL_REGIONS = "*"
"""The region of a permission that holds in every region."""
ENTERPRISE_PROJECT = "enterprise-project/"
"""The beginning of the place of a permission that holds on an enterprise project of Huawei Cloud,
in every region that has a resource of it. Its id follows. No region's or project's name has a `/`.
"""
GLOBAL = "global"
"""The place of a permission at Huawei Cloud that holds for global services, and in no region."""
ID_LENGTH = 32
"""The length of the id of a project or an account at Huawei Cloud. It has no hyphen; every region's
name has one.
"""


def is_bare_id(text: str) -> bool:
    """Whether a text has the form of such an id, and so is not a name."""
    return len(text) == ID_LENGTH and "-" not in text


def _word(pattern: str) -> StringConstraints:
    return StringConstraints(pattern=pattern)


def _text(longest: int, pattern: str) -> StringConstraints:
    """A pattern that repeats, and a length apart from it: counting in a pattern compiles slowly."""
    return StringConstraints(pattern=pattern, min_length=1, max_length=longest)


LINE_PATTERN = r"^[^\p{Cc}\p{Zl}\p{Zp}]+$"
"""Any characters but control characters and breaks of lines."""
ONE_PLACE_PATTERN = r"^[^\p{Cc}\p{Z}:*]+$"
PLACE_PATTERN = r"^(\*|[^\p{Cc}\p{Z}:*]+)$"
"""One place, or all of them. No spaces, colons or stars otherwise."""

Provider = Annotated[str, _word(r"^[a-z][a-z0-9-]{0,31}$")]
AccountId = Annotated[str, _word(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Region = Annotated[str, _text(128, PLACE_PATTERN)]
OneRegion = Annotated[str, _text(128, ONE_PLACE_PATTERN)]
"""One region, and not all of them: consent is given in one at a time."""
ServiceCode = Annotated[str, _word(r"^[a-z0-9][a-z0-9._-]{0,127}$")]
FeatureName = Annotated[str, _word(r"^[a-z0-9][a-z0-9-]{0,63}$")]
AgencyName = Annotated[str, _text(128, LINE_PATTERN)]
PolicyName = Annotated[str, _text(512, LINE_PATTERN)]
Trustee = Annotated[str, _text(2048, LINE_PATTERN)]
"""The party that an agency trusts: a service (`service:asm`), an account, an identity provider."""

Digest = Annotated[str, _word(r"^[0-9a-f]{64}$")]
"""The SHA-256 of a document's canonical form, of a file; in hexadecimal digits."""

SubjectId = Annotated[str, _word(r"^[a-z]{1,8}-[0-9a-f]{20}(?:[0-9a-f]{20})?$")]
"""A surrogate for a person, an address or a file, e.g. `p-0123456789abcdef0123`; of 40 digits for a
runner.

Names stay outside.
"""

CommandId = Annotated[str, _text(128, LINE_PATTERN)]
"""Makes a command idempotent: the second use of the same id appends nothing."""

Line = Annotated[str, _text(1024, LINE_PATTERN)]
"""One line of free text, such as a reason."""


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def check_storable(what: str, text: str) -> None:
    """Raise InvalidInput for a text that not every database can hold. The text is not repeated: it
    may hold a password.

    Bytes that are not text in the terminal's encoding arrive as halves of surrogate pairs.
    """
    if found := _UNSTORABLE.search(text):
        raise InvalidInput(
            f"{what} is not valid: character {found.start() + 1} of it is {found[0]!a}, which is "
            "NUL or a byte that is not text."
        )


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC at fixed width, so that text order is time order on every engine.

    >>> instant_text(datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    '2026-03-01T09:30:00.000000Z'

    Raises ValueError if the time in UTC lies outside the calendar.
    """
    return _utc_text(_in_utc(at))


@lru_cache(maxsize=1_024)  # All entries of a transaction are recorded at one time.
def _utc_text(at: datetime) -> str:
    """Of a time in UTC: elsewhere the two hours of an autumn night are equal to each other."""
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


_rfc_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


def instant(text: str) -> datetime:
    """The inverse of `instant_text`; also takes any RFC 3339 time that names its zone.

    Raises ValueError, and no other error, for every other text, also for other forms of ISO 8601.
    """
    if not _rfc_3339.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not written in the form of RFC 3339")
    return _aware(datetime.fromisoformat(text))


def later(at: datetime, by: timedelta) -> datetime:
    """The time that lies `by` after another. Raises ValueError if it lies outside the calendar."""
    try:
        return at + by
    except OverflowError as error:
        raise ValueError(f"{by} after {at.isoformat()} is outside the calendar") from error


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"the time {at.isoformat()} names no zone; end it with Z or +08:00")
    return _in_utc(at)


def _in_utc(at: datetime) -> datetime:
    """The same time in UTC; at the edges of the calendar it may have no date there."""
    if at.tzinfo is UTC:
        return at
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"the time {at.isoformat()} is outside the calendar in UTC") from error


def _parsed(value: object) -> object:
    return instant(value) if isinstance(value, str) else value


Instant = Annotated[
    datetime,
    BeforeValidator(_parsed),
    AfterValidator(_aware),
    PlainSerializer(instant_text, return_type=str),
]
"""An aware time in UTC, microseconds; serialised at fixed width."""
