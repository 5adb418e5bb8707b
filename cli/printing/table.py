"""Tables: fitted to a terminal; plain aligned lines, whole, anywhere else."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cli.printing.layout import Layout, layout
from cli.printing.text import as_cell, safe, width_of, wrapped

if TYPE_CHECKING:
    from rich.console import Console

_FROM_RIGHT = {"R", "AL", "AN"}
_STYLES = {
    "granted": "green",
    "usable": "green",
    "exists": "green",
    "carried-out": "yellow",
    "requested": "yellow",
    "dialog": "yellow",
    "missing": "red",
    "failed": "red",
    "refused": "red",
    "revoked": "red",
    "declined": "red",
    "deleted": "red",
}


def draw(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, whole: bool = False
) -> tuple[int, list[str]]:
    """Print a table; return the number of rows, and notes on columns that were left out.

    Without rows nothing is printed. `whole`: no column is left out.
    """
    if not sys.stdout.isatty():
        cells = [[safe(as_cell(value)) for value in row] for row in rows]
        _draw_plain(headings, cells)
        return len(cells), []
    cells = [[_isolated(as_cell(value)) for value in row] for row in rows]
    width = shutil.get_terminal_size().columns
    fitted = layout(headings, cells, width, whole=whole)
    if cells:
        (_draw_table if fitted.widths else _draw_blocks)(headings, cells, fitted, width)
    return len(cells), _notes(headings, cells, fitted, width)


def _isolated(text: str) -> str:
    """The text, made safe; what is written from right to left leaves its neighbours in place."""
    shown = safe(text)
    if shown.isascii() or not any(unicodedata.bidirectional(char) in _FROM_RIGHT for char in shown):
        return shown
    return f"\u2068{shown}\u2069"  # FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE


def _draw_plain(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    if not cells:
        return
    lines = [[name.upper() for name in headings], *cells]
    widths = [max(width_of(line[index]) for line in lines) for index in range(len(headings))]
    for line in lines:
        padded = (
            cell + " " * (width - width_of(cell)) for cell, width in zip(line, widths, strict=True)
        )
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _draw_table(
    headings: Sequence[str], cells: Sequence[Sequence[str]], fitted: Layout, width: int
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for index, column_width in zip(fitted.kept, fitted.widths or (), strict=True):
        table.add_column(headings[index], width=column_width, overflow="fold")
    for line in cells:
        shown = [line[index] for index in fitted.kept]
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in shown))
    _console(width).print(table)


def _draw_blocks(
    headings: Sequence[str], cells: Sequence[Sequence[str]], _: Layout, width: int
) -> None:
    """Each row as a block: a line for each of its columns that is not empty."""
    from rich.text import Text

    console = _console(width)
    edge = max(len(name) for name in headings) + 2
    for place, line in enumerate(cells):
        block = Text("\n" if place else "")
        for name, cell in zip(headings, line, strict=True):
            if cell:
                value = f"\n{' ' * edge}".join(wrapped(cell, width - edge))
                block.append(name.ljust(edge), style="bold")
                block.append(f"{value}\n", style=_STYLES.get(cell, ""))
        console.print(block, soft_wrap=True, end="")


def _console(width: int) -> Console:
    from rich.console import Console

    # Without a height, Rich takes a dumb terminal to be 80 columns wide.
    return Console(file=sys.stdout, highlight=False, width=width, height=25)


def _notes(
    headings: Sequence[str], cells: Sequence[Sequence[str]], fitted: Layout, width: int
) -> list[str]:
    notes = []
    if fitted.alike:
        same = (f"{headings[each]} {cells[0][each] or '(empty)'}" for each in fitted.alike)
        notes.append(f"In every row: {', '.join(same)}.")
    if fitted.dropped:
        left_out = ", ".join(headings[each] for each in fitted.dropped)
        notes.append(f"Left out to fit {width} columns: {left_out}.")
    return notes
