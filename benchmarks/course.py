"""The setting of a run of the benchmarks: a folder, a big ledger, one of a tenth of its size."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from benchmarks.generator import Built, build
from ledger.catalogue import Catalogue, load_catalogue

NOTE_EVERY_S: Final = 5.0


def note(text: str) -> None:
    """Print a line about the progress on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Made:
    """A generated ledger, by path or URL, and the time that it took."""

    path: Path | str
    built: Built

    @property
    def last_position(self) -> int:
        return self.built.events


@dataclass(slots=True)
class Course:
    """The requested size, repetitions and seed. Ledgers are generated when first needed."""

    folder: Path
    events: int
    repetitions: int = 5
    seed: int = 1
    catalogue: Catalogue = field(default_factory=load_catalogue)
    _made: dict[str, Made] = field(default_factory=dict)
    _places: int = 0

    @property
    def random(self) -> Random:
        """A random generator that starts the same for each benchmark."""
        return Random(self.seed)  # noqa: S311  Repeatable, and nothing is secret here.

    @property
    def big(self) -> Made:
        return self._ledger("big", self.events)

    @property
    def small(self) -> Made:
        """A tenth of the size. Comparing it with the big one shows the growth."""
        return self._ledger("small", self.events // 10)

    def place(self, name: str) -> Path:
        """An unused path in the folder."""
        self._places += 1
        return self.folder / f"{self._places:04}-{name}"

    @contextmanager
    def fresh(self, name: str) -> Iterator[Path]:
        """A path for a database, which is removed afterwards with its companion files."""
        path = self.place(name)
        try:
            yield path
        finally:
            for file in self.folder.glob(f"{path.name}*"):
                file.unlink()

    def _ledger(self, name: str, events: int) -> Made:
        if name not in self._made:
            path = self.folder / f"{name}.db"
            self._made[name] = self.make(path, events)
        return self._made[name]

    def make(self, place: Path | str, events: int) -> Made:
        """Generate a ledger of `events` events at an unused place."""
        built = build(place, events, self.seed, _Progress(events))
        note(f"  a ledger of {built.events:,} events in {built.seconds:.0f} s of observing")
        return Made(place, built)


class _Progress:
    def __init__(self, events: int) -> None:
        self._events, self._noted_at = events, monotonic()

    def __call__(self, done: int, seconds: float) -> None:
        if monotonic() - self._noted_at > NOTE_EVERY_S:
            self._noted_at = monotonic()
            note(f"  generating: {done:,} of {self._events:,} events, {done / seconds:,.0f}/s")
