"""What the columns of an answer hold."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a column holds. Every kind but UNKNOWN is declared, and None stands for no value."""

    TEXT = "text"
    INTEGER = "integer"
    TIME = "time"
    """An aware `datetime` in UTC, to the microsecond."""
    UNKNOWN = "unknown"
    """A column of free SQL: whatever the database returns."""
