"""What all benchmarks run on: a folder, a big ledger, and one a tenth of its size."""

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
    """A line about the progress, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Made:
    """A generated ledger, in a file or where a URL says, and what making it cost."""

    path: Path | str
    built: Built

    @property
    def last_position(self) -> int:
        return self.built.events


@dataclass(slots=True)
class Course:
    """The size, the repetitions and the seed asked for; ledgers are made when first needed."""

    folder: Path
    events: int
    repetitions: int = 5
    seed: int = 1
    catalogue: Catalogue = field(default_factory=load_catalogue)
    _made: dict[str, Made] = field(default_factory=dict)
    _places: int = 0

    @property
    def random(self) -> Random:
        """Chance that begins alike for everyone who asks."""
        return Random(self.seed)  # noqa: S311  Repeatable, and nothing is secret here.

    @property
    def big(self) -> Made:
        return self._ledger("big", self.events)

    @property
    def small(self) -> Made:
        """A tenth of the size: growth is measured between the two."""
        return self._ledger("small", self.events // 10)

    def place(self, name: str) -> Path:
        """A path in the folder that nothing has."""
        self._places += 1
        return self.folder / f"{self._places:04}-{name}"

    @contextmanager
    def fresh(self, name: str) -> Iterator[Path]:
        """A path for a database that is removed afterwards, with all that lies beside it."""
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
        """A ledger of so many events where there is none."""
        built = build(place, events, self.seed, _teller(events))
        note(f"  a ledger of {built.events:,} events in {built.seconds:.0f} s of observing")
        return Made(place, built)


class _Teller:
    def __init__(self, events: int) -> None:
        self._events, self._told = events, monotonic()

    def __call__(self, done: int, seconds: float) -> None:
        if monotonic() - self._told > NOTE_EVERY_S:
            self._told = monotonic()
            note(f"  generating: {done:,} of {self._events:,} events, {done / seconds:,.0f}/s")


def _teller(events: int) -> _Teller:
    return _Teller(events)
