"""Holds every stored byte against the log: entries, columns, versions, tiles, root, signature.

Nothing that the ledger says of itself is believed but what follows from the entries' own bytes. It
goes on after the first thing that it finds, and says what it did not look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.entry_check import COLUMNS, differences, fits
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tiles import TILE_WIDTH, Tile, append, tiles_between
from ledger.merkle.tree import EMPTY_ROOT, Frontier, leaf_hash
from ledger.persistence.failures import told_clearly
from ledger.persistence.location import Location, location_of
from ledger.persistence.stored import StoredRows, stored_rows
from ledger.subjects import commitment

FINDINGS_MAX: Final = 100
"""How many are kept; all are counted."""

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written, and where."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(slots=True)
class Verification:
    """What was read and found. `roots` are those of the sizes that were asked for."""

    size: int = 0
    of_the_whole: list[Finding] = field(default_factory=list)
    of_parts: list[Finding] = field(default_factory=list)
    """The first FINDINGS_MAX."""
    count: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        return self.of_the_whole + self.of_parts

    def found(self, place: str, what: str) -> None:
        """Something about a position, a tile, a stream."""
        self.count += 1
        if len(self.of_parts) < FINDINGS_MAX:
            self.of_parts.append(Finding(place, what))

    def judge(self, about: str, what: str) -> None:
        """Something about the log as a whole."""
        self.count += 1
        self.of_the_whole.append(Finding(about, what))

    def hold(self, about: str, checkpoint: Checkpoint) -> None:
        """The log must begin with what a checkpoint says."""
        if checkpoint.size > self.size:
            self.judge(
                about,
                f"the log has {self.size} entries, and had {checkpoint.size}: an older copy was "
                "put in its place, or its end was cut off",
            )
        elif self.roots[checkpoint.size] != checkpoint.root:
            self.judge(
                about,
                f"the first {checkpoint.size} entries are not those that it was made over: one was "
                "altered, taken out, put in or moved",
            )


def verify_entries(
    ledger: Location | Path | str,
    sizes: Iterable[int] = (),
    on_progress: OnProgress = lambda *_: None,
) -> Verification:
    """Read all of a ledger, in one read transaction; memory does not grow with its size.

    `sizes`: of how many first entries the roots are wanted. Raises StoreUnavailable.
    """
    location = location_of(ledger)
    with told_clearly(str(location)), stored_rows(location, COLUMNS) as rows:
        return _Reading(rows, sorted(set(sizes)), on_progress).all()


class _Reading:
    """One pass over the ledger."""

    def __init__(self, rows: StoredRows, sizes: Sequence[int], on_progress: OnProgress) -> None:
        self._rows = rows
        self._on_progress = on_progress
        self._done = Verification(roots={0: EMPTY_ROOT})
        self._sizes = [size for size in sizes if size]
        self._frontier = Frontier()
        self._edges: dict[tuple[int, int], bytes] = {}
        """The tiles that are not full yet."""
        self._position = 0
        self._recorded_at = ""

    def all(self) -> Verification:
        last = self._rows.count()
        for page in self._rows.pages():
            self._take(page)
            self._on_progress("entries", self._done.size, last)
        for place, data in sorted(self._edges.items()):
            self._compare(Tile(*place, data))
        self._surplus()
        self._versions()
        self._commands()
        self._subjects()
        return self._done

    # -- entries ---------------------------------------------------------------------------------

    def _take(self, page: Sequence[Sequence[Any]]) -> None:
        leaves = []
        for row in page:
            entry = row[4] if isinstance(row[4], bytes) else _bytes(row[4])
            leaves.append(leaf_hash(entry))
            if row[0] != self._position + 1 or not fits(row, entry, self._recorded_at):
                for what in differences(row, entry, self._position, self._recorded_at):
                    self._done.found(f"position {row[0]}", what)
            self._position = row[0]
            if isinstance(row[_RECORDED_AT], str):
                self._recorded_at = row[_RECORDED_AT]
        self._grow(leaves)

    def _grow(self, leaves: list[bytes]) -> None:
        """Let the tree grow, and stop at the sizes whose roots are wanted."""
        while leaves:
            size = self._frontier.size
            until = next((s - size for s in self._sizes if s > size), len(leaves))
            part, leaves = leaves[:until], leaves[until:]
            for tile in append(
                self._frontier, part, lambda level, index, _: self._edges[level, index]
            ):
                self._edges[tile.level, tile.index] = tile.data
                if tile.width == TILE_WIDTH:
                    self._compare(
                        Tile(tile.level, tile.index, self._edges.pop((tile.level, tile.index)))
                    )
            self._done.size = self._frontier.size
            if self._frontier.size in self._sizes:
                self._done.roots[self._frontier.size] = self._frontier.root()

    def _compare(self, tile: Tile) -> None:
        stored = self._rows.tile(tile.level, tile.index)
        if stored != tile.data:
            what = "is missing" if stored is None else "is not the one of the entries"
            self._done.found(tile.path, f"the stored tile {what}")

    # -- beside them -----------------------------------------------------------------------------

    def _surplus(self) -> None:
        expected = sum(1 for _ in tiles_between(0, self._done.size))
        stored = self._rows.tiles()
        if stored > expected:
            self._done.found(
                "tiles", f"there are {stored}, and {expected} in a log of {self._done.size} entries"
            )

    def _versions(self) -> None:
        """Each stream's versions are 1, 2, 3 …"""
        for stream, first, last, count in self._rows.broken_streams():
            self._done.found(
                f"stream {stream.decode(errors='backslashreplace')}",
                f"its versions go from {first} to {last} and are {count}",
            )

    def _commands(self) -> None:
        """Every position belongs to the command that its entry names."""
        reached = 0
        for command_id, _, first, last in self._rows.commands():
            if first != reached + 1 or last < first:
                self._done.found(
                    f"command {command_id.decode(errors='backslashreplace')}",
                    f"it has the positions {first} to {last}; the one before ends at {reached}",
                )
            reached = max(reached, last)
        if reached != self._done.size:
            self._done.found("commands", f"they end at position {reached}, not {self._done.size}")
        for position, named_id in self._rows.without_command(FINDINGS_MAX):
            named = (named_id or b"none").decode(errors="backslashreplace")
            self._done.found(
                f"position {position}", f"its command {named} does not say that it appended it"
            )

    def _subjects(self) -> None:
        """A name that is kept is the one that was committed to."""
        for subject, kind, name, salt, committed in self._rows.subjects():
            try:
                is_so = commitment(salt, kind, name) == committed
            except ValueError:
                is_so = False
            if not is_so:
                self._done.found(
                    f"subject {subject}", "the name that is kept is not the one that was registered"
                )


_RECORDED_AT: Final = COLUMNS.index("recorded_at")


def _bytes(text: object) -> bytes:
    return str(text).encode(errors="surrogateescape")
