"""A condition of a question to the trail."""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A condition on a column: it has one of these words, or (`is_not`) none of them."""

    kind: str
    words: tuple[str, ...]
    is_not: bool = False
