"""The digest of a view's rows: what all engines' answers are compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json


def digest_of(rows: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    """How many rows, and the SHA-256 over them: a line of JSON each, in their order."""
    digest = hashlib.sha256()
    count = 0
    for row in rows:
        digest.update(to_json(row))
        digest.update(b"\n")
        count += 1
    return count, digest.hexdigest()
