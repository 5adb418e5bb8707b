"""The digest of a view's rows: what all engines' answers are compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from pydantic_core import to_json

_AT_ONCE: Final = 1_000


def digest_of(rows: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    """How many rows, and the SHA-256 over them: a line of JSON each, in their order."""
    found, count, left = hashlib.sha256(), 0, iter(rows)
    while part := list(islice(left, _AT_ONCE)):
        found.update(b"".join(to_json(row) + b"\n" for row in part))
        count += len(part)
    return count, found.hexdigest()
