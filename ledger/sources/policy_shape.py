"""Finds policies in a call by their shape, wherever they stand and however they are written.

{"policy": {"Statement": […]}}       {"policy": {"Statement": […]}}       an object
    {"policy": {"policy": "{…}"}}        JSON in a text, at any depth
    {"value": "%7B%22Statement%22…"}     the same, URL-encoded, or escaped once more
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

DEPTH_MAX: Final = 12
"""Objects and lists are searched so deeply."""
_BEGINS: Final = ("{", "[", '"', "%7B", "%7b", "%5B", "%5b")
_STATEMENT: Final = re.compile(r'\\?"(?:Statement|Principal)\\?"\s*:')


def policies_in(value: object, depth: int = DEPTH_MAX) -> Iterator[dict[str, Any]]:
    """The policies in a value, at any depth."""
    policy = policy_in(value)
    if isinstance(policy, dict) and "Statement" in policy:
        yield policy
    elif depth > 0 and isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from policies_in(part, depth - 1)


def policy_in(value: object) -> Any:
    """The policy, or the statement, that a value is: an object, or JSON in a text, which may be
    URL-encoded or escaped once more; None for anything else.
    """
    if isinstance(value, dict):
        return value if "Statement" in value else None
    if not isinstance(value, str) or not value.lstrip()[:3].startswith(_BEGINS):
        return None
    written = unquote(value) if value.lstrip()[:1] == "%" else value
    if not _STATEMENT.search(written):
        return None
    return _read(written) or _read(written.replace('\\"', '"'))


def _read(written: str) -> Any:
    try:
        found = json.loads(written)
        return json.loads(found) if isinstance(found, str) else found
    except (ValueError, RecursionError):
        return None
