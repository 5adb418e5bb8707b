"""Reads single fields of a trace: texts, objects, IP addresses, the reason of a refusal."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from ledger.sources.report import UNPRINTABLE

Record = Mapping[str, Any]
"""One trace as the file has it."""

WHY_CHARS_MAX: Final = 400
NOBODY: Final = "(somebody)"
"""Replaces a person's name in a message: the name in an event could never be erased."""

_PERSON_CHARS_MAX: Final = 256
_person = re.compile(r"arn:[\w-]+:(?:iam|sts)::\d*:(?:user|assumed-role|federated-user)/\S+")


class Unreadable(ValueError):
    """A record is not a trace of this source, or has a value that no fact can have."""


def text(value: object) -> str | None:
    """A text that is not empty; None for anything else. The text "null" counts as empty."""
    return value if isinstance(value, str) and value.strip() and value != "null" else None


def first_text(values: Iterable[object]) -> str | None:
    for value in values:
        if isinstance(value, str) and value.strip() and value != "null":
            return value
    return None


def mapping(value: object) -> dict[str, Any]:
    """An object, or an object encoded as JSON in a text; an empty one for anything else."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            found = json.loads(value)
            return found if isinstance(found, dict) else {}
    return {}


def within(record: Record, *keys: str) -> dict[str, Any]:
    """The object under a path of keys; an empty one if it is missing."""
    found = mapping(record)
    for key in keys:
        value = found.get(key)
        if value is None:  # As nearly always: each record is asked for objects of all calls.
            return {}
        found = mapping(value)
    return found


def address(value: object) -> str | None:
    """An IP address; None for a service's name and anything else."""
    return _address(value) if isinstance(value, str) else None


@lru_cache(maxsize=1_024)  # Few addresses make most of the calls.
def _address(value: str) -> str | None:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def why(parts: Iterable[object], persons: Iterable[str | None] = ()) -> str:
    """The reason of a refusal on one line, without the names of the persons: the actor is in the
    envelope.
    """
    reason = ": ".join(dict.fromkeys(str(part) for part in parts if part not in (None, "")))
    reason = _person.sub(NOBODY, reason)
    for person in persons:
        if person and len(person) > _PERSON_CHARS_MAX:
            reason = reason.replace(person, NOBODY)  # Such a long pattern is slow to compile.
        elif person and len(person) > 2:
            reason = re.sub(rf"(?<![\w./-]){re.escape(person)}(?![\w./-])", NOBODY, reason)
    reason = UNPRINTABLE.sub(" ", reason)
    return reason if len(reason) <= WHY_CHARS_MAX else reason[: WHY_CHARS_MAX - 1] + "…"
