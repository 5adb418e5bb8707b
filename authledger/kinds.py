"""The kinds of an answer's columns, by the annotations of its rows' class."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints


class Kind(StrEnum):
    """The kind of value that a column holds. In every kind, None stands for no value."""

    TEXT = "text"
    INTEGER = "integer"
    TIME = "time"
    """An aware `datetime` in UTC, to the microsecond."""
    RECORD = "record"
    """A dictionary: column name → value. Tables and data frames have it as JSON text."""
    UNKNOWN = "unknown"
    """A column of free SQL, which declares no types: values as the database returns them."""


_KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    datetime: Kind.TIME,
    Mapping: Kind.RECORD,
}


@cache
def kinds_of(row: Any) -> tuple[Kind, ...]:
    """The kinds of the columns of a class of rows, a named tuple."""
    return tuple(_kind(hint) for hint in get_type_hints(row).values())


def _kind(hint: Any) -> Kind:
    if NoneType in get_args(hint):
        hint = next(each for each in get_args(hint) if each is not NoneType)
    return _KINDS[get_origin(hint) or hint]
