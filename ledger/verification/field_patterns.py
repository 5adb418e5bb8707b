"""The patterns of an entry's fields: which JSON values each field of each event may have.

They follow from the fields' declared types. A pattern matches no value that its type refuses; where
a type has no pattern here, each entry with it is decoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import StringConstraints
from pydantic.fields import FieldInfo

import ledger.events  # noqa: F401  The events of all topics.
from ledger.messages import ENVELOPE_FIELDS, DomainEvent, Established, Origin, event_class
from ledger.streams import stream_of
from ledger.values import LINE_PATTERN, ONE_PLACE_PATTERN, PLACE_PATTERN

# Whole, and exact as a double, which RFC 8785 makes of numbers.
_INTEGER: Final = "(?:0|-?[1-9][0-9]{0,14})"
_DAYS: Final = (
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
# The 29th of February is not in it: entries of that day are decoded.
_TIME: Final = rf'"[12][0-9]{{3}}-{_DAYS}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{{6}}Z"'
_CLASSES: Final[Mapping[str, str]] = {
    LINE_PATTERN: "<line>",
    ONE_PLACE_PATTERN: "<place>",
    PLACE_PATTERN: "<place>",
}
"""By the pattern of a type, the class of its characters."""
_BOOLEAN: Final = "(?:true|false)"


def value_pattern(topic: str, name: str, value: object) -> str | None:
    """The pattern of a field's values in entries of a topic, without groups; None if it has none.

    `value` is that of an entry which was checked in full. `<text>`, `<line>` and `<place>` stand
    for characters of texts.
    """
    if name in ("format", "topic"):
        return re.escape(json.dumps(value))
    if (its := _ENVELOPE.get(name)) is not None:
        return its
    event = event_class(topic)
    if name == event.STREAM == "subject":
        return f'"{_again(name)}"'  # Its group is in the stream, which comes before it.
    return _payload_pattern(event, name)


def stream_pattern(fields: Mapping[str, Any]) -> str:
    """The pattern of the stream that an entry with these fields is in.

    It repeats the groups of fields that come before it. The group of a subject, which comes after
    it, is in the stream.
    """
    event = event_class(fields["topic"])
    repeated = {name: _again(name) if name in fields else None for name in event.model_fields}
    named = SimpleNamespace(STREAM=event.STREAM, **repeated)
    account = (_again("provider"), _again("account")) if "account" in fields else None
    pattern = stream_of(named, account)
    if event.STREAM != "subject":
        return pattern
    subject = (_payload_pattern(event, "subject") or "").strip('"')
    return pattern.replace(_again("subject"), f"(?P<subject>{subject})")


def _again(name: str) -> str:
    return f"(?P={name})"


@cache
def _payload_pattern(event: type[DomainEvent], name: str) -> str | None:
    field: FieldInfo | None = event.model_fields.get(name)
    return None if field is None else _of_type(field.annotation, tuple(field.metadata))


def _of_type(kind: Any, metadata: tuple[Any, ...]) -> str | None:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _of_type(args[0], args[1:])
    if origin in (Union, UnionType):
        (some,) = (each for each in args if each is not NoneType)
        return _of_type(some, metadata)  # An absent value is not written.
    if origin is Literal:
        return _words(args)
    if origin is tuple:
        each = _of_type(args[0], ())
        return each and rf"\[(?:{each}(?:,{each})*)?\]"
    if kind is str:
        return _of_text(metadata)
    return _PLAIN.get(kind)


_PLAIN: Final[Mapping[Any, str]] = {bool: _BOOLEAN, int: _INTEGER, datetime: _TIME}


def _of_text(metadata: tuple[Any, ...]) -> str | None:
    if not metadata:
        return '"<text>"'
    (its,) = metadata
    if not isinstance(its, StringConstraints) or not isinstance(its.pattern, str):
        return None
    if (characters := _CLASSES.get(its.pattern)) is not None:
        text = f"{characters}{{{its.min_length},{its.max_length}}}"
        return rf'"(?:\*|{text})"' if its.pattern == PLACE_PATTERN else f'"{text}"'
    if "\\" in its.pattern or its.min_length or its.max_length:
        return None
    return f'"(?:{its.pattern.removeprefix("^").removesuffix("$")})"'


def _words(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(re.escape(json.dumps(each)) for each in words)})"


_ENVELOPE: Final[Mapping[str, str]] = {
    **dict.fromkeys(ENVELOPE_FIELDS - {"format", "topic", "position"}, '"<text>"'),
    **dict.fromkeys(("recorded_at", "effective_at"), _TIME),
    "version": "[1-9][0-9]{0,14}",
    "source_verified": _BOOLEAN,
    "origin": _words(get_args(Origin)),
    "actor_established": _words(get_args(Established)),
}
"""The fields that are not an event's own. The stream has a pattern of its own."""
