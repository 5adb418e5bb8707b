"""Tables: drawn by Rich on a terminal, plain aligned lines anywhere else."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from cli.printing.text import as_cell, safe


def draw(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Print a table; return the number of rows. Without rows nothing is printed."""
    is_terminal = sys.stdout.isatty()
    as_shown = _isolated if is_terminal else safe
    cells = [[as_shown(as_cell(value)) for value in row] for row in rows]
    if cells:
        fits = is_terminal and _fits(headings, cells)
        (_draw_rich if fits else _draw_plain)(headings, cells)
    return len(cells)


def _isolated(text: str) -> str:
    """The text, made safe; what is written from right to left leaves its neighbours in place."""
    shown = safe(text)
    if shown.isascii() or not any(unicodedata.bidirectional(char) in _FROM_RIGHT for char in shown):
        return shown
    return f"\u2068{shown}\u2069"  # FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE


_FROM_RIGHT = {"R", "AL", "AN"}


def _fits(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Whether a terminal is wide enough to break no word, such as a region's id."""
    needed = sum(
        max(_width(word) for line in (headings, *cells) for word in (line[index].split() or [""]))
        for index in range(len(headings))
    )
    return needed + 3 * len(headings) <= shutil.get_terminal_size().columns


def _draw_plain(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    lines = [[heading.upper() for heading in headings], *cells]
    widths = [max(_width(line[index]) for line in lines) for index in range(len(headings))]
    for line in lines:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        )
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _draw_rich(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for index, heading in enumerate(headings):
        # Ids stay whole; the sentences beside them are what is broken into lines.
        is_word = not any(" " in line[index] for line in cells)
        table.add_column(heading, overflow="fold", no_wrap=is_word)
    for line in cells:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in line))
    Console(file=sys.stdout, highlight=False).print(table)


_STYLES = {
    "granted": "green",
    "usable": "green",
    "exists": "green",
    "carried-out": "yellow",
    "requested": "yellow",
    "dialog": "yellow",
    "missing": "red",
    "refused": "red",
    "revoked": "red",
    "declined": "red",
    "deleted": "red",
}


def _width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
