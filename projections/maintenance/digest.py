"""The digest of a view's rows: what all engines' answers are compared by.

It is the SHA-256 over a line of JSON for each row, in the order of their key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from pydantic_core import from_json, to_json

_AT_ONCE: Final = 1_000


def digest_of(rows: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    """How many rows, and the digest over them."""
    return _digest_of(b"".join(to_json(row) + b"\n" for row in part) for part in _parts(rows))


def digest_of_lines(lines: Iterable[str]) -> tuple[int, str]:
    """The same, where the rows come as lines of JSON already, each with its end, without spaces.

    What has to be escaped can be spelt in several ways, so lines with an escape are spelt anew.
    """
    return _digest_of(map(_spelt, _parts(lines)))


def _spelt(lines: list[str]) -> bytes:
    text = "".join(lines)
    if "\\" not in text:
        return text.encode()
    return b"".join(to_json(from_json(line)) + b"\n" for line in lines)


def _parts(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    return iter(lambda: list(islice(left, _AT_ONCE)), [])


def _digest_of(parts: Iterable[bytes]) -> tuple[int, str]:
    """How many lines, and the SHA-256 over them: within a line of JSON no other ends."""
    found, count = hashlib.sha256(), 0
    for part in parts:
        found.update(part)
        count += part.count(b"\n")
    return count, found.hexdigest()
