"""Reads a trace's words: what is text, what is an object, when it was, who it was and why not."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from ledger.sources.report import UNPRINTABLE

Record = Mapping[str, Any]
"""One trace as it stands in the file."""

WHY_CHARS_MAX: Final = 400
NOBODY: Final = "(somebody)"
"""Stands in a message for a person's name: an entry cannot forget what its payload says."""

_PERSON_CHARS_MAX: Final = 256
_person = re.compile(r"arn:[\w-]+:(?:iam|sts)::\d*:(?:user|assumed-role|federated-user)/\S+")


class Unreadable(ValueError):
    """A record is no trace, or holds what cannot be a fact."""


def text(value: object) -> str | None:
    """A text that says something; None for anything else. The text "null" says nothing either."""
    return value if isinstance(value, str) and value.strip() and value != "null" else None


def first_text(values: Iterable[object]) -> str | None:
    for value in values:
        if isinstance(value, str) and value.strip() and value != "null":
            return value
    return None


def mapping(value: object) -> dict[str, Any]:
    """An object, or one that is encoded as JSON in a text; empty for anything else."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def within(record: Record, *keys: str) -> dict[str, Any]:
    """The object under a path of keys; empty if there is none."""
    found = mapping(record)
    for key in keys:
        found = mapping(found.get(key)) if found else found
    return found


def address(value: object) -> str | None:
    """An IP address; None for a service's name and anything else."""
    return _address(value) if isinstance(value, str) else None


@lru_cache(maxsize=1_024)  # The same few call again and again.
def _address(value: str) -> str | None:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def why(parts: Iterable[object], persons: Iterable[str | None] = ()) -> str:
    """Why something was refused, on one line: who was refused stands in the envelope, not here."""
    said = ": ".join(dict.fromkeys(str(part) for part in parts if part not in (None, "")))
    said = _person.sub(NOBODY, said)
    for person in persons:
        if person and len(person) > _PERSON_CHARS_MAX:
            said = said.replace(person, NOBODY)  # A pattern of that length takes long to compile.
        elif person and len(person) > 2:
            said = re.sub(rf"(?<![\w./-]){re.escape(person)}(?![\w./-])", NOBODY, said)
    said = UNPRINTABLE.sub(" ", said)
    return said if len(said) <= WHY_CHARS_MAX else said[: WHY_CHARS_MAX - 1] + "…"
