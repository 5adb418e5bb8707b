"""Decides how a table fits a terminal: which columns are drawn, and how wide; breaks no word.

Ids and names stay whole. Sentences wrap at spaces, and headings do. Where a table is too wide,
columns are left out in this order until it fits: those with one value in every row, then the least
telling ones. Where that does not help, the rows are printed as blocks, a line for each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cli.printing.text import width_of

GAP: Final = 3
"""Cells between two columns."""
SENTENCE_MIN: Final = 24
"""A column of sentences is at least so wide: narrower ones are hard to read."""
LEAST_TELLING: Final = (
    "origin", "provider", "policy_id", "agency_id", "rebuilt_at", "history_rows", "recorded_at",
    "digest_before", "digest_after", "facts_digest", "sha256", "role", "event",
)  # fmt: skip
"""The columns that a narrow table can lack, the least telling first."""
_OF_A_VIEW: Final = ("position", "since")
"""And these, of views alone: in the trail a position is what the next page begins after."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is drawn. `widths` are those of the `kept` columns; None means blocks.

    `alike` are the columns left out with the value of every row, `dropped` the other ones.
    """

    kept: tuple[int, ...]
    widths: tuple[int, ...] | None
    alike: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()


def layout(
    headings: Sequence[str], cells: Sequence[Sequence[str]], width: int, *, whole: bool = False
) -> Layout:
    """How to draw rows of texts on a terminal so wide. `whole`: leave no column out."""
    every = tuple(range(len(headings)))
    columns = [
        _Column(heading, [row[index] for row in cells]) for index, heading in enumerate(headings)
    ]
    kept, left_out = list(every), list[int]()
    for index in [] if whole else _least_first(columns):
        if _fits([columns[each] for each in kept], width):
            break
        kept.remove(index)
        left_out.append(index)
    chosen = [columns[index] for index in kept]
    if not _fits(chosen, width):
        return Layout(every, None)
    alike = tuple(index for index in left_out if columns[index].is_alike)
    dropped = tuple(index for index in left_out if not columns[index].is_alike)
    return Layout(tuple(kept), tuple(_widths(chosen, width)), alike, dropped)


class _Column:
    """The width that one column needs: `least` cells at least, `most` so that nothing wraps."""

    def __init__(self, heading: str, texts: Sequence[str]) -> None:
        self.name = heading.replace(" ", "_")
        self.most = max(map(width_of, [heading, *texts]), default=0)
        longest_word = _widest(word for text in [heading, *texts] for word in text.split())
        is_prose = any(" " in text for text in texts)
        self.least = (
            max(longest_word, min(self.most, SENTENCE_MIN))
            if is_prose
            else max(_widest(heading.split()), _widest(texts))
        )
        self.is_alike = len(texts) > 1 and len(set(texts)) == 1


def _widest(texts: Iterable[str]) -> int:
    return max(map(width_of, texts), default=0)


def _least_first(columns: Sequence[_Column]) -> list[int]:
    """The columns that may be left out, in turn; what a status says is left out last."""
    names = [column.name for column in columns]
    order = [*LEAST_TELLING, *(_OF_A_VIEW if "since" in names else ())]
    rank = {name: place for place, name in enumerate(order)}
    alike = [index for index, column in enumerate(columns) if column.is_alike]
    alike.sort(key=lambda index: (names[index] == "status", rank.get(names[index], len(rank))))
    others = [index for index in range(len(names)) if names[index] in rank and index not in alike]
    return [*alike[: len(names) - 1], *sorted(others, key=lambda index: rank[names[index]])]


def _fits(columns: Sequence[_Column], width: int) -> bool:
    return sum(column.least for column in columns) + GAP * (len(columns) - 1) <= width


def _widths(columns: Sequence[_Column], width: int) -> list[int]:
    """Each column's least, and what is left over given to those that can use it, in turn."""
    widths = [column.least for column in columns]
    spare = width - sum(widths) - GAP * (len(columns) - 1)
    while spare > 0:
        short = [index for index, column in enumerate(columns) if widths[index] < column.most]
        if not short:
            break
        for index in short[:spare]:
            widths[index] += 1
        spare -= len(short[:spare])
    return widths
