"""The columns that a user chose with --columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """The names given with --columns, in their order; `text` is None without the option."""

    text: str | None

    @property
    def is_given(self) -> bool:
        return self.text is not None

    def places(self, columns: Sequence[str]) -> list[int]:
        """Where the chosen columns stand among all. Raises InvalidInput for any other name."""
        from ledger.near_words import check_choice

        if self.text is None:
            return list(range(len(columns)))
        named = list(dict.fromkeys(name.strip() for name in self.text.split(",")))
        for name in named:
            check_choice("column", name, columns)
        return [columns.index(name) for name in named]


def picked(row: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Those cells of a row."""
    return [row[place] for place in places]
