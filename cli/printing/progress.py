"""Progress on stderr: a bar on a terminal, elsewhere a plain line every two seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from cli.printing.output import say

Advance = Callable[[str, int, int], None]
"""Called with a name, how much is done, and of how much."""

_SECONDS_BETWEEN_LINES = 2.0


@contextmanager
def progress(what: str, *, unit: str = "events", quiet: bool = False) -> Iterator[Advance]:
    """Show progress. `quiet`: print nothing unless it takes longer than half a second."""
    if sys.stderr.isatty():
        with _bar(what, unit, quiet) as advance:
            yield advance
    else:
        yield _lines(what, unit, quiet)


@contextmanager
def _bar(what: str, unit: str, quiet: bool) -> Iterator[Advance]:
    bar: Any = None
    tasks: dict[str, Any] = {}
    begun = monotonic()

    def advance(name: str, done: int, total: int) -> None:
        nonlocal bar
        if quiet and bar is None and (done >= total or monotonic() - begun < 0.5):
            return
        if bar is None:
            bar = _rich_bar(unit)
            bar.start()
        if name not in tasks:
            tasks[name] = bar.add_task(f"{what} {name}", total=total)
        bar.update(tasks[name], completed=done, total=total)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.stop()


def _rich_bar(unit: str) -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _lines(what: str, unit: str, quiet: bool) -> Advance:
    printed = monotonic()

    def advance(name: str, done: int, total: int) -> None:
        nonlocal printed
        is_due = monotonic() - printed >= _SECONDS_BETWEEN_LINES
        if is_due or (done >= total and not quiet):
            printed = monotonic()
            say(f"{what} {name}: {done} of {total} {unit}")

    return advance
